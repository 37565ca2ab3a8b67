"""A node's lease. The node's connections count while the lease is renewed; no connection is refreshed by itself."""

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
from chat.shared.redis import UNAVAILABLE, Bytes, Echo, reason_of
from chat.shared.registry.scripts import LEASE, LEASES, LEAVE, ScriptCall, run_call
from chat.shared.settings import BadSettings

# How long a dead node's users may appear online. Pure; seconds.

GHOST_MOST = 20.0
MARGIN = 2.0  # for one call to Redis that times out, and for the reaping itself
BEATS = 5  # renewals in a lease


@dataclass(frozen=True, slots=True)
class Timing:
    """`linger`: PRESENCE_LINGER, how long a user may be gone before appearing offline; `lease`: NODE_LEASE."""

    linger: float
    lease: float

    @property
    def beat(self) -> float:
        """The time between two renewals of the lease."""
        return self.lease / BEATS

    @property
    def patience(self) -> float:
        """The time after its last renewal at which a node counts as dead.

        The node may have died up to a beat after that renewal. Its users then have their linger to reconnect.
        """
        return max(self.lease, self.beat + self.linger)

    @property
    def step(self) -> float:
        """The longest time by which one renewal moves the registry's clock."""
        return 2 * self.beat

    @property
    def ghost(self) -> float:
        """The longest time that a dead node's users appear online."""
        return self.patience + self.beat + MARGIN


def check_timing(linger: float, lease: float) -> Timing:
    """Return the timing; raise `BadSettings` if a dead node's users could appear online for more than 20 s."""
    timing = Timing(linger, lease)
    if timing.ghost > GHOST_MOST:
        raise BadSettings(
            f"PRESENCE_LINGER, NODE_LEASE: with {linger:g} s and {lease:g} s, users of a dead node could appear online "
            f"for {timing.ghost:.1f} s. The maximum is {GHOST_MOST:g} s. Make one of the two smaller."
        )
    return timing


RETRY_SECONDS = 0.2
COUNTED_USERS = ("people", "online", "away", "dnd")
log = structlog.get_logger(__name__)


class NodeNameTaken(OperatorError):
    """Another live node has this name. Give each node its own name with --node NAME."""


class Lease:
    """The lease of a node, which `holder` names in the registry. A lost lease is replaced, never continued.

    `set_holder(holder)` is called with a new holder: all connections must be registered under it, with writes that
    count until `ends`.
    `report_expired(holders)` is called with the holders whose leases have expired. `ordered(drain)` is called when an
    admin orders this node to drain, or to resume. `echo` is published with each renewal.
    """

    def __init__(
        self,
        redis: Bytes,
        name: str,
        timing: Timing,
        describe: Callable[[], dict[str, Any]],
        set_holder: Callable[[str], None],
        report_expired: Callable[[Iterable[str]], None],
        ordered: Callable[[bool], None],
        echo: Echo,
    ) -> None:
        self._redis, self._name, self._timing, self._echo = redis, name, timing, echo
        self._describe, self._set_holder, self._report_expired, self._ordered = (
            describe,
            set_holder,
            report_expired,
            ordered,
        )
        self.holder, self._taken = new_holder(name), ""  # _taken: the holder that has, or last had, the lease
        self.failing = self._drain = False
        self.ends = 0  # in milliseconds, by the clock of the Redis server that has the lease

    async def acquire(self) -> None:
        """Acquire the lease. Raise `NodeNameTaken` if another node holds it and renews it in time.

        Raise also if Redis is unavailable; `keep` then acquires it later.
        """
        before, dead = b"", ""
        while (record := await self._call("take", dead)) is not None:
            other = orjson.loads(record)
            if died_here(other):
                dead = other["holder"]
            elif before not in (b"", record):
                raise NodeNameTaken(f"{NodeNameTaken.__doc__} ({self._name}: {other['where']})")
            before = record
            await asyncio.sleep(RETRY_SECONDS)

    async def keep(self) -> None:
        """Renew the lease at every beat. Raise `NodeNameTaken` if another node took the name during a long outage."""
        while True:
            await asyncio.sleep(self._timing.beat)
            try:
                record = await self._call("renew" if self._taken else "take", "")
            except UNAVAILABLE as error:
                if not self.failing:
                    log.warning("redis unavailable, lease not renewed", error=reason_of(error))
                self.failing = True
                continue
            self.failing = False
            if record is not None and self._taken:
                raise NodeNameTaken(NodeNameTaken.__doc__)
            if record is not None:
                await self.acquire()

    async def _call(self, how: str, dead: str) -> bytes | None:
        """Take or renew the lease in one call; return the record of the other node that has the name, if any."""
        record = self._describe() | {"name": self._name, "holder": self.holder, "where": where()}
        record |= {"drain": True} if self._drain else {}
        if how == "take" and self._taken:
            record |= dict.fromkeys(COUNTED_USERS, 0)  # they may be on other nodes by now, and are registered again
        patience, step = round(self._timing.patience * 1000), round(self._timing.step * 1000)
        asked = [self.holder, orjson.dumps(record), patience, how, dead, self._taken, step, self._echo.channel]
        outcome, other, now, *holders = await run_call(self._redis, ScriptCall(LEASE, LEASES, asked))
        if outcome == b"taken":
            return bytes(other)
        if outcome == b"lost":
            log.warning("registry lost the lease, registering again", holder=self.holder)
            self.holder = new_holder(self._name)
            return await self._call("take", "")
        self.ends = now + patience
        self._echo.sent += 1
        if how == "take":
            self._taken = self.holder
            self._set_holder(self.holder)
        self._report_expired(holder.decode() for holder in holders)
        self._on_order(other == b"drain")
        return None

    def _on_order(self, drain: bool) -> None:
        if drain != self._drain:
            self._drain = drain
            self._ordered(drain)

    async def leave(self) -> None:
        """Release the lease on shutdown: users have the linger to reconnect elsewhere. Never raise."""
        try:
            await run_call(self._redis, ScriptCall(LEAVE, LEASES, [self.holder, round(self._timing.linger * 1000)]))
        except UNAVAILABLE as error:
            log.warning("could not release the lease on shutdown", error=reason_of(error))


def new_holder(name: str) -> str:
    """Return a holder name that was never used before."""
    return f"{name}~{secrets.token_hex(4)}"


def where() -> dict[str, Any]:
    """Return the machine and process id, so that a process on the same machine can see whether this one is alive."""
    return {"machine": machine(), "pid": os.getpid()}


def machine() -> str:
    """Return an id of this boot of this machine or container; "" if it cannot be read."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip() + os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def died_here(record: dict[str, Any]) -> bool:
    """Return whether the process ran on this machine and has ended; its lease then need not expire first."""
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
