"""`GET /api/chat/stream` and `/socket`: refuse it, or bring it from its cursor to the hub and let go of it."""

import asyncio
import random

from aiohttp import web

from chat.shared.errors import ApiError, Unfinished
from chat.shared.identity import Member
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.rate_limits import Limit
from chat.shared.transport.detach import DetachedResponse, upgrade
from chat.shared.web import ADMISSION, IDENTITIES, RATES, answer_json, parse_count, parse_ids, require_identity
from chat.stream.connections import Streams
from chat.stream.long_poll import Poll, poll_entries
from chat.stream.resume import LostEntries, Start, encode_reset, encode_start
from chat.stream.sse import Attached, Detached, open_events
from chat.stream.stream import Chunk, Send, Stream, encode_bye
from chat.stream.websocket import Socketed

STREAMS = web.AppKey("streams", Streams)
POLL_MOST = 25
NARROW_MOST = 500
Carrier = Detached | Attached
TROUBLE: tuple[type[Exception], ...] = (ApiError, *POSTGRES_AWAY)


async def get_stream(request: web.Request) -> web.StreamResponse:
    """Open the stream. `?poll=` gets its JSON form: at most 1,000 entries or 1 MiB, and the cursor of the next poll."""
    streams, rates, polls = request.app[STREAMS], request.app[RATES], "poll" in request.query
    member, narrow, start = await admit(request, rates.poll if polls else rates.stream)
    if polls:
        poll = Poll(member.user_id, member.session_id, narrow, streams.left)
        return await answer_poll(request, streams, poll, start)
    return await carry(request, member, make_carrier(streams, member, narrow, request), start)


async def get_stream_socket(request: web.Request) -> web.StreamResponse:
    """The stream over a WebSocket."""
    member, narrow, start = await admit(request, request.app[RATES].stream)
    response = await upgrade(request)  # from here to the detached stream: no await
    streams = request.app[STREAMS]
    limited = streams.settings.rate_limits
    stream = Socketed(member.user_id, member.session_id, narrow, streams.left, limited)
    set_deadline(stream, streams, member)
    streams.open(stream, start.cursor.position)
    try:
        stream.detach(request, response)
        await serve_socket(streams, stream, start)
    except BaseException:
        streams.leave(stream)
        stream.abort()
        raise
    return DetachedResponse()


async def admit(request: web.Request, rate: Limit) -> tuple[Member, frozenset[int] | None, Start]:
    """Who asks, for which conversations, from where on; raises refusals."""
    request.app[ADMISSION].check()
    member = await require_identity(request, remember="poll" in request.query)
    streams = request.app[STREAMS]
    rate.acquire(member.user_id)
    streams.roster.check_capacity(member.user_id)
    narrow = parse_narrow(request)
    start = await streams.find_start(request.headers.get("Last-Event-ID") or request.query.get("after"))
    request.app[IDENTITIES].check(member)  # the login may have ended meanwhile; from here to the roster: no await
    if request.transport is None:  # aiohttp-sse would stumble over it
        raise Unfinished
    return member, narrow, start


async def carry(request: web.Request, member: Member, stream: Carrier, start: Start) -> web.StreamResponse:
    """From the roster to the hub, and out of both unless the connection goes on without us."""
    streams = request.app[STREAMS]
    set_deadline(stream, streams, member)
    streams.open(stream, start.cursor.position)
    response = None
    try:
        response = await serve_stream(request, streams, stream, start)
        return response
    finally:
        if not isinstance(response, DetachedResponse):
            streams.leave(stream)


def parse_narrow(request: web.Request) -> frozenset[int] | None:
    """`?conversations=1,2`, or None."""
    text = request.query.get("conversations")
    return None if text is None else frozenset(parse_ids(text, "conversations", NARROW_MOST))


def make_carrier(streams: Streams, member: Member, narrow: frozenset[int] | None, request: web.Request) -> Carrier:
    """What STREAM_TRANSPORT asks for."""
    who = member.user_id, member.session_id, narrow, streams.left
    if streams.settings.stream_transport == "attached":
        return Attached(*who, request, streams.settings.stream_buffer)
    return Detached(*who)


def set_deadline(stream: Stream, streams: Streams, member: Member) -> None:
    """The longest life, ±10 % so that streams of one moment do not all return in another; never past the login."""
    age = streams.settings.stream_max_age * random.uniform(0.9, 1.1)
    stream.expires = member.seconds_left() < age
    loop = asyncio.get_running_loop()
    stream.deadline = loop.time() + min(age, member.seconds_left())
    if stream.expires:
        loop.call_at(stream.deadline, stream.end, "expired")  # to the moment, and not at the beat after it


async def serve_stream(request: web.Request, streams: Streams, stream: Carrier, start: Start) -> web.StreamResponse:
    """Prepare, replay, join; then the hub writes, and nobody waits here any more."""
    response, send = await open_events(request)
    try:
        await send(Chunk(encode_start(start, streams.settings.node, streams.end(), stream.user_id)))
        missed = await catch_up(streams, stream, start, send)
        if stream.ended is not None:
            await send(Chunk(encode_bye(stream.ended)))
            return response
        if not isinstance(stream, Attached):
            stream.detach(request, response, streams.settings.stream_buffer)
        if missed:
            stream.write(Chunk(b"".join(missed)))
        if not isinstance(stream, Attached):
            return DetachedResponse()
        await stream.pump(response)
    except TROUBLE:
        # Its head is out: an answer that says why would stand in the middle of the stream. It comes back.
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:
        pass  # the reader has gone; it comes back with its cursor
    return response


async def serve_socket(streams: Streams, stream: Socketed, start: Start) -> None:
    """Replay over the socket, then join the hub."""
    try:
        await stream.send(Chunk(encode_start(start, streams.settings.node, streams.end(), stream.user_id)))
        missed = await catch_up(streams, stream, start, stream.send)
        if stream.ended is None:
            stream.go_live(b"".join(missed), streams.settings.stream_buffer)
    except TROUBLE:
        stream.abort()  # as with SSE: the reader reconnects with their cursor
    except ConnectionError:
        streams.leave(stream)  # the reader has left, or is about to: the socket closes by itself


async def catch_up(streams: Streams, stream: Stream, start: Start, send: Send) -> list[bytes]:
    """Replay up to the hub; where entries are lost, say so and go on from the log's end."""
    while True:
        try:
            return [entry.frame for entry in await streams.replay.catch_up(stream, start.cursor.position, send)]
        except LostEntries:
            start = Start(streams.end(), reset="too_old")
            await send(Chunk(encode_reset(start)))


async def answer_poll(request: web.Request, streams: Streams, poll: Poll, start: Start) -> web.Response:
    """The JSON form: entries at once if there are any, else when some come, or after the time asked for."""
    seconds = parse_count(request, "poll", default=POLL_MOST, most=POLL_MOST)
    if start.reset:
        return answer_json({"events": [], "cursor": str(start.cursor), "reset": start.reset})
    streams.roster.add(poll)
    streams.polls += 1
    try:
        return answer_json(await poll_entries(streams, poll, start, seconds))
    except LostEntries:
        return answer_json({"events": [], "cursor": str(streams.end()), "reset": "too_old"})
    finally:
        streams.polls -= 1
        streams.leave(poll)
