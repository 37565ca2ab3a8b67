"""The crowd: guests who read and watch each other, some who talk, some who come and go, and a door with a keeper."""

import asyncio
import itertools
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import aiohttp

from chat.shared.tasks import Tasks
from chat.tools.chaos.checker import OVERHEARD, Violation
from chat.tools.chaos.clients import AGAIN, ChaosPoster, ChaosReader, EventCache, Onlooker
from chat.tools.chaos.environment import Rig
from chat.tools.chaos.history import Key, PostReceipt, RunHistory, read_messages, read_stays
from chat.tools.chaos.network import Proxy
from chat.tools.chaos.people import Enrolled, Person, enrol, share

# A guest: one person with a device that reads the stream and keeps presence the whole time, or has gone home.

PAUSE, SILENCE = 1.0, 13.0  # seconds: between attempts; two beats missed


class SimulatedUser:
    """One of the people, by way of the balancer or of the bad `wifi`; here `since` a moment of the monotonic clock."""

    def __init__(
        self,
        number: int,
        person: Enrolled,
        rig: Rig,
        wifi: Proxy | None,
        watched: Sequence[int],
        http: aiohttp.ClientSession,
        history: RunHistory,
        events: EventCache,
        tasks: Tasks,
    ) -> None:
        self.name, self.person, self.here = f"guest {number}", person, True
        self.since = time.monotonic()
        port = wifi.port if wifi else rig.balancer.port
        self.reader = ChaosReader(self.name, person.token, lambda: port, history, events, tasks)
        self.reader.pause, self.reader.patience = PAUSE, SILENCE
        self.onlooker = Onlooker(person, http, lambda: f"http://127.0.0.1:{port}", watched, tasks)

    @property
    def ready(self) -> bool:
        """Is all open that should be?"""
        return not self.here or (self.reader.ready and self.onlooker.ready)

    async def goes(self) -> None:
        """Home: both channels close."""
        self.here = False
        await asyncio.gather(self.reader.stops(), self.onlooker.stops())

    def comes(self) -> None:
        """Back, with the cursor of before."""
        self.here, self.since = True, time.monotonic()
        self.reader.begins()
        self.onlooker.begins()


ROOM, WATCHED = 20, 15  # people in a small room; whom each of them watches
WIFI = 8  # every eighth guest is on the bad network
TALK = (0.3, 1.0)  # seconds between two messages of one who talks
WANDER = (1.0, 4.0)  # between two who go home
AWAY = (3.0, 30.0)


