"""The cast: ana, ben, chloe and mallory, who post and listen through the real API."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import psycopg
from psycopg.abc import Params
from psycopg.rows import TupleRow

from chat.model.conversation import name_keys
from chat.shared.identity import hash_token
from tests.stream_client import StreamClient
from tests.waiting import eventually

ENROL = """
with enrolled as (
    insert into users (name, display_name, password_hash, role) values (%s, %s, '', %s) returning id
)
insert into sessions (user_id, token_hash, device, expires_at)
select id, %s, 'test', now() + interval '1 day' from enrolled returning user_id
"""
LOG_IN = """
insert into sessions (user_id, token_hash, device, expires_at)
values (%s, %s, 'test', now() + interval '1 day') returning user_id
"""
SHARE = """
with shared as (
    insert into conversations (kind, name, look_key, skeleton)
    values ('channel', %(name)s, %(look_key)s, %(skeleton)s) returning id
), members as (
    insert into memberships (conversation_id, user_id, since)
    select id, unnest(%(members)s::bigint[]), 0 from shared
)
select id from shared
"""


class Person:
    """A user with a session. `at`: the node for the next call; `headers`: sent with each call, and with streams."""

    def __init__(self, http: aiohttp.ClientSession, at: str, name: str, user_id: int, token: str) -> None:
        self._http, self.at, self.name, self.id, self.token = http, at, name, user_id, token
        self.readers: list[StreamClient] = []
        self.headers: dict[str, str] = {}

    async def call(self, method: str, path: str, json: Any = None, **kwargs: Any) -> tuple[int, Any]:
        """Make one API call; return `(status, decoded body)`."""
        status, body, _ = await self.asks(method, path, json, **kwargs)
        return status, body

    async def asks(self, method: str, path: str, json: Any = None, **kwargs: Any) -> tuple[int, Any, Mapping[str, str]]:
        """Make one API call; return the headers too."""
        headers = {"Authorization": f"Bearer {self.token}", **self.headers, **kwargs.pop("headers", {})}
        async with self._http.request(method, self.at + path, json=json, headers=headers, **kwargs) as answer:
            body = await answer.json(content_type=None) if await answer.read() else None
            return answer.status, body, answer.headers

    async def says(self, conversation: int, body: str, client_id: str | None = None, **kwargs: Any) -> dict[str, Any]:
        """Post a message, which must be stored; return it."""
        draft = {"body": body, "client_id": client_id or uuid.uuid4().hex}
        status, answer = await self.call("POST", f"/api/chat/conversations/{conversation}/messages", draft, **kwargs)
        assert status in (200, 201), answer
        return answer["message"]  # type: ignore[no-any-return]

    async def listens(
        self, after: str = "", *, last_event_id: str = "", conversations: str = "", ready: bool = True
    ) -> StreamClient:
        """Open a stream, and wait until it is ready (or refused)."""
        query = {"after": after, "conversations": conversations}
        text = "&".join(f"{name}={value}" for name, value in query.items() if value)
        resumed = {"Last-Event-ID": last_event_id} if last_event_id else {}
        headers = {"Authorization": f"Bearer {self.token}", **self.headers, **resumed}
        reader = StreamClient(self._http, f"{self.at}/api/chat/stream?{text}", headers)
        self.readers.append(reader)
        if ready:
            await eventually(lambda: reader.named("ready") or reader.closed)
        return reader


class Cast:
    """Creates users by their names."""

    def __init__(self, database_url: str, at: str, http: aiohttp.ClientSession) -> None:
        self.database_url, self._at, self.http = database_url, at, http
        self.people: list[Person] = []
        self._connection: psycopg.AsyncConnection[TupleRow] | None = None
        self._turn = asyncio.Lock()

    async def enters(self, *names: str, role: str = "member") -> list[Person]:
        """Create users with a session each, by SQL, because hashing a password takes time on purpose."""
        return [await self._enrol(name, role) for name in names]

    async def _enrol(self, name: str, role: str) -> Person:
        token = f"token-of-{name}-{uuid.uuid4().hex}"
        user_id = await self._write(ENROL, [name, name.title(), role, hash_token(token)])
        person = Person(self.http, self._at, name, user_id, token)
        self.people.append(person)
        return person

    async def renews(self, person: Person) -> None:
        """Give a user a new session, because the last one may have ended."""
        person.token = f"token-of-{person.name}-{uuid.uuid4().hex}"
        await self._write(LOG_IN, [person.id, hash_token(person.token)])

    async def share(self, *people: Person, name: str | None = None) -> int:
        """Create a conversation with these members from the start; return its id."""
        named = {"name": name or uuid.uuid4().hex}
        members = {"members": [person.id for person in people]}
        return await self._write(SHARE, named | name_keys("channel", named["name"]) | members)

    async def close(self) -> None:
        """Close all streams, and the connection."""
        for person in self.people:
            for reader in person.readers:
                await reader.cuts_wire()
        if self._connection:
            await self._connection.close()

    async def _write(self, statement: str, values: Params) -> int:
        """Run a statement and return the id that it makes, on one connection: a new one costs 20 ms in a new database,
        of which it knows no table. It is opened again if the server has closed it."""
        async with self._turn:
            try:
                return await self._run(statement, values)
            except psycopg.OperationalError:
                if self._connection and not self._connection.closed:
                    raise
                return await self._run(statement, values)

    async def _run(self, statement: str, values: Params) -> int:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(self.database_url, autocommit=True)
        row = await (await self._connection.execute(statement, values)).fetchone()
        assert row is not None
        return int(row[0])


@asynccontextmanager
async def casting(database_url: str, at: str) -> AsyncIterator[Cast]:
    """Yield a cast, and close all its streams at the end."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout()) as http:
        cast = Cast(database_url, at, http)
        try:
            yield cast
        finally:
            await cast.close()
