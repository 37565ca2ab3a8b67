"""The audit: admin actions and other security events, each with its actor, address, session and device.

`record` writes one row in the transaction of the action: both are committed or neither is. Events that
clients without a session can cause in any number go through `SecurityEvents` instead.
"""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog

from chat.shared.postgres import UNAVAILABLE, Connection, Pool
from chat.shared.rate_limits import home_of
from chat.shared.sql import load

queries = load(__file__)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Actor:
    """The user who acts, from which address, in which session, on which device; all empty for the command line."""

    user_id: int | None = None
    address: str | None = None
    session_id: int | None = None
    device: str = ""


COMMAND_LINE = Actor()


def no_caller() -> Actor:
    """Return the caller outside of a request."""
    return COMMAND_LINE


# The caller of the request that is being served. Rows get their address from here, so that no function that passes only
# a user's id can lose it.
CALLER: ContextVar[Callable[[], Actor]] = ContextVar("caller", default=no_caller)


def complete(actor: Actor) -> Actor:
    """Return the actor with the address and session of the request, where the caller of the request is the actor."""
    if actor.user_id is None or actor.session_id is not None:
        return actor
    caller = CALLER.get()()
    return caller if caller.user_id == actor.user_id else actor


async def record(
    connection: Connection, actor: Actor, action: str, subject: int | None = None, **detail: object
) -> None:
    """Insert one row. `action` is `noun.verb`, `subject` the user it is about, `detail` any JSON."""
    actor = complete(actor)
    row = {"actor": actor.user_id, "action": action, "subject": subject, "detail": orjson.dumps(detail).decode()}
    source = {"address": actor.address, "session": actor.session_id, "device": actor.device}
    await connection.execute(queries.insert_row, row | source)
    if actor != COMMAND_LINE:  # a command prints its own result
        log_event(actor, action, subject, detail)


def log_event(actor: Actor, action: str, subject: int | None, detail: dict[str, object], times: int = 1) -> None:
    """Write the event to the log, for whatever forwards log lines to another system."""
    keys = {"user": actor.user_id, "subject": subject, "address": actor.address, "session": actor.session_id}
    log.info("security event", action=action, times=times, detail=detail or None, **keys)


# Security events that any client can cause in any number: failed log-ins, denied admin calls, limits hit. They are
# collected in memory and written in batches, off the request's path. The first event of a kind, user and address is
# written within a second; equal ones of the same minute become one row that counts them. A minute has a bounded
# number of rows, whatever arrives, so that a flood of failures cannot slow the database.

WINDOW_SECONDS = 60.0
WINDOWS_MOST = 200  # users and addresses counted separately in a minute, for one action
WAITING_MOST = 5_000  # rows kept while the database is unavailable
BATCH = 200
FLUSH_SECONDS = 0.5


@dataclass(slots=True)
class SecurityEvent:
    """A row to write. `typed`: the name that was typed at a log-in; it is never stored."""

    actor: Actor
    action: str
    subject: int | None
    detail: dict[str, object]
    typed: str
    at: float
    times: int = 1


@dataclass(slots=True)
class AuditWindow:
    """A minute of equal events: the first one, and how many came after it."""

    first: SecurityEvent
    repeats: int = field(default=0)


