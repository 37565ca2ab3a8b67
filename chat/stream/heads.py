"""Heads: how a stream begins over HTTP or a WebSocket, and how it is sent on until it has caught up."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp_sse import EventSourceResponse

from chat.stream.chunk import Chunk
from chat.stream.replay import Send
from chat.stream.socket import CODES
from chat.stream.stream import BYE_SECONDS, Reason, encode_bye

SEND_SECONDS = 60.0
OpenResponse = Callable[[web.Request], Awaitable[tuple[web.StreamResponse, Send]]]


class EventStream(EventSourceResponse):
    """The library's head without its ping task: here one ticker beats for all, and what is left of a cancelled task
    would hold the whole request in a cycle until the collector comes by."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Past the library's own."""
        return await web.StreamResponse.prepare(self, request)


async def open_events(request: web.Request) -> tuple[web.StreamResponse, Send]:
    """The head of an event stream, and how to send on it while nobody else does."""
    response = EventStream()
    await response.prepare(request)

    async def send(chunk: Chunk) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await response.write(chunk.raw)

    return response, send


async def open_socket(request: web.Request) -> tuple[web.StreamResponse, Send]:
    """A WebSocket's handshake, and how to send on it meanwhile."""
    response = web.WebSocketResponse(compress=False, timeout=BYE_SECONDS)
    await response.prepare(request)

    async def send(chunk: Chunk) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            for text in chunk.texts():
                await response.send_frame(text, web.WSMsgType.TEXT)

    return response, send


async def say_bye(response: web.StreamResponse, send: Send, reason: Reason) -> None:
    """To a reader whose stream has ended before it had caught up; a WebSocket closes with what it would have later."""
    await send(Chunk(encode_bye(reason)))
    if isinstance(response, web.WebSocketResponse):
        await response.close(code=CODES[reason], message=reason.encode())
