"""`GET /api/chat/stream` and `/socket`: check the request, replay from the cursor, then join the hub.

A long poll returns the same entries as JSON, for networks that buffer streams.
"""

import asyncio
import random
from collections.abc import Callable
from functools import partial

import orjson
from aiohttp import web

from chat.log.entry import Cursor, decode_frame, parse_cursor
from chat.shared.connections import Reason
from chat.shared.errors import ApiError, Invalid, Unfinished
from chat.shared.identity import Member
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.rate_limits import Limit
from chat.shared.transport.detach import DetachedResponse, upgrade
from chat.shared.web import (
    ADMISSION,
    EVENTS,
    IDENTITIES,
    RATES,
    actor_of,
    answer_json,
    parse_count,
    parse_ids,
    require_identity,
)
from chat.stream.connections import Streams
from chat.stream.resume import LostEntries, Start, encode_reset, encode_start
from chat.stream.stream import AttachedSseStream, Chunk, Send, SseStream, Stream, encode_bye, open_events
from chat.stream.websocket import COMMANDS, WebSocketStream

STREAMS = web.AppKey("streams", Streams)
NARROW_MOST = 500

# The cursor in the URL. Clients that cannot set a header on reconnecting use one of these names.
CURSOR_NAMES = ("lastEventId", "last_event_id", "last-event-id", "Last-Event-ID")
AnySseStream = SseStream | AttachedSseStream
ERRORS: tuple[type[Exception], ...] = (ApiError, *POSTGRES_AWAY)


async def get_stream(request: web.Request) -> web.StreamResponse:
    """Open the message stream. With `?poll=`, return JSON: at most 1,000 entries or 1 MiB, and the next cursor."""
    streams, rates, polls = request.app[STREAMS], request.app[RATES], "poll" in request.query
    member, narrow, start = await admit(request, rates.poll if polls else rates.stream)
    if polls:
        poll = Poll(member.user_id, member.session_id, narrow, streams.left)
        return await answer_poll(request, member, poll, start)
    return await serve_events(request, member, make_stream(streams, member, narrow, request), start)


async def get_stream_socket(request: web.Request) -> web.StreamResponse:
    """Open the message stream over a WebSocket, over which commands are sent too.

    `format=message` sends each message as a frame with its JSON alone, and nothing else.
    """
    member, narrow, start = await admit(request, request.app[RATES].stream)
    bare = parse_format(request)
    response = await upgrade(request)  # no await from here until the stream is detached
    streams = request.app[STREAMS]
    reader = member.user_id, member.session_id, narrow, streams.left, streams.settings.rate_limits
    commands = request.app[COMMANDS]
    stream = WebSocketStream(
        *reader, (commands.read, partial(commands.answer, request.app, member), commands.joins), bare
    )
    set_deadline(stream, streams, member)
    streams.open(stream, start.cursor.position, acting=member.acting)
    try:
        notice = request.app[EVENTS].limit_notice(actor_of(request, member), "GET /api/chat/socket")
        stream.detach(request, response, notice)
        await serve_socket(streams, stream, start)
    except BaseException:
        streams.leave(stream)
        stream.abort()
        raise
    return DetachedResponse()


async def admit(
    request: web.Request, rate: Limit, cursor: str | None = None
) -> tuple[Member, frozenset[int] | None, Start]:
    """Return the member, the conversations to filter by, and the start; raise an `ApiError` to reject the request.

    `cursor`: where to start if the reader gives none.
    """
    request.app[ADMISSION].check()
    member = await require_identity(request, remember="poll" in request.query)
    streams = request.app[STREAMS]
    rate.acquire(member.payer)
    streams.connections.check_capacity(member.user_id)
    narrow = parse_narrow(request)
    start = await streams.find_start(find_cursor(request) or cursor)
    request.app[IDENTITIES].check(member)  # the session may have ended; no await from here until it is open
    if request.transport is None:  # the reader has left; aiohttp-sse would fail
        raise Unfinished
    return member, narrow, start


