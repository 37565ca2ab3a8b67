"""python-socketio: all clients in the default namespace."""

import json

import socketio

server = socketio.AsyncServer(async_mode="asgi")


async def publish(_scope, receive, send):
    """Send to all clients."""
    body, more = b"", True
    while more:
        part = await receive()
        body, more = body + part.get("body", b""), part.get("more_body", False)
    await server.emit("message", json.loads(body))
    await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


app = socketio.ASGIApp(server, publish)
