"""The users of a run: they read, watch each other, post, and come and go; some are removed and added again."""

import asyncio
import itertools
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import aiohttp

from chat.local.haproxy import Balancer
from chat.shared.tasks import Tasks
from chat.tools.chaos.authors import ChaosAuthor, HookReceiver, QueueProducer
from chat.tools.chaos.checker import OVERHEARD, Violation
from chat.tools.chaos.clients import AGAIN, ChaosPoster, ChaosReader, EventCache, PresenceClient
from chat.tools.chaos.environment import Enrolled, Environment, Person, enrol, log_in_again, share
from chat.tools.chaos.history import (
    DATABASE,
    Key,
    Place,
    PostReceipt,
    RunHistory,
    read_messages,
    read_queued,
    read_stays,
)
from chat.tools.chaos.network import Proxy

PAUSE, SILENCE = 1.0, 13.0  # seconds between attempts; seconds of silence, two missed beats


class SimulatedUser:
    """A user with one device. Each attempt to connect goes to the next of `addresses`.

    `here` says whether the device is online, and `since` when that began by the monotonic clock.
    """

    def __init__(
        self,
        number: int,
        person: Enrolled,
        addresses: Iterator[Balancer | Proxy],
        watched: Sequence[int],
        http: aiohttp.ClientSession,
        history: RunHistory,
        events: EventCache,
        tasks: Tasks,
    ) -> None:
        self.name, self.person, self.here = f"user {number}", person, True
        self.since = time.monotonic()
        self.reader = ChaosReader(self.name, person.token, lambda: next(addresses).port, history, events, tasks)
        self.reader.pause, self.reader.patience = PAUSE, SILENCE
        self.presence = PresenceClient(person, http, lambda: f"http://127.0.0.1:{next(addresses).port}", watched, tasks)

    @property
    def ready(self) -> bool:
        """True if every connection that should be open is ready."""
        return not self.here or (self.reader.ready and self.presence.ready)

    async def goes(self) -> None:
        """Go offline: close both channels."""
        self.here = False
        await asyncio.gather(self.reader.stops(), self.presence.stops())

    def comes(self) -> None:
        """Come online again, with the cursor from before."""
        self.here, self.since = True, time.monotonic()
        self.reader.begins()
        self.presence.begins()


SMALL, WATCHED = 20, 15  # users in a small conversation; how many of them each user watches
HOOKED = 2  # small conversations with a hook
WIFI = 8  # every eighth user is on the bad network
TALK = (0.3, 1.0)  # seconds between two messages of a poster
AUTHORS, MESSAGES_MOST = 20, 3  # one of so many users, but at least two, streams up to three messages at once
WANDER = (1.0, 4.0)  # between two users that go offline
AWAY = (3.0, 30.0)


