"""The reaper removes the presence entries of nodes that died or left. Any live node may do it, in batches; it is
announced once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import orjson
import structlog

from chat.shared.redis import UNAVAILABLE, Bytes, reason_of
from chat.shared.registry.scripts import (
    CLAIM,
    COUNTS,
    LEASES,
    PEOPLE,
    REAP,
    RegistryChannels,
    ScriptCall,
    held_key,
    run_call,
    run_calls,
    run_commands,
    user_key,
    user_of_key,
)

BATCH = 500
CLAIM_MS = 5_000
LEFT, EARLY = 2, 3  # claim.lua: the node stopped in order, and its linger is over; it died, but may be heard once more
RECONCILE_SECONDS = 300.0

# Slept after every 500 users: a pass over 100,000 takes 10 s longer, and delays no other call.
PAUSE_SECONDS = 0.05
log = structlog.get_logger(__name__)


class Reaper:
    """Removes entries of dead nodes (`reaped` counts their users), of nodes that stopped in order (`left`), and entries
    without a lease (`ghosts`).

    `patience`: seconds within which all live nodes register again after Redis lost data. `moved(-1)`: a user went
    offline for others.
    """

    def __init__(self, redis: Bytes, patience: float, moved: Callable[[int], None]) -> None:
        self._redis, self._patience, self._moved = redis, patience, moved
        self._channels = RegistryChannels(redis)
        self.reaped = self.left = self.ghosts = 0
        self._registered = asyncio.Event()
        self._dead: dict[str, None] = {}
        self._wake = asyncio.Event()
        self.holder = ""

    def set_holder(self, holder: str) -> None:
        """Note that this node has registered, at its start or after the registry lost it."""
        self.holder = holder
        self._registered.set()

    def report_expired(self, holders: Iterable[str]) -> None:
        """Queue nodes whose leases have expired."""
        self._dead |= dict.fromkeys(holders)
        if self._dead:
            self._wake.set()

    async def run(self) -> None:
        """Reap queued nodes, forever. A node that could not be reaped is reported again at the next beat."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            dead, self._dead = self._dead, {}
            for holder in dead:
                try:
                    await self.reap(holder)
                except UNAVAILABLE as error:
                    log.warning("redis unavailable, dead node not reaped", holder=holder, error=reason_of(error))

    async def reap(self, holder: str) -> None:
        """Remove all entries of a node that died or left, and last its lease.

        If this stops half-way, another node continues. A lease that stays is reported again at the next beat.
        """
        claim = await run_call(self._redis, ScriptCall(CLAIM, LEASES, [holder, self.holder, CLAIM_MS]))
        if not claim:
            return
        index, users = held_key(holder), 0
        if claim == EARLY:
            whole, index = index, f"{index}:early"  # what was written last is found by the whole index
            await self._ask("SUNIONSTORE", index, whole)
            await self._ask("PEXPIRE", index, 10 * CLAIM_MS)
        while user_ids := await self._ask("SRANDMEMBER", index, BATCH):
            found = await self._reap_users([int(user_id) for user_id in user_ids], [holder])
            await self._count_reaped(0 if claim == LEFT else found)
            await self._ask("SREM", index, *user_ids)
            users += found
        if claim != EARLY:
            await self._ask("HDEL", LEASES, holder)
        if claim == LEFT:
            self.left += users
            log.info("removed the entries of a node that left", holder=holder, users=users)
        else:
            self.reaped += users
            log.info("reaped a dead node", holder=holder, users=users)

    async def keep_reconciling(self) -> None:
        """Reconcile after every loss, and otherwise every few minutes; only the first of all nodes does.

        A node that dies before it has noticed a loss is in no list of leases, so its entries would stay.
        """
        while True:
            await self._wait_until_due()
            try:
                if self.holder and self.holder == await self._first_node() and (ghosts := await self.reconcile()):
                    log.warning("removed presence entries without a lease", users=ghosts)
            except UNAVAILABLE as error:
                log.warning("redis unavailable, presence entries not reconciled", error=reason_of(error))

    async def _wait_until_due(self) -> None:
        try:
            async with asyncio.timeout(RECONCILE_SECONDS):
                await self._registered.wait()
        except TimeoutError:
            return
        while self._registered.is_set():
            self._registered.clear()
            await asyncio.sleep(self._patience)

    async def _first_node(self) -> str:
        leases = [orjson.loads(record) for record in await self._ask("HVALS", LEASES)]
        now = max((lease["heard"] for lease in leases), default=0)  # by the server's clock, as all of them are
        return min((str(lease["holder"]) for lease in leases if lease["until"] > now), default="")

    async def reconcile(self) -> int:
        """Remove all entries without a lease; return how many users had any.

        A node acquires its lease before it writes entries. So an entry that existed before the leases were read, and
        whose holder has none, belongs to no live node. If this node's own lease is missing, Redis has lost data
        meanwhile: stop, because entries of live nodes would be removed.
        """
        ghosts = 0
        async for user_ids in self._all_users():
            names = await run_commands(self._redis, [["HKEYS", user_key(user_id)] for user_id in user_ids])
            known = {holder.decode() for holder in await self._ask("HKEYS", LEASES)}
            if self.holder not in known:
                break
            for user_id, fields in zip(user_ids, names, strict=True):
                if unknown := holders_in(fields) - known:
                    ghosts += await self._reap_users([user_id], sorted(unknown))
            await asyncio.sleep(PAUSE_SECONDS)
        self.ghosts += ghosts
        if ghosts:
            await self._count_reaped(ghosts)
            await self._ask("HINCRBY", COUNTS, "ghosts", ghosts)
        return ghosts

    async def _all_users(self) -> AsyncIterator[list[int]]:
        batch = []
        async for key in self._redis.scan_iter(match=PEOPLE, count=BATCH):
            batch.append(user_of_key(key))
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    async def _reap_users(self, user_ids: list[int], holders: list[str]) -> int:
        calls = [ScriptCall(REAP, user_key(one), [self._channels.of_person(one), 0, 0, *holders]) for one in user_ids]
        outcomes = await run_calls(self._redis, calls)
        for _, moved in outcomes:
            self._moved(moved)
        return sum(1 for found, _ in outcomes if found)

    async def _count_reaped(self, users: int) -> None:
        if users:
            await self._ask("HINCRBY", COUNTS, "reaped", users)

    async def _ask(self, *command: Any) -> Any:
        (outcome,) = await run_commands(self._redis, [command])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def holders_in(fields: Iterable[bytes] | Exception) -> set[str]:
    """Return the holders of a user's devices, from the field names of the user's hash; none if reading it failed."""
    return set() if isinstance(fields, Exception) else {name[2:].decode() for name in fields if name.startswith(b"h:")}
