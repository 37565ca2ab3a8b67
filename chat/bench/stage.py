"""The stage: people with logins and conversations for them, made by SQL where we may, else through the API."""

import asyncio
import http.client
import secrets
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson
import psycopg

from chat.bench.trouble import BenchTrouble
from chat.shared.identity import hash_token
from chat.shared.sql import load

queries = load(__file__)

SIGN_UPS_MOST = 64  # a password's hash takes its time on purpose


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody with a login."""

    id: int
    token: str


class Stage(Protocol):
    """Who can bring people on."""

    async def enter(self, count: int) -> list[Guest]:
        """New people."""

    async def share(self, guests: list[Guest]) -> int:
        """A channel that all of them belong to; its id."""

    async def analyze(self) -> None:
        """What autovacuum does by itself soon after a table was filled: until then, plans are those for empty ones."""

    async def take_for_indexed(self) -> None:
        """What was said so far: whoever is measured next does not pay for its way into the search's index."""


class SqlStage:
    """In a database of ours."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url

    async def enter(self, count: int) -> list[Guest]:
        """New people, by the thousand."""
        batch = secrets.token_hex(4)
        tokens = [f"bench-{batch}-{n}" for n in range(count)]
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            asked = [tokens, [hash_token(token) for token in tokens]]
            rows = await (await connection.execute(queries.add_people, asked)).fetchall()
        return [Guest(user_id, token) for user_id, token in rows]

    async def share(self, guests: list[Guest]) -> int:
        """Members from the log's beginning."""
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            asked = [f"bench-{secrets.token_hex(4)}", [guest.id for guest in guests]]
            row = await (await connection.execute(queries.add_channel, asked)).fetchone()
        assert row is not None
        return int(row[0])

    async def rooms(self, guests: list[Guest], count: int) -> list[int]:
        """So many channels, all of them with these people; those that are there already count."""
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            asked = [f"room-{secrets.token_hex(4)}-", count, [guest.id for guest in guests]]
            rows = await (await connection.execute(queries.add_channels, asked)).fetchall()
            await connection.execute("analyze conversations, memberships")
        return [row[0] for row in rows]

    async def analyze(self) -> None:
        """Now."""
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            await connection.execute("analyze")

    async def take_for_indexed(self) -> None:
        """The index has come so far."""
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            await connection.execute(queries.take_for_indexed)


class ApiStage:
    """At an address."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def enter(self, count: int) -> list[Guest]:
        """They sign up; not very many, so that streams of many are of few people."""
        return [await asyncio.to_thread(self._sign_up) for _ in range(min(count, SIGN_UPS_MOST))]

    async def analyze(self) -> None:
        """What runs there does it in its own time."""

    async def take_for_indexed(self) -> None:
        """Nor is that ours to say."""

    def _sign_up(self) -> Guest:
        name = f"bench-{secrets.token_hex(6)}"
        answer = self._call("POST", "/api/accounts", {"name": name, "password": secrets.token_hex(12)})
        return Guest(answer["user"]["id"], answer["token"])

    async def share(self, guests: list[Guest]) -> int:
        """A public channel, which all join."""
        first, *others = guests
        made = self._call("POST", "/api/chat/conversations", {"kind": "channel", "name": secrets.token_hex(6)}, first)
        for guest in others:
            self._call("PUT", f"/api/chat/conversations/{made['id']}/members/me", {}, guest)
        return int(made["id"])

    def _call(self, method: str, path: str, body: object, guest: Guest | None = None) -> dict[str, Any]:
        parts = urlsplit(self._url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        access = {"Authorization": f"Bearer {guest.token}"} if guest else {}
        connection.request(method, path, orjson.dumps(body), {"Content-Type": "application/json"} | access)
        answer = connection.getresponse()
        said: dict[str, Any] = orjson.loads(answer.read() or b"{}")
        if answer.status >= 400:
            advice = "Start it with RATE_LIMITS=off SIGNUP=open STREAMS_PER_PERSON=100000, or set DATABASE_URL."
            raise BenchTrouble(f"{method} {path}: {answer.status} {said.get('detail', '')} {advice}")
        return said
