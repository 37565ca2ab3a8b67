"""A client of the presence socket that keeps every frame, so that tests can check what was received."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from chat.api_schema.asyncapi import SOCKET_FRAMES
from tests.cast import Person
from tests.waiting import LIMIT, eventually

Json = dict[str, Any]


class PresenceClient:
    """An open socket of a user. `people`: the latest record of each user; `seen`: the sequence of their statuses."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.frames: list[Json] = []
        self.people: dict[int, Json] = {}
        self.seen: dict[int, list[str]] = {}
        self._task = asyncio.ensure_future(self._look())

    async def _look(self) -> None:
        async for message in self.socket:
            if message.type != aiohttp.WSMsgType.TEXT:
                continue  # a ping, where the test leaves it unanswered
            frame = orjson.loads(message.data)
            self.frames.append(frame)
            for record in frame.get("users", ()) if frame["type"] in ("snapshot", "presence") else ():
                known = self.people.get(record["id"])
                if known is None or known["version"] < record["version"]:
                    self.people[record["id"]] = record
                    if known is None or known["status"] != record["status"]:
                        self.seen.setdefault(record["id"], []).append(record["status"])

    async def says(self, kind: str, **fields: Any) -> None:
        """Send a signal."""
        await self.socket.send_str(orjson.dumps({"type": kind, **fields}).decode())

    def named(self, kind: str) -> list[Json]:
        """Return the frames of this type."""
        return [frame for frame in self.frames if frame["type"] == kind]

    async def gets(self, kind: str, count: int = 1, limit: float = LIMIT) -> Json:
        """Wait for so many frames of this type; return the last one."""
        await eventually(lambda: len(self.named(kind)) >= count, limit)
        return self.named(kind)[count - 1]

    async def watches(self, *people: Person, conversations: tuple[int, ...] = ()) -> list[Json]:
        """Watch these users, wait for the snapshot, and return its records: those that are known within 2 s."""
        before = len(self.named("snapshot"))
        await self.says("watch", users=[person.id for person in people], conversations=list(conversations))
        return list((await self.gets("snapshot", before + 1))["users"]) if people else []

    async def knows(self, *people: Person, conversations: tuple[int, ...] = ()) -> list[Json]:
        """Watch these users until all are known, and return their records. Those of a slow registry come later."""
        await self.watches(*people, conversations=conversations)
        await eventually(lambda: all(person.id in self.people for person in people))
        return [self.people[person.id] for person in people]

    async def sees(self, person: Person, status: str, limit: float = LIMIT) -> None:
        """Wait until this user has this status."""
        await eventually(lambda: self.people.get(person.id, {}).get("status") == status, limit)

    async def closes(self, limit: float = LIMIT) -> int:
        """Wait until the server has closed; return the code."""
        await eventually(lambda: self._task.done(), limit)
        return self.socket.close_code or 0

    async def cuts_wire(self) -> None:
        """Cut the connection without a goodbye."""
        connection = self.socket._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        await self.leaves()

    async def leaves(self) -> None:
        """Close the socket, and check that all frames match their description."""
        await self.socket.close()
        await asyncio.gather(self._task, return_exceptions=True)
        for frame in self.frames:
            if frame["type"] != "stats":
                SOCKET_FRAMES[frame["type"]].model_validate(frame)


async def opens_presence(person: Person, *, query: str = "", greeted: bool = True, **kwargs: Any) -> PresenceClient:
    """Open a socket and wait for its hello."""
    headers = {} if query else {"Authorization": f"Bearer {person.token}", **person.headers}
    socket = await person._http.ws_connect(f"{person.at}/api/presence/socket{query}", headers=headers, **kwargs)
    watcher = PresenceClient(socket)
    if greeted:
        await watcher.gets("hello")
    return watcher


@asynccontextmanager
async def open_presence(person: Person) -> AsyncIterator[PresenceClient]:
    """Do what `opens_presence` does, and close the socket at the end of the block."""
    watcher = await opens_presence(person)
    try:
        yield watcher
    finally:
        await watcher.leaves()
