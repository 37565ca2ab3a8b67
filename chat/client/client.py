"""An asyncio client of Tandem: log in, post, and follow the stream across lost connections.

::

    async with Client("https://chat.example") as client:
        await client.log_in("ana", "correct horse battery")
        snapshot = await client.call("GET", "/api/chat/conversations")
        await client.post(12, "The build is green.")
        async for entry in client.stream(snapshot["cursor"]):
            if entry.event == "message":
                print(entry.json()["body"])

A client with an API key logs in nowhere: `Client(url, "tk_…")`. Text that is produced while it is read::

    async with client.stream_message(12) as message:
        await message.append("The build ")
        await message.append("is green.")

Promises, the same as those of the TypeScript client in `web/client`:

- `stream` yields every log entry addressed to the user exactly once and in order, whatever happens to the connection.
  The cursor is sent as `Last-Event-ID`; entries that are not beyond it are dropped.
- `post` retries with the same `client_id` until the server has answered, so a message is never stored twice.
- `stream_message` retries each append at its offset, so no character is stored twice and none is skipped.
- Reconnects and retries wait a random part of a span that doubles up to 30 seconds, and never less than `Retry-After`.
- A connection that is silent for longer than two beats of the server is replaced.

`chat.client.socket_client` has a client that does the same over one WebSocket. The stream does not fall back to
long-polling, as the TypeScript client does in a browser.
"""

import asyncio
import random
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlencode

import aiohttp
import orjson

from chat.client.sse import EVENT_MOST, EventParser, StreamEvent
from chat.client.streaming import MessageWriter

CONNECT_SECONDS = 8.0
SILENCE_SECONDS = 40.0  # the server sends a beat every 15 s
ANSWER_SECONDS = 30.0
FIRST_SPAN, LONGEST_SPAN = 1.0, 30.0
NOTICES = ("ready", "beat", "reset", "bye")
ReadSnapshot = Callable[[str], Awaitable[str]]


class ApiProblem(Exception):
    """The server refused a request (RFC 9457), or could not be reached (`status` 0, `code` "unreachable")."""

    def __init__(self, status: int, document: Mapping[str, Any], retry_after: float = 0.0) -> None:
        self.status, self.document, self.retry_after = status, document, retry_after
        self.code = str(document.get("code") or f"http_{status}")
        super().__init__(str(document.get("detail") or f"The server answered {status}."))

    @property
    def is_temporary(self) -> bool:
        """True if the same request may succeed later: no connection, rate limited, overloaded, draining."""
        return self.status in (0, 408, 429) or self.status >= 500


class StreamReset(Exception):
    """The cursor is too old or of another log. Read the conversations again and continue from their cursor."""


class ConnectionReplaced(Exception):
    """A stream ended, or was silent for too long. `stream` opens the next one."""


class StreamPosition(NamedTuple):
    """A position in the log, written `<epoch>.<position>`."""

    epoch: str
    position: int


def parse_cursor(text: str) -> StreamPosition | None:
    """Return the cursor in an event's id, None if it is none."""
    epoch, _, position = text.rpartition(".")
    return StreamPosition(epoch, int(position)) if epoch and position.isascii() and position.isdigit() else None


class Backoff:
    """Spans of random waits: exponential with full jitter."""

    def __init__(self, first: float = FIRST_SPAN, longest: float = LONGEST_SPAN) -> None:
        self.first, self.longest = first, longest
        self.failures = 0

    def next_wait(self, retry_after: float = 0.0) -> float:
        """Return the seconds before the next attempt."""
        span = min(self.longest, self.first * 2 ** min(self.failures, 30))
        self.failures += 1
        return retry_after + random.uniform(0, span)

    def reset(self) -> None:
        """Start again with the first span: an attempt has succeeded."""
        self.failures = 0


def bearer(token: str) -> dict[str, str]:
    """Return the header with a token."""
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def open_stream(
    http: aiohttp.ClientSession,
    url: str,
    identity: Mapping[str, str],
    cursor: str = "",
    silence: float = SILENCE_SECONDS,
    conversations: str = "",
) -> AsyncIterator[AsyncIterator[StreamEvent]]:
    """Open one connection to the stream and yield its events as they come, notices and repeats included.

    `identity`: headers that name the user. `conversations` narrows it, like "12,15". Raise `ApiProblem` if the server
    refuses, and what aiohttp raises when the connection is lost. Use it for what must be seen as it arrives, such as a
    probe; everything else uses `Client.stream`.
    """
    headers = {**identity} | ({"Last-Event-ID": cursor} if cursor else {})
    timeout = aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS, sock_read=silence)
    query = {"conversations": conversations} if conversations else {}
    async with http.get(f"{url}/api/chat/stream", params=query, headers=headers, timeout=timeout) as response:
        if response.status != 200:
            raise await read_problem(response)
        yield read_events(response)


async def read_events(response: aiohttp.ClientResponse) -> AsyncIterator[StreamEvent]:
    """Yield the events in the body of a response."""
    parser = EventParser(EVENT_MOST)
    async for piece in response.content.iter_any():
        for event in parser.feed(piece):
            yield event