class SecurityEvents:
    """Collects, thins and writes security events. `run` is the background task that writes them."""

    def __init__(self, pool: Pool, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool, self._clock = pool, clock
        self._windows: dict[Hashable, AuditWindow] = {}
        self._open: Counter[str] = Counter()  # windows of each action
        self._merged: Counter[str] = Counter()
        self._merged_since = clock()
        self._waiting: deque[SecurityEvent] = deque()

    def note(self, actor: Actor, action: str, subject: int | None = None, *, typed: str = "", **detail: object) -> None:
        """Note one event. `typed` is the name given at a log-in; it is stored as an account's id or a keyed hash."""
        kind = str(detail.get("route", ""))
        home = home_of(actor.address) if actor.user_id is None and actor.address else None
        key = action, actor.user_id, home, subject, typed.lower(), kind
        if window := self._windows.get(key):
            window.repeats += 1
        elif self._open[action] >= WINDOWS_MOST:
            self._merged[action] += 1
        else:
            event = SecurityEvent(actor, action, subject, detail, typed.lower(), self._clock())
            self._windows[key] = AuditWindow(event)
            self._open[action] += 1
            self._append(event)

    def limit_notice(self, actor: Actor, route: str) -> Callable[[], None]:
        """Return a function that notes that the actor has hit the limits of a socket opened by this route."""
        return lambda: self.note(actor, "limit.hit", route=route)

    def waiting(self) -> int:
        """Return how many rows wait to be written."""
        return len(self._waiting)

    def _append(self, event: SecurityEvent) -> None:
        if len(self._waiting) >= WAITING_MOST:
            self._merged[event.action] += event.times
            return
        self._waiting.append(event)
        log_event(event.actor, event.action, event.subject, event.detail, event.times)

    def close_windows(self, *, all_of_them: bool = False) -> None:
        """Turn the repeats of windows that are a minute old into rows."""
        now = self._clock()
        old = [key for key, one in self._windows.items() if all_of_them or now - one.first.at >= WINDOW_SECONDS]
        for key in old:
            window = self._windows.pop(key)
            self._open[window.first.action] -= 1
            if window.repeats:
                first = window.first
                detail = first.detail | {"repeated": True}
                self._append(
                    SecurityEvent(first.actor, first.action, first.subject, detail, first.typed, now, window.repeats)
                )
        if self._merged and (all_of_them or now - self._merged_since >= WINDOW_SECONDS):
            merged, self._merged, self._merged_since = self._merged, Counter(), now
            for action, times in merged.items():
                self._append(SecurityEvent(Actor(), action, None, {"merged": True}, "", now, times))

    async def run(self) -> None:
        """Write noted events, forever; keep them while the database is unavailable."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            self.close_windows()
            try:
                await self.flush()
            except UNAVAILABLE as error:
                log.warning("postgres unavailable, security events kept", waiting=len(self._waiting), error=repr(error))

    async def finish(self) -> None:
        """Write the rest when the node stops, as far as the database lets it."""
        self.close_windows(all_of_them=True)
        try:
            await self.flush()
        except UNAVAILABLE as error:
            log.warning("security events lost", waiting=len(self._waiting), error=repr(error))

    async def flush(self) -> None:
        """Write all that waits, in batches."""
        while self._waiting:
            batch = [self._waiting[n] for n in range(min(BATCH, len(self._waiting)))]
            async with self._pool.connection() as connection, connection.transaction():
                await write(connection, batch, self._clock())
            for _ in batch:
                self._waiting.popleft()


async def write(connection: Connection, events: Iterable[SecurityEvent], now: float) -> None:
    """Insert the events; names that were typed become the account's id, or a keyed hash where there is none."""
    events = list(events)
    accounts, key = await find_accounts(connection, [event.typed for event in events if event.typed])
    columns: dict[str, list[Any]] = {name: [] for name in ("age", "actor", "action", "subject", "address")}
    columns |= {name: [] for name in ("session", "device", "times", "detail")}
    for event in events:
        detail, subject = event.detail, event.subject
        if event.typed:
            subject = accounts.get(event.typed, subject)
            detail = detail if event.typed in accounts else detail | {"name_hash": hash_name(key, event.typed)}
        actor = event.actor
        row = [now - event.at, actor.user_id, event.action, subject, actor.address, actor.session_id, actor.device]
        for name, value in zip(columns, [*row, event.times, orjson.dumps(detail).decode()], strict=True):
            columns[name].append(value)
    await connection.execute(queries.insert_rows, columns)


async def find_accounts(connection: Connection, names: list[str]) -> tuple[dict[str, int], bytes]:
    """Return the ids of the accounts with these names, and the day's key for all other names."""
    if not names:
        return {}, b""
    possible = [name for name in names if name.isascii() and name.isprintable()]
    found: dict[str, int] = dict(await (await connection.execute(queries.find_accounts, [possible])).fetchall())
    await connection.execute(queries.make_key, [secrets.token_bytes(32)])
    row = await (await connection.execute(queries.read_key)).fetchone()
    assert row is not None
    return found, bytes(row[0])


def hash_name(key: bytes, name: str) -> str:
    """Return the keyed hash of a name, the same for one day; it cannot be reversed."""
    return hmac.digest(key, name.encode(errors="surrogatepass"), hashlib.sha256).hex()[:16]
