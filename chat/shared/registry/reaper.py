"""The reaper: what a dead node held is held no more. Any survivor does it, in batches; the scripts announce it once."""

import asyncio
from collections.abc import Iterable
from typing import Any

import structlog

from chat.shared.redis import UNAVAILABLE, Bytes
from chat.shared.registry.calls import CLAIM, REAP, Call, run_call, run_calls, run_commands
from chat.shared.registry.keys import COUNTS, LEASES, PEOPLE, PERSON, held_key, person_key, person_of

BATCH = 500
CLAIM_MS = 5_000
log = structlog.get_logger(__name__)


class Reaper:
    """One node's part in it."""

    def __init__(self, redis: Bytes) -> None:
        self._redis = redis
        self._dead: dict[str, None] = {}
        self._wake = asyncio.Event()
        self.holder = ""

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
        if not await run_call(self._redis, Call(CLAIM, LEASES, [holder, self.holder, CLAIM_MS])):
            return
        index, ghosts = held_key(holder), 0
        while people := await self._ask("SRANDMEMBER", index, BATCH):
            ghosts += await self._reap_people([int(user_id) for user_id in people], [holder])
            await self._ask("SREM", index, *people)
        await self._ask("HDEL", LEASES, holder)
        log.info("reaped a dead node", holder=holder, people=ghosts)

    async def reconcile(self) -> int:
        """Look through everybody for what no lease stands behind; returns how many people had such ghosts.

        A lease is taken before anything is held under it. So what was held before we read the leases, by a holder
        that is not among them, is held by nobody.
        """
        owners: dict[int, set[str]] = {}
        async for key in self._redis.scan_iter(match=PEOPLE, count=1000):
            owners[person_of(key)] = set()
        for batch in batches(list(owners)):
            fields = await run_commands(self._redis, [["HKEYS", person_key(user_id)] for user_id in batch])
            for user_id, names in zip(batch, fields, strict=True):
                owners[user_id] = {name[2:].decode() for name in names if name.startswith(b"h:")}
        known = {holder.decode() for holder in await self._ask("HKEYS", LEASES)}
        ghosts = 0
        for user_id, holders in owners.items():
            if unknown := holders - known:
                ghosts += await self._reap_people([user_id], sorted(unknown))
        return ghosts

    async def _reap_people(self, user_ids: list[int], holders: list[str]) -> int:
        calls = [Call(REAP, person_key(one), [b"%b%d" % (PERSON, one), 0, 0, *holders]) for one in user_ids]
        ghosts = sum(1 for found in await run_calls(self._redis, calls) if found)
        await self._ask("HINCRBY", COUNTS, "reaped", ghosts)
        return ghosts

    async def _ask(self, *command: Any) -> Any:
        (outcome,) = await run_commands(self._redis, [command])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def batches(user_ids: list[int]) -> Iterable[list[int]]:
    """The same, a few at a time."""
    return (user_ids[n : n + BATCH] for n in range(0, len(user_ids), BATCH))