async def read_problem(response: aiohttp.ClientResponse) -> ApiProblem:
    """Return the problem in an unsuccessful response, also when a proxy answered instead of the server."""
    document: Any = None
    with suppress(orjson.JSONDecodeError):
        document = orjson.loads(await response.read())
    return ApiProblem(response.status, document if isinstance(document, dict) else {}, seconds_after(response.headers))


def seconds_after(headers: Mapping[str, str] | None) -> float:
    """Return the seconds in `Retry-After`, 0 without it."""
    seconds = (headers or {}).get("Retry-After", "")
    return float(seconds) if seconds.isascii() and seconds.isdigit() else 0.0


def unreachable(error: BaseException) -> ApiProblem:
    """Return the problem of a request without an answer."""
    return ApiProblem(0, {"code": "unreachable", "detail": f"The server cannot be reached: {error!r}"})


async def persist(call: Callable[[], Awaitable[Any]], longest: float, accept: Sequence[str] = ()) -> Any:
    """Make a call that may be repeated, until the server has answered; return the answer.

    Return the problem document if its `code` is in `accept`; raise `ApiProblem` for what no retry can change.
    """
    backoff = Backoff(FIRST_SPAN / 4, longest)
    while True:
        try:
            return await call()
        except ApiProblem as problem:
            if problem.code in accept:
                return problem.document
            if not problem.is_temporary:
                raise
            await asyncio.sleep(backoff.next_wait(problem.retry_after))


