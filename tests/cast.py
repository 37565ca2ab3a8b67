"""The cast: a node in this process, and people who talk to it over HTTP and hear its streams."""

import asyncio
import contextlib
import hashlib
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import orjson
import psycopg
from aiohttp import ClientSession, ClientTimeout, web

from chat.app import make_app
from chat.shared.settings import read_settings

SERIAL = itertools.count(1)
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the node said: the status, and the body as it came."""

    status: int
    raw: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return orjson.loads(self.raw)

    @property
    def code(self) -> str:
        """The stable word of a refusal."""
        return str(self.json["code"])


class Person:
    """Somebody with a login. Every verb is one call."""

    def __init__(self, name: str, id_: int, client: ClientSession, base: str) -> None:
        self.name, self.id, self.base = name, id_, base
        self._client = client

    async def asks(self, method: str, path: str, body: Any = None) -> Answer:
        """Any call; `body` is sent as JSON, bytes as they are."""
        data = body if isinstance(body, bytes) or body is None else orjson.dumps(body)
        headers = {"Authorization": f"Bearer {self.name}"}
        async with self._client.request(method, self.base + path, data=data, headers=headers) as response:
            return Answer(response.status, await response.read(), dict(response.headers))

    async def begins(self, kind: str, name: str = "", *others: "Person", **more: Any) -> int:
        """A conversation; its id."""
        named = {"name": name} if name else {}
        draft = {"kind": kind, "members": [other.id for other in others]} | named | more
        answer = await self.asks("POST", "/api/chat/conversations", draft)
        assert answer.status in (200, 201), answer.raw
        return int(answer.json["id"])

    async def says(self, conversation: int, body: str, client_id: str = "") -> int:
        """A message; its seq."""
        draft = {"body": body, "client_id": client_id or f"{self.name}-{next(SERIAL)}"}
        answer = await self.asks("POST", f"/api/chat/conversations/{conversation}/messages", draft)
        assert answer.status in (200, 201), answer.raw
        return int(answer.json["message"]["seq"])

    async def sees(self) -> dict[str, Any]:
        """Everything she is in, with the cursor."""
        answer = await self.asks("GET", "/api/chat/conversations")
        assert answer.status == 200, answer.raw
        seen: dict[str, Any] = answer.json
        return seen

    async def opens(self, conversation: int) -> dict[str, Any]:
        """One conversation as she sees it."""
        answer = await self.asks("GET", f"/api/chat/conversations/{conversation}")
        assert answer.status == 200, answer.raw
        seen: dict[str, Any] = answer.json
        return seen

    async def reads(self, conversation: int, query: str = "") -> dict[str, Any]:
        """A page of history."""
        answer = await self.asks("GET", f"/api/chat/conversations/{conversation}/messages{query}")
        assert answer.status == 200, answer.raw
        page: dict[str, Any] = answer.json
        return page

    def listens(self, cursor: str = "") -> "Listening":
        """An open stream, from a cursor or from now."""
        after = f"?after={cursor}" if cursor else ""
        headers = {"Authorization": f"Bearer {self.name}", "Accept": "text/event-stream"}
        return Listening(self._client, f"{self.base}/api/chat/stream{after}", headers)


class Listening:
    """A stream and what has been heard on it: `(event, data)` with the data's own bytes, beats and `ready` left out."""

    def __init__(self, client: ClientSession, url: str, headers: dict[str, str]) -> None:
        self._client, self._url, self._headers = client, url, headers
        self.heard: list[tuple[str, bytes]] = []
        self._came, self._ready = asyncio.Condition(), asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._listen())
        async with asyncio.timeout(PATIENCE):
            await self._ready.wait()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _listen(self) -> None:
        event, timeout = "message", ClientTimeout(total=None)
        async with self._client.get(self._url, headers=self._headers, timeout=timeout) as response:
            async for line in response.content:
                name, _, value = line.rstrip(b"\n").partition(b": ")
                if name == b"event":
                    event = value.decode()
                elif name == b"data":
                    await self._take(event, value)
                elif not name:
                    event = "message"

    async def _take(self, event: str, data: bytes) -> None:
        if event in ("ready", "beat"):
            self._ready.set()
            return
        async with self._came:
            self.heard.append((event, data))
            self._came.notify_all()

    async def hears(self, number: int) -> list[tuple[str, Any]]:
        """The first `number` events, decoded."""
        async with asyncio.timeout(PATIENCE), self._came:
            await self._came.wait_for(lambda: len(self.heard) >= number)
        return [(event, orjson.loads(data)) for event, data in self.heard[:number]]

    async def hears_body(self, body: str) -> list[tuple[str, Any]]:
        """Everything up to the message that says `body`, decoded."""
        mark = orjson.dumps(body)
        async with asyncio.timeout(PATIENCE), self._came:
            await self._came.wait_for(lambda: any(event == "message" and mark in data for event, data in self.heard))
        return [(event, orjson.loads(data)) for event, data in self.heard]


class Stage:
    """One node, its database, and whoever comes."""

    def __init__(self, app: web.Application, base: str, client: ClientSession, database_url: str) -> None:
        self.app, self.base, self.database_url = app, base, database_url
        self._client = client

    async def person(self, name: str, role: str = "member") -> Person:
        """Somebody new, logged in; the token is the name."""
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            made = await connection.execute(
                "insert into users (name, display_name, password_hash, role) values (%s, initcap(%s), '', %s) returning id",
                [name, name, role],
            )
            row = await made.fetchone()
            assert row is not None
            await connection.execute(
                "insert into sessions (user_id, token_hash, expires_at) values (%s, %s, now() + interval '1 day')",
                [row[0], hashlib.sha256(name.encode()).digest()],
            )
        return Person(name, row[0], self._client, self.base)

    async def asks_database(self, query: str) -> list[tuple[Any, ...]]:
        """What is really stored."""
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            return await (await connection.execute(query.encode())).fetchall()


@asynccontextmanager
async def staged(database_url: str, redis_url: str, **settings: object) -> AsyncIterator[Stage]:
    """A node in this process on a port of its own."""
    app = make_app(read_settings(database_url=database_url, redis_url=redis_url, drain_seconds=0, **settings))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        async with ClientSession() as client:
            yield Stage(app, f"http://{host}:{port}", client, database_url)
    finally:
        await runner.cleanup()
