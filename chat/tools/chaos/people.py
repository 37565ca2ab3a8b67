"""The users of a run and the conversations they share, written with SQL because hashing passwords is slow."""

import secrets
from dataclasses import dataclass
from typing import Protocol

import psycopg

from chat.shared.identity import hash_token


class Person(Protocol):
    """A user with a session."""

    @property
    def id(self) -> int:
        """The user id."""

    @property
    def token(self) -> str:
        """The session's token."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A user of a run."""

    id: int
    token: str


async def enrol(database_url: str, count: int) -> list[Enrolled]:
    """Add `count` users, each with a session."""
    people = []
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        for n in range(count):
            name = f"chaos{n}{secrets.token_hex(4)}"
            made = await connection.execute(
                "insert into users (name, display_name, password_hash) values (%s, %s, '') returning id",
                [name, f"Person {n}"],
            )
            (user_id,) = await made.fetchone() or (0,)
            people.append(Enrolled(user_id, secrets.token_urlsafe(32)))
            await connection.execute(
                "insert into sessions (user_id, token_hash, device, expires_at)"
                " values (%s, %s, 'chaos', now() + interval '1 day')",
                [user_id, hash_token(people[-1].token)],
            )
    return people


async def share(database_url: str, people: list[Enrolled], owner: Enrolled | None = None) -> int:
    """Add a conversation with these members from its beginning; return its id."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        made = await connection.execute(
            "insert into conversations (kind, name) values ('channel', %s) returning id", [secrets.token_hex(8)]
        )
        (room,) = await made.fetchone() or (0,)
        await connection.cursor().executemany(
            "insert into memberships (conversation_id, user_id, role, since) values (%s, %s, %s, 0)",
            [(room, one.id, "owner" if one is owner else "member") for one in people],
        )
    return int(room)