class Client:
    """A user's connection to the server at `url`. Use it as an asynchronous context manager.

    `token` is an API key, a JSON Web Token, or the token of a session that exists already; `log_in` gets a new one.
    `cursor` is how far `stream` came. `longest_wait` limits the random waits between attempts. `conversations` narrows
    the stream, like "12,15". `user`: for whom an API key with the scope `act-as` acts, by id or like "ext:u-17".
    """

    def __init__(
        self, url: str, token: str = "", longest_wait: float = LONGEST_SPAN, conversations: str = "", user: str = ""
    ) -> None:
        self.url, self.token, self.cursor = url.rstrip("/"), token, ""
        self.user, self._conversations = user, conversations
        self._longest = longest_wait
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()

    @property
    def http(self) -> aiohttp.ClientSession:
        """The HTTP session, for requests of your own."""
        assert self._http is not None, "use the client in `async with`"
        return self._http

    @property
    def identity(self) -> dict[str, str]:
        """The headers that name the user."""
        token = bearer(self.token) if self.token else {}
        return token | ({"Tandem-User": quote(self.user, safe=":")} if self.user else {})

    async def log_in(self, name: str, password: str, device: str = "Python") -> dict[str, Any]:
        """Start a session and return the user; raise `ApiProblem` if the name or the password is wrong.

        An account with a second factor gets a `ApiProblem` too, whose `document` has the challenge.
        """
        answer = await self.call("POST", "/api/sessions", {"name": name, "password": password, "device": device})
        self.token = answer["token"]
        user: dict[str, Any] = answer["user"]
        return user

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """Make one request and return the decoded answer; raise `ApiProblem` if there is none or it is no success."""
        headers, limit = self.identity, aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        try:
            async with self.http.request(method, self.url + path, json=body, headers=headers, timeout=limit) as answer:
                if answer.status >= 400:
                    raise await read_problem(answer)
                data = await answer.read()
                return orjson.loads(data) if data else None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(error) from error

    async def post(self, conversation: int, body: str, client_id: str = "", **fields: Any) -> dict[str, Any]:
        """Post a message and return it. Retry until the server has answered; the message is stored once.

        `client_id` names the message; pass the same one to continue a post of an earlier process. `fields` are further
        fields of the message, such as `thread`, `files` or `data`. Raise `ApiProblem` for what no retry can change.
        Retries never give up by themselves: use `asyncio.timeout` around the call.
        """
        draft = {"body": body, "client_id": client_id or uuid.uuid4().hex, **fields}
        message: dict[str, Any] = (await self.command("post", conversation, draft))["message"]
        return message

    async def command(
        self, name: str, conversation: int, fields: dict[str, Any], accept: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Do what the command "post", "append" or "finish" of the message socket does, as `insist` does it."""
        path = f"/api/chat/conversations/{conversation}/messages"
        if "seq" in fields:
            path += f"/{fields['seq']}/{name}"
        body = {field: value for field, value in fields.items() if field != "seq"}
        return dict(await self.insist("POST", path, body, accept))

    async def insist(self, method: str, path: str, body: Any = None, accept: Sequence[str] = ()) -> Any:
        """Make a request until the server has answered, as `persist` does; return the decoded answer."""
        return await persist(lambda: self.call(method, path, body), self._longest, accept)

    async def messages(self, conversation: int, **where: Any) -> dict[str, Any]:
        """Return a page of the history, `{messages, has_before, has_after}`. Without `where` it is the latest one.

        `where`: `type`, `limit`, and `before`, `after` or `around` with a seq. Raise `ApiProblem`.
        """
        path = f"/api/chat/conversations/{conversation}/messages?{urlencode(where)}"
        return dict(await self.call("GET", path))

    def stream_message(
        self, conversation: int, source: AsyncIterator[str] | None = None, client_id: str = "", **fields: Any
    ) -> MessageWriter:
        """Return a message to write piece by piece, in `async with`; or await it to send all of `source`.

        The block's end finishes the message. A reader's request to stop cancels it: `append` raises `MessageStopped`,
        which the block catches, and an awaited source is closed. The message is "failed" after any other exception.
        """
        draft = {"body": "", "streaming": True, "client_id": client_id or uuid.uuid4().hex, **fields}
        return MessageWriter(self, conversation, draft, source)

    async def begin_watch(self) -> str | None:
        """Return from where `wait_for_stop` looks for requests to stop, None if the key may not read."""
        end = await self.insist("GET", "/api/chat/stream?poll=0", accept=("missing_scope",))
        return str(end["cursor"]) if "cursor" in end else None

    async def wait_for_stop(self, conversation: int, seq: int, since: str) -> None:
        """Wait until a reader asks the author of a streamed message to stop."""
        async with aclosing(self.entries_of(conversation, since)) as entries:
            async for entry in entries:
                if entry.event == "stop" and entry.json()["seq"] == seq:
                    return

    async def entries_of(self, conversation: int, cursor: str) -> AsyncGenerator[StreamEvent, None]:
        """Yield the entries of one conversation after the cursor, on a connection and with a cursor of their own.

        After a reset, continue from the end of the log.
        """
        other = Client(self.url, self.token, self._longest, str(conversation), self.user)
        other._http = self.http

        async def read_end(_: str) -> str:
            return str((await self.insist("GET", "/api/chat/stream?poll=0"))["cursor"])

        async with aclosing(other.stream(cursor, read_end)) as entries:
            async for entry in entries:
                yield entry

    async def stream(
        self, cursor: str = "", read_snapshot: ReadSnapshot | None = None
    ) -> AsyncGenerator[StreamEvent, None]:
        """Yield the entries after `cursor`, each once and in order, until the caller stops iterating.

        Without a cursor the stream starts at the end of the log. After a reset, `read_snapshot(reason)` must read what
        the caller needs again, and return the cursor to continue from; without it, `StreamReset` is raised. Raises
        `ApiProblem` if the server refuses for good, such as 401 after the session has ended.
        """
        self.cursor, backoff = cursor or self.cursor, Backoff(longest=self._longest)
        while True:
            wait = 0.0
            try:
                async with aclosing(self._read_connection(backoff)) as events:
                    async for event in events:
                        yield event
            except StreamReset as reset:
                if read_snapshot is None:
                    raise
                self.cursor = await read_snapshot(str(reset))
            except ConnectionReplaced:
                wait = backoff.next_wait()
            except ApiProblem as problem:
                if not problem.is_temporary:
                    raise
                wait = backoff.next_wait(problem.retry_after)
            await asyncio.sleep(wait)

    def _open_events(self) -> AbstractAsyncContextManager[AsyncIterator[StreamEvent]]:
        """Open a connection at the cursor, as `open_stream` does."""
        where = self.http, self.url, self.identity, self.cursor
        return open_stream(*where, conversations=self._conversations)

    async def _read_connection(self, backoff: Backoff) -> AsyncGenerator[StreamEvent, None]:
        """Yield the new entries of one connection; raise how it ended."""
        try:
            async with self._open_events() as events:
                async for event in events:
                    if event.retry is not None:
                        backoff.first = event.retry / 1000
                    if event.event in NOTICES:
                        self._note(event, backoff)
                    elif self._advance(event.id):
                        yield event
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ConnectionReplaced from error
        raise ConnectionReplaced

    def _note(self, notice: StreamEvent, backoff: Backoff) -> None:
        """Act on what the stream says about itself."""
        if notice.event == "reset":
            raise StreamReset(notice.json()["reason"])
        if notice.event == "bye":
            raise ConnectionReplaced(notice.json()["reason"])
        if notice.event == "ready":
            backoff.reset()
        # After a fail-over of PostgreSQL, the server resumes from the same position under another epoch.
        if notice.event == "ready" and notice.json()["resumed"]:
            self.cursor = notice.id
        # A stream that could not resume is ready at the end of the log, and its reset follows: do not skip to there.
        if notice.event == "beat" or not self.cursor:
            self._advance(notice.id)

    def _advance(self, event_id: str) -> bool:
        """Move the cursor to an id; return False if it is not beyond the cursor, raise for an id of another log."""
        now, then = parse_cursor(event_id), parse_cursor(self.cursor)
        if now is None or (then is not None and now.epoch != then.epoch):
            raise StreamReset("other_epoch")
        if then is not None and now.position <= then.position:
            return False
        self.cursor = event_id
        return True