async def serve_events(request: web.Request, member: Member, stream: AnySseStream, start: Start) -> web.StreamResponse:
    """Open the stream and send it. Close it at the end, unless its connection has been detached."""
    streams = request.app[STREAMS]
    set_deadline(stream, streams, member)
    streams.open(stream, start.cursor.position, acting=member.acting)
    response = None
    try:
        response = await send_events(request, streams, stream, start)
        return response
    finally:
        if not isinstance(response, DetachedResponse):
            streams.leave(stream)


def find_cursor(request: web.Request) -> str | None:
    """Return the cursor that the reader gave: the header, then the names in the URL that mean it, then `after`.

    A client that reconnects keeps the `after` of its first request, so what it received last comes first.
    """
    named = (request.query.get(name) for name in CURSOR_NAMES)
    return request.headers.get("Last-Event-ID") or next(filter(None, named), request.query.get("after"))


def parse_narrow(request: web.Request) -> frozenset[int] | None:
    """Return the ids in `?conversations=1,2`, or None."""
    text = request.query.get("conversations")
    return None if text is None else frozenset(parse_ids(text, "conversations", NARROW_MOST))


def parse_format(request: web.Request) -> bool:
    """Return whether the client asks for messages alone; raise `Invalid` for an unknown format."""
    match request.query.get("format", "event"):
        case "event":
            return False
        case "message":
            return True
    raise Invalid(errors=[{"field": "format", "detail": "must be event or message"}])


def make_stream(streams: Streams, member: Member, narrow: frozenset[int] | None, request: web.Request) -> AnySseStream:
    """Return a stream for the transport that STREAM_TRANSPORT names."""
    reader = member.user_id, member.session_id, narrow, streams.left
    if streams.settings.stream_transport == "attached":
        return AttachedSseStream(*reader, request, streams.settings.stream_buffer)
    return SseStream(*reader)


def set_deadline(stream: Stream, streams: Streams, member: Member) -> None:
    """Set the maximum age, but not beyond the end of the session.

    The age varies by ±10 %, so that streams opened together do not all reconnect together.
    """
    age = streams.settings.stream_max_age * random.uniform(0.9, 1.1)
    stream.expires = member.seconds_left() < age
    loop = asyncio.get_running_loop()
    stream.deadline = loop.time() + min(age, member.seconds_left())
    if stream.expires:
        loop.call_at(stream.deadline, stream.end, "expired")  # exactly then, not at the next beat


async def send_events(request: web.Request, streams: Streams, stream: AnySseStream, start: Start) -> web.StreamResponse:
    """Send the head, replay, and join the hub. A detached stream goes on without this handler."""
    response, send = await open_events(request, stream.form)
    try:
        await send(Chunk(encode_start(start, streams.settings.node, streams.head(), stream.user_id)))
        missed = await catch_up(streams, stream, start, send)
        if stream.ended is not None:
            await send(Chunk(encode_bye(stream.ended)))
            return response
        if not isinstance(stream, AttachedSseStream):
            stream.detach(request, response, streams.settings.stream_buffer)
        if missed:
            stream.write(Chunk(b"".join(missed)))
        if not isinstance(stream, AttachedSseStream):
            return DetachedResponse()
        await stream.pump(response)
    except ERRORS:
        # The head has been sent, so an error response would appear inside the stream. The reader reconnects.
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:
        pass  # the reader has left, and reconnects with its cursor
    return response


async def serve_socket(streams: Streams, stream: WebSocketStream, start: Start) -> None:
    """Replay over the socket, then join the hub."""
    try:
        await stream.send(Chunk(encode_start(start, streams.settings.node, streams.head(), stream.user_id)))
        missed = await catch_up(streams, stream, start, stream.send)
        if stream.ended is None:
            stream.go_live(b"".join(missed), streams.settings.stream_buffer)
    except ERRORS:
        stream.abort()  # as with SSE: the reader reconnects with their cursor
    except ConnectionError:
        streams.leave(stream)  # the reader has left or is leaving; the socket closes by itself


async def catch_up(streams: Streams, stream: Stream, start: Start, send: Send) -> list[bytes]:
    """Replay up to the hub. If entries are lost, send a reset and continue at the end of the log."""
    while True:
        try:
            return [entry.frame for entry in await streams.replay.catch_up(stream, start.cursor, send)]
        except LostEntries:
            start = Start(streams.head(), reset="too_old")
            await send(Chunk(encode_reset(start)))