class Crowd:
    """`history`: what all of them saw; `delays`: of the last deliveries, in seconds from the first attempt to post."""

    def __init__(self, rig: Rig, http: aiohttp.ClientSession, tasks: Tasks, chance: random.Random) -> None:
        self._rig, self._http, self._tasks, self._chance = rig, http, tasks, chance
        self.history, self.guests, self.posters = RunHistory(), list[SimulatedUser](), list[ChaosPoster]()
        self.rooms: list[int] = []
        self._people: list[Enrolled] = []
        self.doorkeeper: Doorkeeper
        self.begun: dict[Key, float] = {}
        self.delays: deque[float] = deque(maxlen=20_000)
        self.kept_delays: list[float] = []
        self.talking = self.wandering = True
        self.tired: list[SimulatedUser] = []  # gone, and back only when all has been seen to be calm
        self._numbers = itertools.count(1)
        self._talks: list[asyncio.Task[None]] = []

    async def gathers(self, count: int, talkers: int) -> None:
        """So many people, of whom `talkers` talk: one large room, small ones, and one whose members change."""
        url = self._rig.postgres.url
        people = self._people = await enrol(url, count)
        small = [people[at : at + ROOM] for at in range(0, count, ROOM)]
        self.rooms = [await share(url, people)] + [await share(url, room) for room in small]
        door = people[: min(count, 2 * ROOM)]
        doorway = await share(url, door, people[0])  # as the others, before anybody reads: no entry tells of it
        events = EventCache()
        for n, person in enumerate(people):
            neighbours = [one.id for one in small[n // ROOM] if one is not person]
            watched = self._chance.sample(neighbours, min(WATCHED, len(neighbours)))
            wifi = self._rig.wifi if n % WIFI == WIFI - 1 else None
            who = n, person, self._rig, wifi, watched
            self.guests.append(SimulatedUser(*who, self._http, self.history, events, self._tasks))
            self.guests[-1].reader.heard = partial(self._note, self.guests[-1]) if n < ROOM else None
        self.posters = [self._poster(f"talker{n}", people[n * count // talkers]) for n in range(talkers)]
        keeper = self._poster("keeper", people[0])
        self.doorkeeper = Doorkeeper(keeper, doorway, door[1:], self._http, self._chance)
        self.posters.append(keeper)

    def _poster(self, name: str, person: Person, url: str = "") -> ChaosPoster:
        poster = ChaosPoster(name, person, self.rooms[0], lambda: url or self._rig.balancer.url, self.history)
        poster.pause, poster.patience = 0.3, 8.0
        return poster

    def _note(self, guest: SimulatedUser, receipt: PostReceipt) -> None:
        """What he missed at home is no delay; what he missed while he was cut off is."""
        begun = self.begun.get(receipt.message.key, 0.0)
        if begun > guest.since:
            self.delays.append(time.monotonic() - begun)

    def lives(self) -> None:
        """From now on people talk, come and go."""
        for poster in self.posters[:-1]:
            everybody, own = self.rooms_of(self.number_of(poster))
            rooms = [everybody, own, own, own]
            self._talks.append(self._tasks.start(f"{poster.name} talks", self._talk(poster, rooms)))
        self._talks.append(self._tasks.start("the door is kept", self.doorkeeper.keep(lambda: self.talking)))
        self._tasks.start("people come and go", self._wander())

    async def _talk(self, poster: ChaosPoster, rooms: list[int]) -> None:
        while self.talking:
            await poster.say(self._http, self._chance.choice(rooms), self.begun)
            await asyncio.sleep(self._chance.uniform(*TALK))

    async def _wander(self) -> None:
        due: list[tuple[float, SimulatedUser]] = []
        while True:
            await asyncio.sleep(self._chance.uniform(*WANDER))
            if not self.wandering:
                continue
            for moment, guest in [one for one in due if one[0] < time.monotonic()]:
                due.remove((moment, guest))
                if not guest.here:
                    guest.comes()
            guest = self._chance.choice(self.guests)
            if guest.here:  # the tired are not, and are not in `due` either
                await guest.goes()
                due.append((time.monotonic() + self._chance.uniform(*AWAY), guest))

    async def posts_at_once(self, urls: list[str], count: int) -> None:
        """One post, so many times in the same moment, to these nodes in turn."""
        poster = self.posters[0]
        draft = next(self._numbers)
        twins = [self._poster(f"twin{draft}", poster.person, urls[n % len(urls)]) for n in range(count)]
        await asyncio.wait_for(asyncio.gather(*(twin.post(self._http) for twin in twins)), 120)

    def come_back(self) -> None:
        """Those who had enough."""
        for guest in self.tired:
            if not guest.here:
                guest.comes()
        self.tired.clear()

    def all_come(self) -> None:
        """Whoever is at home, for the last word."""
        for guest in self.guests:
            if not guest.here:
                guest.comes()
        self.tired.clear()

    async def set_fence(self) -> dict[int, int]:
        """A last message to everybody: streams are in the order of the log, so who has it has all that was before."""
        _, message = await self.posters[-1].say(self._http, self.rooms[0])
        return {self.rooms[0]: message.seq}

    async def stops_talking(self, limit: float) -> int:
        """The last message of everybody; how many were not acknowledged in time."""
        self.talking = self.wandering = False
        _, late = await asyncio.wait(self._talks, timeout=limit)
        return len(late)

    def number_of(self, poster: ChaosPoster) -> int:
        """Which guest this is."""
        return next(n for n, person in enumerate(self._people) if person.id == poster.person.id)

    def rooms_of(self, number: int) -> tuple[int, int]:
        """Where this guest always is: the large room and his small one."""
        return self.rooms[0], self.rooms[1 + number // ROOM]

    def last_seqs(self) -> dict[int, int]:
        """The number of the last acknowledged message in each conversation."""
        last: dict[int, int] = {}
        for message, *_ in self.history.acknowledged.values():
            last[message.conversation] = max(message.seq, last.get(message.conversation, 0))
        return last

    def lagging(self, wanted: dict[int, int]) -> list[SimulatedUser]:
        """Guests who have not got as far as `wanted` in the rooms that they are always in."""
        return [
            guest
            for n, guest in enumerate(self.guests)
            if guest.here and any(guest.reader.seqs.get(room, 0) < wanted.get(room, 0) for room in self.rooms_of(n))
        ]

    async def reads_the_truth(self) -> None:
        """From the database, past every bad network: the messages, and who was a member when."""
        await read_messages(self._rig.postgres.url, self.history)
        readers = [(guest.name, guest.person.id) for guest in self.guests]
        await read_stays(self._rig.postgres.url, self.history, readers)


@asynccontextmanager
async def crowd_of(rig: Rig, count: int, talkers: int, chance: random.Random, tasks: Tasks) -> AsyncIterator[Crowd]:
    """A crowd that has gathered; it leaves at the end."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout()) as http:
        crowd = Crowd(rig, http, tasks, chance)
        try:
            await crowd.gathers(count, talkers)
            yield crowd
        finally:
            await tasks.stop()


# A door: people are removed from a conversation and added again, and what is said meanwhile is not for them.

PROBE_PAUSE = (0.2, 1.5)
TRY_SECONDS = 8.0
DONE = {200, 201, 204, 404}


class Doorkeeper:
    """`keeper` owns `room`. `outside`: `(person, number)` of messages said while the keeper knew him to be outside;
    `surprises`: answers that he should never have got."""

    def __init__(
        self,
        keeper: ChaosPoster,
        room: int,
        people: Sequence[Enrolled],
        http: aiohttp.ClientSession,
        chance: random.Random,
    ) -> None:
        self.room, self.changes = room, 0
        self.outside: list[tuple[int, int]] = []
        self.surprises: list[tuple[int, str]] = []
        # whom a request is still under way for, perhaps, that nobody answered: a node may wake up and carry it out
        self._unclear: set[int] = set()
        self._keeper, self._people, self._http, self._chance = keeper, people, http, chance

    async def keep(self, going: Callable[[], bool]) -> None:
        """One out, a word among those who are left, and in again."""
        while going():
            person = self._chance.choice(self._people)
            await self._insist("DELETE", person)
            _, message = await self._keeper.say(self._http, self.room)
            if person.id not in self._unclear:
                self.outside.append((person.id, message.seq))
            await self._insist("PUT", person)
            await self._keeper.say(self._http, self.room)
            self.changes += 1
            await asyncio.sleep(self._chance.uniform(*PROBE_PAUSE))

    async def _insist(self, method: str, person: Enrolled) -> None:
        """Until it is acknowledged; removing who is not there any more is done already."""
        while await self._try(method, person) not in DONE:  # noqa: ASYNC110 (nobody tells when it is back)
            await asyncio.sleep(0.3)

    async def _try(self, method: str, person: Enrolled) -> int:
        url = f"{self._keeper.url}/api/chat/conversations/{self.room}/members/{person.id}"
        headers = {"Authorization": f"Bearer {self._keeper.person.token}"}
        patience = aiohttp.ClientTimeout(total=TRY_SECONDS)
        body: dict[str, str] | None = {} if method == "PUT" else None
        try:
            async with self._http.request(method, url, headers=headers, timeout=patience, json=body) as answer:
                if answer.status in (502, 504):  # the balancer's: it lost the node that was asked
                    self._unclear.add(person.id)
                if answer.status not in DONE | AGAIN:
                    self.surprises.append((answer.status, (await answer.text())[:500]))
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            self._unclear.add(person.id)
            return 0


def find_eavesdroppers(
    outside: Sequence[tuple[int, int]], room: int, history: RunHistory, readers: dict[int, str]
) -> list[Violation]:
    """Who received what was said while the keeper knew him to be outside."""
    got = {
        (name, receipt.message.seq)
        for name in readers.values()
        for receipt in history.received[name]
        if receipt.message.conversation == room
    }
    return [
        Violation(OVERHEARD, readers[user_id], (room, seq))
        for user_id, seq in outside
        if user_id in readers and (readers[user_id], seq) in got
    ]
