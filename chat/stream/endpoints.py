"""`GET /api/chat/stream`: refuse it, or bring it from its cursor to the hub and let go of it."""

import asyncio
import math
import random

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from chat.shared.detach import Departed
from chat.shared.endpoints import RATES, answer_json, parse_count, parse_ids, require_identity
from chat.shared.identity import Member
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.problems import Refusal, Unfinished
from chat.stream.attached import Attached
from chat.stream.chunk import Chunk
from chat.stream.poll import Poll, poll_entries
from chat.stream.replay import LostEntries, Send
from chat.stream.start import Start, encode_reset, encode_start
from chat.stream.stream import Stream, encode_bye
from chat.stream.streams import Streams
from chat.stream.wire import Detached

STREAMS = web.AppKey("streams", Streams)
SEND_SECONDS = 60.0
POLL_MOST = 25
NARROW_MOST = 500
TROUBLE: tuple[type[Exception], ...] = (Refusal, *POSTGRES_AWAY)


async def get_stream(request: web.Request) -> web.StreamResponse:
    """The stream, or with `?poll=` its JSON form."""
    member = await require_identity(request)
    streams = request.app[STREAMS]
    rates = request.app[RATES]
    (rates.poll if "poll" in request.query else rates.stream).spend(member.user_id)
    streams.roster.check_room(member.user_id)
    narrow = parse_narrow(request)
    start = await streams.find_start(request.headers.get("Last-Event-ID") or request.query.get("after"))
    member = await require_identity(request)  # the login may have ended meanwhile; from here to the roster: no await
    if "poll" in request.query:
        return await answer_poll(request, streams, Poll(member.user_id, member.session_id, narrow, streams.left), start)
    if request.transport is None:  # aiohttp-sse would stumble over it
        raise Unfinished
    stream = make_carrier(streams, member, narrow, request)
    set_deadline(stream, streams, member)
    streams.open(stream, start.cursor.position)
    response = None
    try:
        response = await serve_stream(request, streams, stream, start)
        return response
    finally:
        if not isinstance(response, Departed):
            streams.leave(stream)


def parse_narrow(request: web.Request) -> frozenset[int] | None:
    """`?conversations=1,2`, or None."""
    text = request.query.get("conversations")
    return None if text is None else frozenset(parse_ids(text, "conversations", NARROW_MOST))


def make_carrier(
    streams: Streams, member: Member, narrow: frozenset[int] | None, request: web.Request
) -> Detached | Attached:
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


async def serve_stream(
    request: web.Request, streams: Streams, stream: Detached | Attached, start: Start
) -> web.StreamResponse:
    """Prepare, replay, join; then the hub writes, and nobody waits here any more."""
    response = EventSourceResponse(ping_interval=math.inf, send_timeout=SEND_SECONDS)
    await response.prepare(request)
    response.stop_streaming()  # its ping task: here one ticker beats for all

    async def send(chunk: Chunk) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await response.write(chunk.raw)

    try:
        await send(Chunk(encode_start(start, streams.settings.node)))
        missed = await catch_up(streams, stream, start, send)
        if stream.ended is not None:
            await send(Chunk(encode_bye(stream.ended)))
            return response
        if isinstance(stream, Detached):
            stream.detach(request, streams.settings.stream_buffer)
        if missed:
            stream.write(Chunk(b"".join(missed)))
        if isinstance(stream, Detached):
            return Departed()
        await stream.pump(response)
    except TROUBLE:
        # Its head is out: an answer that says why would stand in the middle of the stream. It comes back.
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:
        pass  # the reader has gone; it comes back with its cursor
    return response


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
    streams.roster.open(poll)
    streams.polls += 1
    try:
        return answer_json(await poll_entries(streams, poll, start, seconds))
    except LostEntries:
        return answer_json({"events": [], "cursor": str(streams.end()), "reset": "too_old"})
    finally:
        streams.polls -= 1
        streams.leave(poll)