class Crowd:
    """All users. `history` is what they saw; `delays` the seconds from a first attempt to post to each receipt."""

    def __init__(
        self, environment: Environment, http: aiohttp.ClientSession, tasks: Tasks, chance: random.Random
    ) -> None:
        self._environment, self._http, self._tasks, self._chance = environment, http, tasks, chance
        self.history, self.users, self.posters = RunHistory(), list[SimulatedUser](), list[ChaosPoster]()
        self.authors: list[ChaosAuthor] = []
        self.conversations: list[int] = []
        self._people: list[Enrolled] = []
        self.membership_probe: MembershipProbe
        self.begun: dict[Key, float] = {}
        self.delays: deque[float] = deque(maxlen=20_000)
        self.kept_delays: list[float] = []
        self.talking = self.wandering = True
        self.producer = QueueProducer(environment.broker.url if environment.broker else "", self.history)
        self.receiver = HookReceiver(self.history, http)
        self.resting: list[SimulatedUser] = []  # offline until the next checkpoint has passed
        self._balancers: Iterator[Balancer | Proxy] = itertools.cycle(environment.balancers)
        self._wifi: Iterator[Balancer | Proxy] = itertools.cycle(environment.wifi)
        self._numbers = itertools.count(1)
        self._talks: list[asyncio.Task[None]] = []

    async def gathers(self, count: int, talkers: int, idle: float) -> None:
        """Add `count` users, of whom `talkers` post. A streamed message ends after `idle` seconds of silence.

        They share one large conversation, a small one each, and one whose members change. Some have a hook.
        """
        url = self._environment.database_url
        people = self._people = await enrol(url, count)
        small = [people[at : at + SMALL] for at in range(0, count, SMALL)]
        self.conversations = [await share(url, people)] + [await share(url, members, members[0]) for members in small]
        members = people[: min(count, 2 * SMALL)]
        changing = await share(url, members, people[0])  # before anyone reads, as the others: no entry announces it
        for n, conversation in enumerate(self.conversations[1 : 1 + HOOKED]):
            await self.receiver.follow(self._poster(f"owner{n}", small[n][0]), conversation)
        events = EventCache()
        for n, person in enumerate(people):
            neighbours = [one.id for one in small[n // SMALL] if one is not person]
            watched = self._chance.sample(neighbours, min(WATCHED, len(neighbours)))
            addresses = self._wifi if n % WIFI == WIFI - 1 else self._balancers
            who = n, person, addresses, watched
            self.users.append(SimulatedUser(*who, self._http, self.history, events, self._tasks))
            self.users[-1].reader.heard = partial(self._note, self.users[-1]) if n < SMALL else None
        self.posters = [self._poster(f"talker{n}", people[n * count // talkers]) for n in range(talkers)]
        authors = max(2, count // AUTHORS)
        self.authors = [self._author(n, (n * count // authors) | 1, idle) for n in range(authors)]
        keeper = self._poster("keeper", people[0])
        self.membership_probe = MembershipProbe(keeper, changing, members[1:], self._http, self._chance)
        self.posters.append(keeper)

    def _poster(self, name: str, person: Person, url: str = "") -> ChaosPoster:
        poster = ChaosPoster(
            name, person, self.conversations[0], lambda: url or next(self._balancers).url, self.history
        )
        poster.pause, poster.patience = 0.3, 8.0
        return poster

    def _author(self, n: int, number: int, idle: float) -> ChaosAuthor:
        """Return an author with an odd number. The user before them, of the same small conversation, asks to stop."""
        poster, asker = self._poster(f"author{n}", self._people[number]), self._poster("", self._people[number - 1])
        reader, nodes = self.users[number].reader, self._environment.nodes
        urls, again = (lambda: [node.url for node in nodes.values()]), partial(self._log_in, poster)
        return ChaosAuthor(poster, reader, asker, urls, self.history, idle, self._chance, again)

    async def _log_in(self, poster: ChaosPoster) -> ChaosPoster:
        """Return a poster of the same user with a session of its own."""
        person = await log_in_again(self._environment.database_url, poster.person.id)
        other = self._poster(f"{poster.name}.{next(self._numbers)}", person)
        other.refusals, other.surprises = poster.refusals, poster.surprises
        return other

    def _note(self, user: SimulatedUser, receipt: PostReceipt) -> None:
        """Note the delay of a receipt, unless the user was offline when the message was posted."""
        begun = self.begun.get(receipt.message.key, 0.0)
        if begun > user.since:
            self.delays.append(time.monotonic() - begun)

    def lives(self) -> None:
        """Start posting, and start going offline and online."""
        for poster in self.posters[:-1]:
            large, own = self.conversations_of(self.number_of(poster))
            conversations = [large, own, own, own]
            self._talks.append(self._tasks.start(f"{poster.name} talks", self._talk(poster, conversations)))
        for author in self.authors:
            self._talks.append(self._tasks.start(f"{author.poster.name} writes", self._write(author)))
        self._talks.append(
            self._tasks.start("members are removed and added", self.membership_probe.keep(lambda: self.talking))
        )
        self._tasks.start("users go offline and online", self._wander())
        if self._environment.broker:
            producing = self.producer.produce(lambda: self.talking, self._choose_queued)
            self._talks.append(self._tasks.start("messages are put into the queue", producing))

    def _choose_queued(self) -> tuple[int, int]:
        """Return a conversation and one of its members, for a message of the queue."""
        number = self._chance.randrange(len(self._people))
        return self._chance.choice(self.conversations_of(number)), self._people[number].id

    async def has_queued_posts(self) -> bool:
        """Return whether every message that the broker has confirmed is stored."""
        return self.producer.confirmed <= await read_queued(self._environment.database_url)

    async def _talk(self, poster: ChaosPoster, conversations: list[int]) -> None:
        while self.talking:
            await poster.say(self._http, self._chance.choice(conversations), self.begun)
            await asyncio.sleep(self._chance.uniform(*TALK))

    async def _write(self, author: ChaosAuthor) -> None:
        large, own = self.conversations_of(self.number_of(author.poster))
        while self.talking:
            at_once = self._chance.choices([large, own, own, own], k=self._chance.randint(1, MESSAGES_MOST))
            await asyncio.gather(*(author.write(self._http, one, lambda: self.talking) for one in at_once))
            await asyncio.sleep(self._chance.uniform(*TALK))

    async def _wander(self) -> None:
        due: list[tuple[float, SimulatedUser]] = []
        while True:
            await asyncio.sleep(self._chance.uniform(*WANDER))
            if not self.wandering:
                continue
            for moment, user in [one for one in due if one[0] < time.monotonic()]:
                due.remove((moment, user))
                if not user.here:
                    user.comes()
            user = self._chance.choice(self.users)
            if user.here:  # those in `resting` are offline, and are not in `due`
                await user.goes()
                due.append((time.monotonic() + self._chance.uniform(*AWAY), user))

    async def posts_at_once(self, urls: list[str], count: int) -> None:
        """Send the same post `count` times at the same moment, to these nodes in turn."""
        poster = self.posters[0]
        draft = next(self._numbers)
        twins = [self._poster(f"twin{draft}", poster.person, urls[n % len(urls)]) for n in range(count)]
        await asyncio.wait_for(asyncio.gather(*(twin.post(self._http) for twin in twins)), 120)

    def come_back(self) -> None:
        """Bring the users online that went offline when their node was killed."""
        for user in self.resting:
            if not user.here:
                user.comes()
        self.resting.clear()

    def all_come(self) -> None:
        """Bring every user online for the final check."""
        for user in self.users:
            if not user.here:
                user.comes()
        self.resting.clear()

    async def set_fence(self) -> dict[int, int]:
        """Post a last message to everyone, and one in each conversation with a hook; return their numbers.

        Streams follow the order of the log, so a reader that has them has everything before them.
        """
        last = {conversation: owner for conversation, (owner, _) in self.receiver.hooks.items()}
        last[self.conversations[0]] = self.posters[-1]
        said = await asyncio.gather(*(poster.say(self._http, conversation) for conversation, poster in last.items()))
        return {message.conversation: message.seq for _, message in said}

    async def stops_talking(self, limit: float) -> int:
        """Stop posting; return how many users got no acknowledgement within `limit` seconds."""
        self.talking = self.wandering = False
        _, late = await asyncio.wait(self._talks, timeout=limit)
        return len(late)

    def number_of(self, poster: ChaosPoster) -> int:
        """Return the number of the poster's user."""
        return next(n for n, person in enumerate(self._people) if person.id == poster.person.id)

    def all_posters(self) -> list[ChaosPoster]:
        """Return the posters, and those that authors, their readers and the owners of hooks use."""
        owners = [owner for owner, _ in self.receiver.hooks.values()]
        return [*self.posters, *owners, *(one for author in self.authors for one in (author.poster, author.asker))]

    def conversations_of(self, number: int) -> tuple[int, int]:
        """Return the conversations this user is always in: the large one and a small one."""
        return self.conversations[0], self.conversations[1 + number // SMALL]

    def last_seqs(self) -> dict[int, int]:
        """Return the number of the last acknowledged message in each conversation."""
        last: dict[int, int] = {}
        for message, *_ in self.history.acknowledged.values():
            last[message.conversation] = max(message.seq, last.get(message.conversation, 0))
        return last

    def lagging(self, wanted: dict[int, int]) -> list[SimulatedUser]:
        """Return the users that have not received up to `wanted` in the conversations they are always in."""
        return [user for n, user in enumerate(self.users) if user.here and self._is_behind(n, wanted)]

    def _is_behind(self, number: int, wanted: dict[int, int]) -> bool:
        seqs = self.users[number].reader.seqs
        return any(seqs.get(one, 0) < wanted.get(one, 0) for one in self.conversations_of(number))

    def growing(self, before: float) -> list[tuple[str, Place]]:
        """Return `(user, message)` of messages whose author died before this time and that have not ended there."""
        dead = [place for place, written in self.history.written.items() if 0 < written.left < before]
        return [
            (user.name, place)
            for n, user in enumerate(self.users)
            for place in dead
            if user.here and place[0] in self.conversations_of(n) and not self.history.texts[user.name][place].state
        ]

    async def reads_database(self) -> None:
        """Read the messages and the memberships from the database, past every bad network."""
        await read_messages(self._environment.database_url, self.history)
        for receipt in self.history.received[DATABASE]:
            if receipt.message.key in self.producer.confirmed:
                self.history.acknowledge(receipt.message.key, receipt.message, made=True)
        readers = [(user.name, user.person.id) for user in self.users]
        await read_stays(self._environment.database_url, self.history, readers)


@asynccontextmanager
async def crowd_of(
    environment: Environment, count: int, talkers: int, idle: float, chance: random.Random, tasks: Tasks
) -> AsyncIterator[Crowd]:
    """Yield a crowd whose users are added, as `gathers` does; stop their tasks at the end."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout()) as http:
        crowd = Crowd(environment, http, tasks, chance)
        async with crowd.receiver.serves():
            try:
                await crowd.gathers(count, talkers, idle)
                yield crowd
            finally:
                await tasks.stop()


# Members are removed from a conversation and added again; what is posted meanwhile is not for them.

PROBE_PAUSE = (0.2, 1.5)
TRY_SECONDS = 8.0
DONE = {200, 201, 204, 404}


class MembershipProbe:
    """Removes members and adds them again; messages posted in between are not for them.

    `keeper` owns `conversation`. `outside` holds `(user, number)` of messages posted while that user was certainly
    removed; `surprises` holds answers that no request should get.
    """

    def __init__(
        self,
        keeper: ChaosPoster,
        conversation: int,
        people: Sequence[Enrolled],
        http: aiohttp.ClientSession,
        chance: random.Random,
    ) -> None:
        self.conversation, self.changes = conversation, 0
        self.outside: list[tuple[int, int]] = []
        self.surprises: list[tuple[int, str]] = []
        # users with an unanswered request that a node may still carry out when it thaws
        self._unclear: set[int] = set()
        self._keeper, self._people, self._http, self._chance = keeper, people, http, chance

    async def keep(self, going: Callable[[], bool]) -> None:
        """Remove a member, post, add the member again, post; repeat while `going()` is true."""
        while going():
            person = self._chance.choice(self._people)
            await self._insist("DELETE", person)
            _, message = await self._keeper.say(self._http, self.conversation)
            if person.id not in self._unclear:
                self.outside.append((person.id, message.seq))
            await self._insist("PUT", person)
            await self._keeper.say(self._http, self.conversation)
            self.changes += 1
            await asyncio.sleep(self._chance.uniform(*PROBE_PAUSE))

    async def _insist(self, method: str, person: Enrolled) -> None:
        """Retry until acknowledged; removing a user who is not a member counts as done."""
        while await self._try(method, person) not in DONE:  # noqa: ASYNC110 (no signal says when it is back)
            await asyncio.sleep(0.3)

    async def _try(self, method: str, person: Enrolled) -> int:
        url = f"{self._keeper.url}/api/chat/conversations/{self.conversation}/members/{person.id}"
        headers = {"Authorization": f"Bearer {self._keeper.person.token}"}
        patience = aiohttp.ClientTimeout(total=TRY_SECONDS)
        body: dict[str, str] | None = {} if method == "PUT" else None
        try:
            async with self._http.request(method, url, headers=headers, timeout=patience, json=body) as answer:
                if answer.status in (502, 504):  # from the balancer: it lost the node that had the request
                    self._unclear.add(person.id)
                if answer.status not in DONE | AGAIN:
                    self.surprises.append((answer.status, (await answer.text())[:500]))
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            self._unclear.add(person.id)
            return 0


def find_overhearing(
    outside: Sequence[tuple[int, int]], conversation: int, history: RunHistory, readers: dict[int, str]
) -> list[Violation]:
    """Return a violation for each message that a user received while they were removed."""
    got = {
        (name, receipt.message.seq)
        for name in readers.values()
        for receipt in history.received[name]
        if receipt.message.conversation == conversation
    }
    return [
        Violation(OVERHEARD, readers[user_id], (conversation, seq))
        for user_id, seq in outside
        if user_id in readers and (readers[user_id], seq) in got
    ]
