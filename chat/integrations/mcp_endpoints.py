"""Handlers of `/mcp`: the Model Context Protocol over streamable HTTP.

POST takes one JSON-RPC message and answers it. GET is a message stream whose entries are notifications, with the log's
cursors as ids. Both need a token in the Authorization header, so that no page of another site can use a cookie here.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from chat.log.entry import split_frame
from chat.messages.drafts import MESSAGE_BYTES
from chat.shared.errors import Unauthenticated
from chat.shared.identity import Member
from chat.shared.web import RATES, SETTINGS, find_bearer, read_body, require_identity
from chat.stream.endpoints import STREAMS, admit, serve_events
from chat.stream.stream import AttachedSseStream, Chunk

if TYPE_CHECKING:
    from chat.integrations.mcp_server import RpcAnswer, Subscription

SESSION, VERSION = "Mcp-Session-Id", "MCP-Protocol-Version"
SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
PRIMED_SINCE = "2025-11-25"  # the version since which clients accept an event without data
AnswerCall = Callable[[web.Application, Member, Mapping[str, str], bytes], Awaitable["RpcAnswer"]]


async def post_mcp(request: web.Request) -> web.StreamResponse:
    """Answer a JSON-RPC message. `Mcp-Session-Id` is only where a stream of the client starts; no node keeps it."""
    member = await require_program(request)
    body = await read_body(request, max(MESSAGE_BYTES, request.app[SETTINGS].max_body_bytes))
    begins = request.app[STREAMS].head()  # before the answer, so that the stream has all that the answer has not
    answer = await (await SERVER.load())(request.app, member, request.headers, body)
    if answer.subscription is not None:
        return await open_notifications(request, "", answer.subscription)
    if not answer.body:
        return web.Response(status=answer.status)
    headers = {SESSION: f"{begins}-{secrets.token_hex(8)}"} if answer.begins else {}
    return web.Response(body=answer.body, status=answer.status, content_type="application/json", headers=headers)


async def get_mcp(request: web.Request) -> web.StreamResponse:
    """Open a stream of notifications: which conversations have changed, with the messages."""
    if find_bearer(request) is None:
        raise Unauthenticated
    return await open_notifications(request, request.headers.get(SESSION, "").partition("-")[0])


async def open_notifications(
    request: web.Request, begins: str, subscription: "Subscription | None" = None
) -> web.StreamResponse:
    """Send notifications from the cursor in the header, else from `begins`, else from now on."""
    streams = request.app[STREAMS]
    member, narrow, start = await admit(request, request.app[RATES].stream, begins or None)
    if subscription is not None and not subscription.lists:
        narrow = subscription.conversations
    reader = member.user_id, member.session_id, narrow, streams.left, request, streams.settings.stream_buffer
    primed = subscription is None and request.headers.get(VERSION, "") >= PRIMED_SINCE
    return await serve_events(request, member, NotificationStream(reader, primed, subscription), start)


async def require_program(request: web.Request) -> Member:
    """Return the caller, as `require_identity` does; raise `Unauthenticated` if there is only a cookie."""
    if find_bearer(request) is None:
        raise Unauthenticated
    return await require_identity(request)


class LateServer:
    """The server of the SDK, loaded by the first request in a thread: it costs 39 MB and most of a second."""

    def __init__(self) -> None:
        self._answer: AnswerCall | None = None

    async def load(self) -> AnswerCall:
        """Return the function that answers."""
        if self._answer is None:
            self._answer = await asyncio.to_thread(import_answer)
        return self._answer


def import_answer() -> AnswerCall:
    """Import the server, and with it the SDK."""
    from chat.integrations.mcp_server import answer

    return answer


SERVER = LateServer()


# The stream: entries as notifications.

CHANGES = {b"message", b"edit", b"delete", b"finish"}  # of a conversation's messages


class NotificationStream(AttachedSseStream):
    """A message stream whose entries are notifications. `primed`: the client accepts events without data, for ids.

    `subscription`: it gets what it subscribes to; without one, everything.
    """

    __slots__ = ("_primed", "_subscription")

    def __init__(self, reader: tuple[Any, ...], primed: bool, subscription: "Subscription | None") -> None:
        super().__init__(*reader)
        self._primed, self._subscription = primed, subscription

    def form(self, chunk: Chunk) -> bytes:
        """Return the notifications for the entries in a chunk."""
        return b"".join([self._translate(split_frame(frame)) for frame in chunk.raw.split(b"\n\n") if frame])

    def _translate(self, frame: Mapping[bytes, bytes]) -> bytes:
        """Return the notification for an entry; empty for one that changes neither messages nor the conversations."""
        event, data, asked = frame.get(b"event", b"message"), frame.get(b"data", b"null"), self._subscription
        if event in (b"ready", b"beat"):
            return self._greet(frame, is_first=event == b"ready")
        meta: dict[str, Any] = {"tandem/event": event.decode(), "tandem/data": orjson.Fragment(data)}
        meta |= {SUBSCRIPTION: asked.request_id} if asked else {}
        if event in CHANGES:
            conversation_id = orjson.loads(data)["conversation"]
            if asked and conversation_id not in asked.conversations:
                return b""
            params = {"uri": f"tandem://conversations/{conversation_id}", "_meta": meta}
            return encode_notification("resources/updated", params, frame.get(b"id"))
        if asked and not asked.lists:
            return b""
        if event in (b"conversation", b"reset") or (event == b"member" and orjson.loads(data)["user"] == self.user_id):
            return encode_notification("resources/list_changed", {"_meta": meta}, frame.get(b"id"))
        return b""

    def _greet(self, frame: Mapping[bytes, bytes], *, is_first: bool) -> bytes:
        """Return a sign of life, with the cursor for clients that keep it."""
        retry = b"retry: %b\n" % frame[b"retry"] if b"retry" in frame else b""
        if is_first and self._subscription:
            return retry + b"data: %b\n\n" % self._subscription.acknowledgment
        return retry + (b"data:\nid: %b\n\n" % frame[b"id"] if self._primed else b": here\n\n")


def encode_notification(name: str, params: dict[str, Any], cursor: bytes | None) -> bytes:
    """Return an event with a notification. Its id comes last, as in all events of the log."""
    data = orjson.dumps({"jsonrpc": "2.0", "method": f"notifications/{name}", "params": params})
    return b"data: %b\nid: %b\n\n" % (data, cursor) if cursor else b"data: %b\n\n" % data
