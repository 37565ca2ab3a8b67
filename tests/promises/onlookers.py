"""Users with open sockets, and watchers on another node that record every change they receive."""

import asyncio
import os
from collections import Counter
from dataclasses import dataclass, field

import psycopg

from chat.shared.identity import hash_token
from tests.cast import Cast, Person
from tests.presence.presence_client import PresenceClient, opens_presence
from tests.waiting import eventually

SOCKETS = int(os.environ.get("PROMISE_SOCKETS", "250"))
AT_ONCE = 100
WATCHED = 500  # by one socket


@dataclass
class PresenceCrowd:
    """`people` have open sockets (in `open`, by user), and `watchers` watch all of them."""

    people: list[Person]
    watchers: list[PresenceClient]
    open: dict[int, PresenceClient] = field(default_factory=dict)

    async def fill(self, url: str) -> None:
        """Open a socket for every user at this node, a few at a time."""
        turn = asyncio.Semaphore(AT_ONCE)

        async def enter(person: Person) -> None:
            async with turn:
                person.at = url
                self.open[person.id] = await opens_presence(person)

        await asyncio.gather(*map(enter, self.people))

    def shown(self) -> Counter[str]:
        """Return how many users are shown with each status."""
        return Counter(record["status"] for viewer in self.watchers for record in viewer.people.values())

    async def all_shown(self, status: str, limit: float = 30.0) -> None:
        """Wait until all users are shown with this status."""
        await eventually(lambda: self.shown() == {status: len(self.people)}, limit)

    def changes(self) -> set[tuple[str, ...]]:
        """Return the different sequences of statuses that users went through."""
        return {tuple(statuses) for viewer in self.watchers for statuses in viewer.seen.values()}

    async def empties(self) -> None:
        """Close all sockets."""
        await asyncio.gather(*(viewer.leaves() for viewer in [*self.open.values(), *self.watchers]))


async def enrol(cast: Cast, count: int) -> list[Person]:
    """Put many users into one conversation at once; the first of them are the watchers."""
    async with await psycopg.AsyncConnection.connect(cast.database_url, autocommit=True) as connection:
        made = await connection.execute(
            "insert into users (name, display_name, password_hash)"
            " select 'p' || n, 'p', '' from generate_series(1, %s) n returning id",
            [count],
        )
        ids = [row[0] for row in await made.fetchall()]
        digests = [hash_token(f"token {user_id}") for user_id in ids]
        await connection.execute(
            "insert into sessions (user_id, token_hash, expires_at)"
            " select *, now() + interval '1 day' from unnest(%s::bigint[], %s::bytea[])",
            [ids, digests],
        )
        room = await connection.execute("insert into conversations (kind, name) values ('channel', 'all') returning id")
        (room_id,) = await room.fetchone() or (0,)
        await connection.execute(
            "insert into memberships (conversation_id, user_id, since) select %s, unnest(%s::bigint[]), 0",
            [room_id, ids],
        )
    return [Person(cast.http, "", f"p{user_id}", user_id, f"token {user_id}") for user_id in ids]


async def presence_crowd(cast: Cast, url: str, count: int = SOCKETS) -> PresenceCrowd:
    """Yield so many users without connections, and watchers at this node, whose snapshots show all users offline."""
    watching = -(-count // WATCHED)
    people = await enrol(cast, count + watching)
    crowd = PresenceCrowd(people[watching:], [])
    for n, watcher in enumerate(people[:watching]):
        watcher.at = url
        viewer = await opens_presence(watcher)
        crowd.watchers.append(viewer)
        await viewer.watches(*crowd.people[n * WATCHED : (n + 1) * WATCHED])
    await crowd.all_shown("offline")
    return crowd
