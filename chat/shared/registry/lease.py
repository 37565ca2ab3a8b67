"""The lease: a node's sign of life. Its connections count for as long as it is renewed; nothing is refreshed singly."""

import asyncio
import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import structlog

from chat.shared.operator_errors import OperatorError
from chat.shared.redis import UNAVAILABLE, Bytes
from chat.shared.registry.scripts import LEASE, LEASES, LEAVE, ScriptCall, run_call
from chat.shared.settings import BadSettings

# How long things take to be noticed, and that together it is not too long. Pure; seconds.

GHOST_MOST = 20.0
MARGIN = 2.0  # for a call to Redis that has to time out once, and for the reaping itself
BEATS = 5  # in a lease


@dataclass(frozen=True, slots=True)
class Timing:
    """`linger`: how long somebody may be away without being shown as offline; `lease`: NODE_LEASE."""

    linger: float
    lease: float

    @property
    def beat(self) -> float:
        """Between two renewals of the lease."""
        return self.lease / BEATS

    @property
    def patience(self) -> float:
        """How long after its last renewal a node counts as dead. It may have died up to a beat after that renewal,
        and from then on its people have their linger to appear elsewhere."""
        return max(self.lease, self.beat + self.linger)

    @property
    def ghost(self) -> float:
        """The longest that somebody is shown as here after his node has died."""
        return self.patience + self.beat + MARGIN


def check_timing(linger: float, lease: float) -> Timing:
    """Raises `BadSettings` when a dead node's people could be shown as here for more than 20 s."""
    timing = Timing(linger, lease)
    if timing.ghost > GHOST_MOST:
        raise BadSettings(
            f"PRESENCE_LINGER, NODE_LEASE: with {linger:g} and {lease:g} s the people of a dead node could be shown "
            f"as here for {timing.ghost:.1f} s; {GHOST_MOST:g} s are the most. Make one of them smaller."
        )
    return timing


GLANCE_SECONDS = 0.2
log = structlog.get_logger(__name__)


class NodeNameTaken(OperatorError):
    """Another node with this name is alive; every node needs a name of its own: --node NAME."""


class Lease:
    """One node's lease. `holder` names it in the registry; a lease once lost is never taken up again, but replaced.

    `renamed(holder)` is called when there is a new one: everything held has to be registered under it.
    `found_dead(holders)` is called with those whose leases have run out. `ordered(drain)` is called when somebody wants
    this node to drain, or to come back.
    """

    def __init__(
        self,
        redis: Bytes,
        name: str,
        timing: Timing,
        describe: Callable[[], dict[str, Any]],
        renamed: Callable[[str], None],
        found_dead: Callable[[Iterable[str]], None],
        ordered: Callable[[bool], None],
    ) -> None:
        self._redis, self._name, self._timing = redis, name, timing
        self._describe, self._renamed, self._found_dead, self._ordered = describe, renamed, found_dead, ordered
        self.holder, self._taken = new_holder(name), ""  # _taken: the holder that has, or had, a lease
        self.failing = self._drain = False

    async def take(self) -> None:
        """Take it, or raise `NodeNameTaken`. Who has the name and is not heard of within his lease has died.

        Raises also that Redis is away; then `keep` takes it later.
        """
        before, dead = b"", ""
        while (record := await self._say("take", dead)) is not None:
            other = orjson.loads(record)
            if died_here(other):
                dead = other["holder"]
            elif before not in (b"", record):
                raise NodeNameTaken(f"{NodeNameTaken.__doc__} ({self._name}: {other['where']})")
            before = record
            await asyncio.sleep(GLANCE_SECONDS)

    async def keep(self) -> None:
        """Renew it on every beat; raises `NodeNameTaken` when, after a long absence, somebody else has the name."""
        while True:
            await asyncio.sleep(self._timing.beat)
            try:
                record = await self._say("renew" if self._taken else "take", "")
            except UNAVAILABLE as error:
                if not self.failing:
                    log.warning("the lease cannot be renewed now", error=repr(error))
                self.failing = True
                continue
            self.failing = False
            if record is not None and self._taken:
                raise NodeNameTaken(NodeNameTaken.__doc__)
            if record is not None:
                await self.take()

    async def _say(self, how: str, dead: str) -> bytes | None:
        """One call; returns the record of the node that is in the way."""
        record = self._describe() | {"name": self._name, "holder": self.holder, "where": where()}
        record |= {"drain": True} if self._drain else {}
        patience = round(self._timing.patience * 1000)
        call = ScriptCall(LEASE, LEASES, [self.holder, orjson.dumps(record), patience, how, dead, self._taken])
        outcome, other, _, *holders = await run_call(self._redis, call)
        if outcome == b"taken":
            return bytes(other)
        if outcome == b"lost":
            log.warning("the registry has lost this node; registering again", holder=self.holder)
            self.holder = new_holder(self._name)
            return await self._say("take", "")
        if how == "take":
            self._taken = self.holder
            self._renamed(self.holder)
        self._found_dead(holder.decode() for holder in holders)
        self._hear_order(other == b"drain")
        return None

    def _hear_order(self, drain: bool) -> None:
        if drain != self._drain:
            self._drain = drain
            self._ordered(drain)

    async def leave(self) -> None:
        """The node stops in order: its people have the linger to come back elsewhere. Never raises."""
        try:
            await run_call(self._redis, ScriptCall(LEAVE, LEASES, [self.holder, round(self._timing.linger * 1000)]))
        except UNAVAILABLE as error:
            log.warning("left without a word to the registry", error=repr(error))


def new_holder(name: str) -> str:
    """A name that was never used before."""
    return f"{name}~{secrets.token_hex(4)}"


def where() -> dict[str, Any]:
    """The process, such that another one on the same machine can tell whether it is still there."""
    return {"machine": machine(), "pid": os.getpid()}


def machine() -> str:
    """This boot of this machine, or container; "" where that cannot be known."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip() + os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def died_here(record: dict[str, Any]) -> bool:
    """Was this a process of our own machine, and has it ended? Then nobody needs to wait for its lease to run out."""
    place = record["where"]
    if not place["machine"] or place["machine"] != machine():
        return False
    try:
        os.kill(place["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
