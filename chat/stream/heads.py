"""Heads: how a stream begins over HTTP, and how it is sent on until it has caught up."""

import asyncio

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp_sse import EventSourceResponse

from chat.shared.transport.detach import check_request
from chat.stream.chunk import Chunk
from chat.stream.replay import Send
from chat.stream.stream import SEND_SECONDS


class EventStream(EventSourceResponse):
    """The library's head without its ping task: here one ticker beats for all, and what is left of a cancelled task
    would hold the whole request in a cycle until the collector comes by.

    No other answer follows on the connection of a stream, and the head says so (`Connection: close`): a client or proxy
    that has sent more requests already knows that they were not handled.
    """

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the head without the library's additions."""
        del self.headers["Connection"]
        self.force_close()
        return await web.StreamResponse.prepare(self, request)


async def open_events(request: web.Request) -> tuple[web.StreamResponse, Send]:
    """Send the head of an event stream; return the response, and the function to replay with."""
    check_request(request)
    response = EventStream()
    await response.prepare(request)

    async def send(chunk: Chunk) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await response.write(chunk.raw)

    return response, send
