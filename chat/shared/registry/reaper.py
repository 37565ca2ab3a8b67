"""The reaper: what a dead node held is held no more. Any survivor does it, in batches; the scripts announce it once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import orjson
import structlog

from chat.shared.redis import UNAVAILABLE, Bytes
from chat.shared.registry.scripts import (
    CLAIM,
    COUNTS,
    LEASES,
    PEOPLE,
    PERSON,
    REAP,
    ScriptCall,
    held_key,
    person_key,
    person_of,
    run_call,
    run_calls,
    run_commands,
)

BATCH = 500
CLAIM_MS = 5_000
RECONCILE_SECONDS = 300.0

# After each 500 people: a look through 100,000 takes 10 s more, and slows nobody.
PAUSE_SECONDS = 0.05
log = structlog.get_logger(__name__)


class Reaper:
    """One node's part in it. `reaped`: how many people it has reaped of dead nodes, `ghosts`: and of unknown ones.

    `patience`: within which whoever lives has registered again after a loss; `moved(-1)`: others see somebody go.
    """

    def __init__(self, redis: Bytes, patience: float, moved: Callable[[int], None]) -> None:
        self._redis, self._patience, self._moved = redis, patience, moved
        self.reaped = self.ghosts = 0
        self._registered = asyncio.Event()
        self._dead: dict[str, None] = {}
        self._wake = asyncio.Event()
        self.holder = ""

    def call_me(self, holder: str) -> None:
        """This node has registered, at its start or because the registry had lost it."""
        self.holder = holder
        self._registered.set()

    def find_dead(self, holders: Iterable[str]) -> None:
        """These leases have run out."""
        self._dead |= dict.fromkeys(holders)
        if self._dead:
            self._wake.set()

    async def run(self) -> None:
        """Reap for ever; who could not be reaped is found dead again on the next beat."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            dead, self._dead = self._dead, {}
            for holder in dead:
                try:
                    await self.reap(holder)
                except UNAVAILABLE as error:
                    log.warning("a dead node cannot be reaped now", holder=holder, error=repr(error))

    async def reap(self, holder: str) -> None:
        """Everything that it held, and last its lease; whoever stops half-way leaves the rest to the next one."""
        if not await run_call(self._redis, ScriptCall(CLAIM, LEASES, [holder, self.holder, CLAIM_MS])):
            return
        index, people_reaped = held_key(holder), 0
        while people := await self._ask("SRANDMEMBER", index, BATCH):
            people_reaped += await self._reap_people([int(user_id) for user_id in people], [holder])
            await self._ask("SREM", index, *people)
        await self._ask("HDEL", LEASES, holder)
        self.reaped += people_reaped
        log.info("reaped a dead node", holder=holder, people=people_reaped)

    async def keep_reconciling(self) -> None:
        """After every loss, and otherwise every few minutes, the first of the nodes looks for ghosts whose lease was
        lost with them: a node that dies before it has noticed the loss is in nobody's list of leases any more."""
        while True:
            await self._until_due()
            try:
                if self.holder and self.holder == await self._first_node() and (ghosts := await self.reconcile()):
                    log.warning("found ghosts that no lease stood behind", people=ghosts)
            except UNAVAILABLE as error:
                log.warning("ghosts cannot be looked for now", error=repr(error))

    async def _until_due(self) -> None:
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
        """Look through everybody for what no lease stands behind; returns how many people had such ghosts.

        A lease is taken before anything is held under it. So what was held before we read the leases, by a holder
        that is not among them, is held by nobody. Who finds himself not among them knows that the registry has been
        lost meanwhile, and stops: so may those who live.
        """
        ghosts = 0
        async for user_ids in self._everybody():
            names = await run_commands(self._redis, [["HKEYS", person_key(user_id)] for user_id in user_ids])
            known = {holder.decode() for holder in await self._ask("HKEYS", LEASES)}
            if self.holder not in known:
                break
            for user_id, fields in zip(user_ids, names, strict=True):
                if unknown := holders_in(fields) - known:
                    ghosts += await self._reap_people([user_id], sorted(unknown))
            await asyncio.sleep(PAUSE_SECONDS)
        self.ghosts += ghosts
        if ghosts:
            await self._ask("HINCRBY", COUNTS, "ghosts", ghosts)
        return ghosts

    async def _everybody(self) -> AsyncIterator[list[int]]:
        batch = []
        async for key in self._redis.scan_iter(match=PEOPLE, count=BATCH):
            batch.append(person_of(key))
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    async def _reap_people(self, user_ids: list[int], holders: list[str]) -> int:
        calls = [ScriptCall(REAP, person_key(one), [b"%b%d" % (PERSON, one), 0, 0, *holders]) for one in user_ids]
        outcomes = await run_calls(self._redis, calls)
        for _, moved in outcomes:
            self._moved(moved)
        ghosts = sum(1 for found, _ in outcomes if found)
        await self._ask("HINCRBY", COUNTS, "reaped", ghosts)
        return ghosts

    async def _ask(self, *command: Any) -> Any:
        (outcome,) = await run_commands(self._redis, [command])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def holders_in(fields: Iterable[bytes] | Exception) -> set[str]:
    """Who holds something of a person, from the names of his hash's fields; nobody where they could not be read."""
    return set() if isinstance(fields, Exception) else {name[2:].decode() for name in fields if name.startswith(b"h:")}
