"""sse-starlette: a queue for each reader."""

import asyncio

from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

queues = set()


async def subscribe(_request):
    """Open a stream."""
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
    """Send to all readers."""
    data = (await request.body()).decode()
    for queue in queues:
        queue.put_nowait(data)
    return Response("ok", 201)


app = Starlette(routes=[Route("/sub", subscribe), Route("/pub", publish, methods=["POST"])])
