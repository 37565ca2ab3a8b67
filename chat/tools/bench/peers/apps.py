"""The applications that run on other libraries, each as its documentation shows it: `python apps.py NAME PORT`.

The interpreter is that of the peer's own environment. Each application imports what it needs when it starts, because
nothing else is installed there, Tandem included.
"""

import asyncio
import json
import sys


def serve_aiohttp_sse(port):
    """Serve with aiohttp-sse: a queue for each reader."""
    import uvloop
    from aiohttp import web
    from aiohttp_sse import sse_response

    queues = set()

    async def subscribe(request):
        queue = asyncio.Queue()
        queues.add(queue)
        try:
            async with sse_response(request) as response:
                await response.send("1", event="ready")
                while response.is_connected():
                    await response.send(await queue.get())
        finally:
            queues.discard(queue)
        return response

    async def publish(request):
        data = await request.text()
        for queue in queues:
            queue.put_nowait(data)
        return web.Response(text="ok", status=201)

    uvloop.install()
    app = web.Application()
    app.add_routes([web.get("/sub", subscribe), web.post("/pub", publish)])
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, backlog=4096)


def serve_sse_starlette(port):
    """Serve with sse-starlette: a queue for each reader."""
    from sse_starlette.sse import EventSourceResponse
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    queues = set()

    async def subscribe(_request):
        queue = asyncio.Queue()
        queues.add(queue)

        async def events():
            try:
                yield {"event": "ready", "data": "1"}
                while True:
                    yield {"data": await queue.get()}
            finally:
                queues.discard(queue)

        return EventSourceResponse(events())

    async def publish(request):
        data = (await request.body()).decode()
        for queue in queues:
            queue.put_nowait(data)
        return Response("ok", 201)

    run_uvicorn(Starlette(routes=[Route("/sub", subscribe), Route("/pub", publish, methods=["POST"])]), port)


def serve_django_eventstream(port):
    """Serve with django-eventstream: one channel, no storage."""
    import django
    from asgiref.sync import sync_to_async
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from django.http import HttpResponse
    from django.urls import include, path

    settings.configure(
        DEBUG=False,
        SECRET_KEY="bench",
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=["django_eventstream"],
        ROOT_URLCONF=__name__,
        MIDDLEWARE=[],
        USE_TZ=True,
    )
    django.setup()
    from django_eventstream import send_event

    async def publish(request):
        await sync_to_async(send_event)("bench", "message", request.body.decode(), json_encode=False)
        return HttpResponse("ok", status=201)

    # Django finds them by this name.
    globals()["urlpatterns"] = [
        path("sub", include("django_eventstream.urls"), {"channels": ["bench"]}),
        path("pub", publish),
    ]
    run_uvicorn(get_asgi_application(), port)


def serve_python_socketio(port):
    """Serve with python-socketio: all clients in the default namespace."""
    import socketio

    server = socketio.AsyncServer(async_mode="asgi")

    async def publish(_scope, receive, send):
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        await server.emit("message", json.loads(body))
        await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    run_uvicorn(socketio.ASGIApp(server, publish), port)


def run_uvicorn(app, port):
    """Serve an ASGI application in one process."""
    import uvicorn

    uvicorn.run(app, port=port, log_level="warning", access_log=False, backlog=4096, lifespan="off")


# The application behind pushpin: it holds every reader on one channel.

FIRST = b"event: ready\ndata: 1\n\n"
HELD = b"""HTTP/1.1 200 OK\r
Content-Type: text/event-stream\r
Grip-Hold: stream\r
Grip-Channel: bench\r
Content-Length: %d\r
\r
%b""" % (len(FIRST), FIRST)


async def hold(reader, writer):
    """Answer each request with the instruction to hold."""
    while await reader.readline():
        while (await reader.readline()).strip():
            pass
        writer.write(HELD)
    writer.close()


def serve_pushpin_origin(port):
    """Serve, also a thousand connections at once."""

    async def serve():
        server = await asyncio.start_server(hold, "127.0.0.1", port, backlog=4096)
        await server.serve_forever()

    asyncio.run(serve())


if __name__ == "__main__":
    globals()[f"serve_{sys.argv[1]}"](int(sys.argv[2]))
