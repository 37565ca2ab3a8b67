"""Read request bodies; no other module does. Each has a deadline and a maximum size; forms have limits of their own.

Clients that send `Expect: 100-continue` are asked for the body when it is read, so a refused upload is never sent.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

from aiohttp import HttpVersion11, web

from chat.shared.errors import ApiError, BadBody, ExpectationFailed, TooLarge, TooSlow, Unfinished
from chat.shared.multipart import BadForm, FormParser, Part, PartEnd, find_boundary

SLOWEST = 16 * 1024  # bytes a second, beyond the time that any body has
Whole = TypeVar("Whole", bytes, bytearray)


async def read_whole(request: web.Request, most: int, seconds: float) -> bytes:
    """Return the body; raise `TooLarge` over `most` bytes, `TooSlow`, `Unfinished` or `BadBody` if it does not come."""
    if (request.content_length or 0) > most:
        raise TooLarge
    body = bytearray()
    try:
        if request.content.is_eof():  # short bodies arrive with the headers
            return check_size(request.content.read_nowait(), most)
        invite(request)
        async with asyncio.timeout(seconds):
            async for part in request.content.iter_any():
                body += part
                check_size(body, most)
    except TimeoutError:
        raise TooSlow from None
    except ConnectionError:
        raise Unfinished from None
    except web.RequestPayloadError:
        raise BadBody from None
    return bytes(body)


def is_read(request: web.Request) -> bool:
    """Return whether nothing of the body is left to read."""
    return request.content.at_eof()


def check_size(body: Whole, most: int) -> Whole:
    """Return the body; raise `TooLarge`."""
    if len(body) > most:
        raise TooLarge
    return body


def receive(request: web.Request, most: int, seconds: float) -> "UploadBody":
    """Return the body, to be iterated as it arrives."""
    invite(request)
    return UploadBody(request.content.iter_any(), most, seconds)


def invite(request: web.Request) -> None:
    """Tell a client that waits for it to send the body."""
    if "Expect" in request.headers and request.version >= HttpVersion11 and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


async def check_expectation(request: web.Request) -> None:
    """Raise `ExpectationFailed` for anything but 100-continue; aiohttp calls this before the handler."""
    if request.headers.get("Expect", "").lower() != "100-continue":
        raise ExpectationFailed


class UploadBody:
    """A body that is iterated once, as it arrives, limited in size and time.

    `cut`: why it ended early, if it did; a resumable upload keeps what has arrived. A body of more than `most`
    bytes raises `TooLarge` instead.
    """

    def __init__(self, source: AsyncIterator[bytes], most: int, seconds: float) -> None:
        self._source, self._most = source, most
        self._deadline = asyncio.get_running_loop().time() + seconds + most / SLOWEST
        self.cut: ApiError | None = None
        self.size = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._next():
            self.size += len(piece)
            if self.size > self._most:
                raise TooLarge
            yield piece

    async def _next(self) -> bytes:
        """Return the next piece, empty at the end and at a cut."""
        try:
            async with asyncio.timeout_at(self._deadline):
                return await anext(self._source, b"")
        except TimeoutError:
            self.cut = TooSlow()
        except ConnectionError:
            self.cut = Unfinished()
        except web.RequestPayloadError:
            self.cut = BadBody()
        return b""


class FormBody:
    """A multipart form of `length` bytes, read as it arrives: first `find_file`, then the file's `content`."""

    def __init__(self, request: web.Request, length: int, seconds: float) -> None:
        self._parser = FormParser(find_boundary(request.headers.get("Content-Type", "")))
        self._body = receive(request, length, seconds)
        self._pieces = aiter(self._body)
        self._events: list[Part | PartEnd | bytes] = []

    async def find_file(self) -> str | None:
        """Skip to the first file and return its name; None if the form has no file."""
        while (event := await self._next()) is not None:
            if isinstance(event, Part) and event.filename is not None:
                return event.filename
        return None

    async def content(self) -> AsyncIterator[bytes]:
        """Yield the file's bytes; raise why the form was cut or is malformed."""
        while not isinstance(event := await self._next(), PartEnd):
            if isinstance(event, bytes):
                yield event

    async def _next(self) -> Part | PartEnd | bytes | None:
        """Return the next event, None after the closing boundary."""
        while not self._events:
            if self._parser.done:
                return None
            piece = await anext(self._pieces, b"")
            if not piece:
                raise self._body.cut or BadForm("The form ends without its closing boundary.")
            self._events = self._parser.feed(piece)[::-1]
        return self._events.pop()
