"""The writer: writes a user's devices on this node to the registry whenever they have changed.

Each write has the full state. Repeating it is harmless, a join and a leave within one round trip cost one write, and
a registry that has lost its data is restored by marking all users. No caller waits for a write: connections open and
close while Redis is unavailable, and are written later. The queue is bounded by the users on this node.
"""

import asyncio
import heapq
import math
from collections.abc import Callable, Sequence
from itertools import islice

import orjson
import structlog

from chat.shared.identity import is_probe
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE as REDIS_AWAY
from chat.shared.redis import Bytes, reason_of
from chat.shared.registry.connections import ConnectedUsers, UserDevices
from chat.shared.registry.lease import Lease
from chat.shared.registry.scripts import (
    CALL_SECONDS,
    HOLD,
    RegistryChannels,
    ScriptCall,
    held_key,
    run_calls,
    run_commands,
    user_key,
)
from chat.shared.registry.status_choice import Choice, read_choices

BATCH = 500
AGAIN_SECONDS = 0.25

# Slept between writes, so that changes share a round trip: 2.4 s → 0.7 s of CPU for 2,000 joins.
BREATH_SECONDS = 0.01
REFRESH_SECONDS = 60.0
CALL_MS = round(CALL_SECONDS * 1000)
log = structlog.get_logger(__name__)