# The long poll.

POLL_MOST = 25  # seconds
FRAME_END = b"\n\n"
ENTRIES_MOST, BYTES_MOST = 1_000, 1024 * 1024  # of one answer; the client asks again for the rest


class Poll(Stream):
    """A stream that lasts until it has entries to return. It ends as soon as it holds a full response."""

    __slots__ = ("_bytes", "_entries", "arrived", "chunks")
    lasting = False

    def __init__(
        self, user_id: int, session_id: int, narrow: frozenset[int] | None, leave: Callable[[Stream], None]
    ) -> None:
        super().__init__(user_id, session_id, narrow, leave)
        self.chunks: list[bytes] = []
        self._bytes = self._entries = 0
        self.arrived = asyncio.Event()

    def write(self, chunk: Chunk) -> None:
        """Keep the entries for the response. A replay stops when the response is full."""
        if self.ended is not None:
            return
        self.chunks.append(chunk.raw)
        self._bytes += len(chunk.raw)
        self._entries += chunk.raw.count(FRAME_END)
        self.arrived.set()
        if self._bytes >= BYTES_MOST or self._entries >= ENTRIES_MOST:
            self.end("slow")

    def beat(self, chunk: Chunk) -> None:
        """Do nothing: a poll gets no beats."""

    def close(self, reason: Reason) -> None:  # noqa: ARG002 (a poll has no bye)
        """Return the response with the entries there are."""
        self.arrived.set()


async def answer_poll(request: web.Request, member: Member, poll: Poll, start: Start) -> web.Response:
    """Answer a long poll: with entries at once if there are any, otherwise when some arrive or at the timeout."""
    seconds, streams = parse_count(request, "poll", default=POLL_MOST, most=POLL_MOST), request.app[STREAMS]
    if start.reset:
        return answer_json({"events": [], "cursor": str(start.cursor), "reset": start.reset})
    streams.connections.add(poll, acting=member.acting)
    streams.polls += 1
    try:
        return answer_json(await poll_entries(streams, poll, start, seconds))
    except LostEntries:
        return answer_json({"events": [], "cursor": str(streams.head()), "reset": "too_old"})
    finally:
        streams.polls -= 1
        streams.leave(poll)


async def poll_entries(streams: Streams, poll: Poll, start: Start, seconds: float) -> bytes:
    """Return `{events:[{id, event, data}], cursor}`: at once if there are any, otherwise within `seconds`."""

    async def keep(chunk: Chunk) -> None:
        poll.write(chunk)

    missed = await streams.replay.catch_up(poll, start.cursor, keep)
    if missed:
        poll.write(Chunk(b"".join(entry.frame for entry in missed)))
    try:
        async with asyncio.timeout(seconds):
            await poll.arrived.wait()
    except TimeoutError:
        pass
    frames = split_frames(poll.chunks)
    taken = take_page(frames)
    whole = poll.live and len(taken) == len(frames)
    cursor = streams.head() if whole else Cursor(start.cursor.epoch, last_position(taken, start.cursor.position))
    return encode_answer(taken, cursor)


def split_frames(chunks: list[bytes]) -> list[bytes]:
    """Return the single frames in what was written."""
    return [frame for frame in b"".join(chunks).split(FRAME_END) if frame]


def take_page(frames: list[bytes]) -> list[bytes]:
    """Return as many of the first frames as one answer takes, and at least one."""
    size = 0
    for count, frame in enumerate(frames):
        size += len(frame)
        if count == ENTRIES_MOST or (size > BYTES_MOST and count > 0):
            return frames[:count]
    return frames


def last_position(frames: list[bytes], position: int) -> int:
    """Return where the last frame ends, or `position` if there is none."""
    return parse_cursor(decode_frame(frames[-1])[0]).position if frames else position


def encode_answer(frames: list[bytes], cursor: Cursor) -> bytes:
    """Return the frames' own JSON, not decoded and encoded again."""
    events = [
        {"id": id_, "event": event, "data": orjson.Fragment(data)} for id_, event, data in map(decode_frame, frames)
    ]
    return orjson.dumps({"events": events, "cursor": str(cursor)})
