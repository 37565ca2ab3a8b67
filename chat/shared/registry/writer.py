"""The writer: tells the registry what this node holds of a person, whenever that has changed.

It says the whole of it each time, so that repeating is harmless, a join and a leave within one round trip cost one
write, and a registry that has forgotten everything is told again by marking everybody. Nobody waits for it: opening
and closing connections goes on with Redis away, and what was not said yet is said later. Bounded by the people here.
"""

import asyncio
import heapq
import math
from collections.abc import Callable, Sequence
from itertools import islice

import orjson
import structlog

from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.postgres import Pool
from chat.shared.probes import is_probe
from chat.shared.redis import UNAVAILABLE as REDIS_AWAY
from chat.shared.redis import Bytes
from chat.shared.registry.connections import Holdings, PersonConnections
from chat.shared.registry.scripts import HOLD, PERSON, ScriptCall, held_key, person_key, run_calls, run_commands
from chat.shared.registry.status_choice import read_choices

BATCH = 500
AGAIN_SECONDS = 0.25

# What arrives meanwhile shares the next round trip: 2,000 joins cost 0.7 s of CPU in place of 2.4.
BREATH_SECONDS = 0.01
REFRESH_SECONDS = 60.0
log = structlog.get_logger(__name__)


class RegistryWriter:
    """One node's writer. `holder` is what the node calls itself in the registry, `before` what it did before that.
    `moved(1 or -1)`: by what was written others see somebody come, or go."""

    def __init__(self, redis: Bytes, pool: Pool, holdings: Holdings, moved: Callable[[int], None]) -> None:
        self._redis, self._pool, self._holdings, self._moved = redis, pool, holdings, moved
        self.holder = self.before = ""
        self.failing = False
        self._dirty: dict[int, None] = {}
        self._due: list[tuple[float, int]] = []
        self._moments: dict[int, float] = {}
        self._departed: set[int] = set()
        self._wake = asyncio.Event()
        self._clock = asyncio.get_running_loop().time

    def mark(self, user_id: int) -> None:
        """Something about this person has changed here."""
        self._dirty[user_id] = None
        self._wake.set()

    def waiting(self) -> int:
        """How many people the registry has yet to be told of."""
        return len(self._dirty)

    def mark_at(self, moment: float, user_id: int) -> None:
        """Something will have changed at `moment`, by the loop's clock; the first such moment is enough.

        At each the registry answers when the next is due, so that a thousand closings leave one entry here.
        """
        if moment >= self._moments.get(user_id, math.inf):
            return
        self._moments[user_id] = moment
        heapq.heappush(self._due, (moment, user_id))
        if self._due[0][0] == moment:
            self._wake.set()

    def _take_due(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            moment, user_id = heapq.heappop(self._due)
            self._dirty[user_id] = None
            if self._moments.get(user_id) == moment:
                del self._moments[user_id]

    def call_me(self, holder: str) -> None:
        """From now on under another name; everything has to be said again."""
        self.before, self.holder = self.holder, holder
        for user_id, held in self._holdings.people.items():
            held.indexed, held.choice = False, None
            self._dirty[user_id] = None
        self._departed.clear()
        self._wake.set()

    async def run(self) -> None:
        """Write for ever."""
        while True:
            await self._until_woken()
            if not self.holder:
                continue  # Redis was away at the start: without a lease, what we wrote would be nobody's
            self._take_due(self._clock())
            batch = list(islice(self._dirty, BATCH))
            for user_id in batch:
                del self._dirty[user_id]
            if batch and not (await self._try_to_write(batch)):
                self._dirty |= dict.fromkeys(batch)
                await asyncio.sleep(AGAIN_SECONDS)
            await asyncio.sleep(BREATH_SECONDS)

    async def _until_woken(self) -> None:
        if self._dirty and self.holder:
            return
        self._wake.clear()
        wait = self._due[0][0] - self._clock() if self._due and self.holder else None
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _try_to_write(self, batch: list[int]) -> bool:
        try:
            await self._write(batch)
        except REDIS_AWAY as error:
            if not self.failing:
                log.warning("the registry cannot be written now", error=repr(error))
            self.failing = True
        else:
            self.failing = False
        return not self.failing

    async def _write(self, batch: list[int]) -> None:
        holder, people = self.holder, self._holdings.people
        batch = await self._with_choices(batch)
        # Before its devices are there, a person is in the index: who reaps this node must find all.
        await self._write_index(held_key(holder), batch)
        here = [(user_id, people[user_id]) for user_id in batch if user_id in people]
        outcomes = await run_calls(self._redis, [self._make_call(holder, *one) for one in here])
        for (user_id, held), outcome in zip(here, outcomes, strict=True):
            self._take(user_id, held, outcome)

    async def _with_choices(self, batch: list[int]) -> list[int]:
        """Those of the batch whose choices are known; one that is not might be invisible, and has to wait."""
        people = self._holdings.people
        unknown = [user_id for user_id in batch if user_id in people and people[user_id].choice is None]
        try:
            choices = await read_choices(self._pool, unknown) if unknown else {}
        except POSTGRES_AWAY:
            for user_id in unknown:
                self.mark_at(self._clock() + AGAIN_SECONDS, user_id)
            return [user_id for user_id in batch if user_id not in set(unknown)]
        for user_id, choice in choices.items():
            if (held := people.get(user_id)) and held.choice is None:
                held.choice = choice
        return batch

    async def _write_index(self, key: str, batch: Sequence[int]) -> None:
        people = self._holdings.people
        fresh = [user_id for user_id in batch if user_id in people and not people[user_id].indexed]
        gone = list(self._departed - people.keys())
        commands = [["SADD", key, *fresh]] if fresh else []
        commands += [["SREM", key, *gone]] if gone else []
        for outcome in await run_commands(self._redis, commands):
            if isinstance(outcome, Exception):
                raise outcome
        if key == held_key(self.holder):
            self._departed.difference_update(gone)
            for user_id in fresh:
                if user_id in people:
                    people[user_id].indexed = True

    def _make_call(self, holder: str, user_id: int, held: PersonConnections) -> ScriptCall:
        now = self._clock()
        held.forget_gone(now)
        choice = held.choice.encode() if held.choice else b""
        channel, versions = b"%b%d" % (PERSON, user_id), (held.shown_version, held.own_version)
        return ScriptCall(HOLD, person_key(user_id), [channel, *versions, holder, held.rows(now), choice, self.before])

    def _take(self, user_id: int, held: PersonConnections, outcome: bytes) -> None:
        shown, own, due, holders, moved, moment = orjson.loads(outcome)
        held.note(shown, own)
        self._holdings.census.note(user_id, held, shown[1], holders, int(moment))
        if not is_probe(user_id):
            self._moved(moved)
        if due and due < REFRESH_SECONDS * 1000:
            self.mark_at(self._clock() + due / 1000, user_id)
        for tell in held.told or ():
            tell()
        held.told = None
        if not held.devices and user_id not in self._dirty:
            self._holdings.forget(user_id)
            self._departed.add(user_id)

    async def refresh(self) -> None:
        """Say everything again once a minute, spread over it: what a fail-over has lost comes back by itself."""
        turns = round(REFRESH_SECONDS)
        while True:
            for turn in range(turns):
                await asyncio.sleep(REFRESH_SECONDS / turns)
                for user_id in self._holdings.people:
                    if user_id % turns == turn:
                        self.mark(user_id)
