"""aiohttp-sse: a queue for each reader."""

import asyncio
import sys

import uvloop
from aiohttp import web
from aiohttp_sse import sse_response

queues = set()


async def subscribe(request):
    """Open a stream."""
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
    """Send to all readers."""
    data = await request.text()
    for queue in queues:
        queue.put_nowait(data)
    return web.Response(text="ok", status=201)


if __name__ == "__main__":
    uvloop.install()
    app = web.Application()
    app.add_routes([web.get("/sub", subscribe), web.post("/pub", publish)])
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None, backlog=4096)