class RegistryWriter:
    """The writer of a node. `holder`: the node's name in the registry; `before`: the one it had before.

    No write counts beyond the end of the node's lease, so that what a slow network delivers after the node's death
    brings back nobody.

    `moved(1 or -1)` is called when, by a write, a user went online or offline for others.
    """

    def __init__(
        self, redis: Bytes, pool: Pool, holdings: ConnectedUsers, moved: Callable[[int], None], lease: Lease
    ) -> None:
        self._channels = RegistryChannels(redis)
        self._redis, self._pool, self._connected, self._moved, self._lease = redis, pool, holdings, moved, lease
        self.holder = self.before = ""
        self.failing = False
        self._dirty: dict[int, None] = {}
        self._choices: dict[int, Choice] = {}
        self._due: list[tuple[float, int]] = []
        self._moments: dict[int, float] = {}
        self._departed: set[int] = set()
        self._wake = asyncio.Event()
        self._clock = asyncio.get_running_loop().time

    def mark(self, user_id: int) -> None:
        """Queue a user whose devices have changed."""
        self._dirty[user_id] = None
        self._wake.set()

    def set_choice(self, user_id: int, choice: Choice) -> None:
        """Queue the choice of a user who has no devices on this node: other nodes learn it from the registry."""
        self._choices[user_id] = choice
        self._wake.set()

    def waiting(self) -> int:
        """Return how many users wait to be written."""
        return len(self._dirty)

    def mark_at(self, moment: float, user_id: int) -> None:
        """Queue a user at `moment`, by the loop's clock. Only the first moment is kept.

        Each write returns when the next one is due, so that a thousand closed connections leave one entry.
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

    def set_holder(self, holder: str) -> None:
        """Write under a new holder name; queue all users again."""
        self.before, self.holder = self.holder, holder
        for user_id, held in self._connected.users.items():
            held.indexed, held.choice = False, None
            self._dirty[user_id] = None
        self._departed.clear()
        self._connected.status_counts.forget_all(self._connected.users.values())
        self._wake.set()

    async def run(self) -> None:
        """Write queued users, forever."""
        while True:
            await self._wait_until_woken()
            if not self.holder:
                continue  # Redis was unavailable at the start; without a lease, entries would be reaped
            self._take_due(self._clock())
            batch = list(islice(self._dirty, BATCH))
            for user_id in batch:
                del self._dirty[user_id]
            if (batch or self._choices) and not (await self._try_to_write(batch)):
                self._dirty |= dict.fromkeys(batch)
                await asyncio.sleep(AGAIN_SECONDS)
            await asyncio.sleep(BREATH_SECONDS)

    async def _wait_until_woken(self) -> None:
        if (self._dirty or self._choices) and self.holder:
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
                log.warning("redis unavailable, presence not written", error=reason_of(error))
            self.failing = True
        else:
            self.failing = False
        return not self.failing

    async def _write(self, batch: list[int]) -> None:
        holder, users = self.holder, self._connected.users
        batch = await self._with_choices(batch)
        # The index comes before the devices, so that a node that reaps this one finds all users.
        await self._write_index(held_key(holder), batch)
        if holder != self.holder:
            return  # all users are queued again, for the new holder
        here = [user_id for user_id in batch if user_id in users]
        late = await self._store(holder, dict.fromkeys(here, self._lease.ends))
        if late and not self._lease.failing:  # another clock than the lease's: a failover, or a server of a cluster
            late = await self._store(holder, {user_id: time + CALL_MS for user_id, time in late.items()})
        for user_id in late:
            self.mark_at(self._clock() + AGAIN_SECONDS, user_id)
        if self._choices:
            await self._write_choices(holder)

    async def _with_choices(self, batch: list[int]) -> list[int]:
        """Return the users whose chosen status is known. The others wait, because they may be invisible."""
        users = self._connected.users
        unknown = [user_id for user_id in batch if user_id in users and users[user_id].choice is None]
        try:
            choices = await read_choices(self._pool, unknown) if unknown else {}
        except POSTGRES_AWAY:
            for user_id in unknown:
                self.mark_at(self._clock() + AGAIN_SECONDS, user_id)
            return [user_id for user_id in batch if user_id not in set(unknown)]
        for user_id, choice in choices.items():
            if (held := users.get(user_id)) and held.choice is None:
                held.choice = choice
        return batch

    async def _write_index(self, key: str, batch: Sequence[int]) -> None:
        users = self._connected.users
        fresh = [user_id for user_id in batch if user_id in users and not users[user_id].indexed]
        gone = list(self._departed - users.keys())
        commands = [["SADD", key, *fresh]] if fresh else []
        commands += [["SREM", key, *gone]] if gone else []
        for outcome in await run_commands(self._redis, commands):
            if isinstance(outcome, Exception):
                raise outcome
        if key == held_key(self.holder):
            self._departed.difference_update(gone)
            for user_id in fresh:
                if user_id in users:
                    users[user_id].indexed = True

    async def _store(self, holder: str, until: dict[int, int]) -> dict[int, int]:
        """Write users, each until a time in milliseconds; return the server's time for those for whom it was over."""
        here = [(user_id, held) for user_id in until if (held := self._connected.users.get(user_id))]
        calls = [self._make_call(holder, user_id, held, until[user_id]) for user_id, held in here]
        late: dict[int, int] = {}
        for (user_id, held), outcome in zip(here, await run_calls(self._redis, calls), strict=True):
            if isinstance(outcome, int):
                late[user_id] = outcome
            else:
                self._take(user_id, held, outcome)
        return late

    def _make_call(self, holder: str, user_id: int, held: UserDevices, until: int) -> ScriptCall:
        now = self._clock()
        held.forget_gone(now)
        choice = held.choice.encode() if held.choice else b""
        channel, versions = self._channels.of_person(user_id), (held.shown_version, held.own_version)
        known = [channel, *versions, holder, held.rows(now), choice, self.before, until]
        return ScriptCall(HOLD, user_key(user_id), known)

    def _take(self, user_id: int, held: UserDevices, outcome: bytes) -> None:
        shown, own, due, holders, moved, moment = orjson.loads(outcome)
        held.note(shown, own)
        self._connected.status_counts.note(user_id, held, shown[1], holders, int(moment))
        if not is_probe(user_id):
            self._moved(moved)
        if due and due < REFRESH_SECONDS * 1000:
            self.mark_at(self._clock() + due / 1000, user_id)
        self.mark_at(held.next_end(), user_id)
        for tell in held.on_stored or ():
            tell()
        held.on_stored = None
        if not held.devices and user_id not in self._dirty:
            self._connected.forget(user_id)
            self._departed.add(user_id)

    async def _write_choices(self, holder: str) -> None:
        """Write the choices of users who have no devices on this node."""
        choices = dict(islice(self._choices.items(), BATCH))
        late = await self._send_choices(holder, choices, dict.fromkeys(choices, self._lease.ends))
        if late and not self._lease.failing:  # as in `_write`
            await self._send_choices(holder, choices, {user_id: time + CALL_MS for user_id, time in late.items()})

    async def _send_choices(self, holder: str, choices: dict[int, Choice], until: dict[int, int]) -> dict[int, int]:
        """Write choices, as `_store` writes devices."""
        calls = []
        for one, time in until.items():
            known = [self._channels.of_person(one), 0, 0, holder, b"[]", choices[one].encode(), "", time]
            calls.append(ScriptCall(HOLD, user_key(one), known))
        outcomes = dict(zip(until, await run_calls(self._redis, calls), strict=True))
        for user_id in [one for one, outcome in outcomes.items() if not isinstance(outcome, int)]:
            if self._choices.get(user_id) is choices[user_id]:
                del self._choices[user_id]
            if user_id in self._connected.users:
                self.mark(user_id)  # they connected meanwhile, and that write had their devices
        return {user_id: outcome for user_id, outcome in outcomes.items() if isinstance(outcome, int)}

    async def refresh(self) -> None:
        """Write all users again once a minute, spread evenly, so that data lost by a failover is restored."""
        turns = round(REFRESH_SECONDS)
        while True:
            for turn in range(turns):
                await asyncio.sleep(REFRESH_SECONDS / turns)
                for user_id in self._connected.users:
                    if user_id % turns == turn:
                        self.mark(user_id)
