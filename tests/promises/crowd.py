"""A crowd: many readers and posters that run all the time, and the history of what they received."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import aiohttp

from chat.client.node_process import NodeProcess
from chat.shared.tasks import Tasks
from chat.tools.chaos.checker import Violation, check
from chat.tools.chaos.clients import ChaosPoster, ChaosReader, EventCache
from chat.tools.chaos.history import RunHistory, read_messages
from tests.cast import Cast, Person
from tests.waiting import eventually


class Crowd:
    """A crowd spread over `nodes`: reader or poster number n uses the next live node after the n-th."""

    def __init__(self, cast: Cast, http: aiohttp.ClientSession, nodes: list[NodeProcess]) -> None:
        self._cast, self.http, self.nodes = cast, http, nodes
        self.history, self._events, self._tasks = RunHistory(), EventCache(), Tasks()
        self.people: list[Person] = []
        self.rooms: list[int] = []
        self.readers: list[ChaosReader] = []
        self.posters: list[ChaosPoster] = []

    async def gathers(self, *, readers: int, posters: int) -> None:
        """Add twenty users in three overlapping conversations, with devices that read and devices that post."""
        self.people = await self._cast.enters(*(f"person{n}" for n in range(20)))
        members = [self.people, self.people[::2], self.people[:10]]
        self.rooms = [await self._cast.share(*people) for people in members]
        for n in range(readers):
            self.adds_reader(f"reader {n}", self.people[n % 20], n)
        for n in range(posters):
            there = members[n % 3]
            self.adds_poster(there[n % len(there)], self.rooms[n % 3], n)
        await self.is_ready()

    def adds_reader(self, name: str, person: Person, n: int = 0) -> ChaosReader:
        """Add a device that reads."""
        for room in self.rooms_of(person):
            self.history.stay(name, room)
        reader = ChaosReader(name, person.token, lambda: self.node(n).port, self.history, self._events, self._tasks)
        self.readers.append(reader)
        return reader

    def adds_poster(self, person: Person, room: int, n: int = 0) -> ChaosPoster:
        """Add a device that posts, under a name of its own."""
        poster = ChaosPoster(f"poster{n}", person, room, lambda: self.node(n).url, self.history)
        self.posters.append(poster)
        return poster

    def rooms_of(self, person: Person) -> list[int]:
        """Return the user's conversations."""
        n = self.people.index(person)
        return [room for room, there in zip(self.rooms, (True, n % 2 == 0, n < 10), strict=True) if there]

    def node(self, n: int) -> NodeProcess:
        """Return the node that number n uses now."""
        alive = [node for node in self.nodes if node.alive() and not node.draining]
        return alive[n % len(alive)] if alive else self.nodes[n % len(self.nodes)]

    async def is_ready(self, limit: float = 30.0) -> None:
        """Wait until every reader is connected."""
        await eventually(lambda: all(reader.ready for reader in self.readers), limit)

    def starts_posting(self, pause: float) -> None:
        """Let every poster post one message after the other."""
        for poster in self.posters:
            poster.keeps_posting(self.http, pause, self._tasks)

    async def finishes(self, database_url: str, limit: float = 30.0) -> list[Violation]:
        """Stop the posters, let the readers catch up, and return the checker's findings. The database counts as a
        reader too."""
        await asyncio.gather(*(poster.finishes() for poster in self.posters))
        wanted = last_seqs(self.history)
        caught_up = partial(has_caught_up, self.history, wanted=wanted)
        try:
            for reader in self.readers:
                await eventually(partial(caught_up, reader), limit)
        except AssertionError:
            late = [self.tell(reader) for reader in self.readers if not caught_up(reader)]
            print(f"{len(late)} readers have not caught up with {wanted}:", *late[:5], sep="\n")
            raise
        assert [reader.garbage for reader in self.readers if reader.garbage] == []
        assert [poster.surprises for poster in self.posters if poster.surprises] == []
        await read_messages(database_url, self.history)
        return check(self.history)

    def tell(self, reader: ChaosReader) -> str:
        """Describe the crowd's state, for the message of a test that waits too long."""
        got = [(one.position, one.message.conversation, one.message.seq) for one in self.history.received[reader.name]]
        ways = f"{len(reader.starts)} starts, refused {reader.refusals}, byes {reader.byes}, silent {reader.silences}"
        return f"{reader.name}: ready {reader.ready}, at {reader.cursor}, {ways}, got {got[-5:]}"


def has_caught_up(history: RunHistory, reader: ChaosReader, wanted: dict[int, int]) -> bool:
    """Return whether the reader has the last message of each of its conversations."""
    return all(reader.seqs.get(room, 0) >= wanted.get(room, 0) for room in history.stays[reader.name])


def last_seqs(history: RunHistory) -> dict[int, int]:
    """Return the number of the last acknowledged message in each conversation."""
    last: dict[int, int] = {}
    for message, *_ in history.acknowledged.values():
        last[message.conversation] = max(message.seq, last.get(message.conversation, 0))
    return last


@asynccontextmanager
async def crowd_of(cast: Cast, nodes: list[NodeProcess], *, readers: int, posters: int) -> AsyncIterator[Crowd]:
    """A crowd that is ready. All its connections close at the end."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        crowd = Crowd(cast, http, nodes)
        try:
            await crowd.gathers(readers=readers, posters=posters)
            yield crowd
        finally:
            await asyncio.gather(*(reader.stops() for reader in crowd.readers))
            await asyncio.gather(*(poster.leaves() for poster in crowd.posters))
