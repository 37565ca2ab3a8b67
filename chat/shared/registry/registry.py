"""The session registry of one node: message streams and presence sockets open, touch and close their connections here.

Opening and closing never wait and never fail: they change what this node holds, and the writer tells Redis of it.
Whatever asks Redis is bounded in time and raises that it is away.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import orjson
import structlog

from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE, Bytes
from chat.shared.registry.connections import Holdings, Kind, Open, PersonConnections, UserConnection
from chat.shared.registry.lease import Lease, check_timing
from chat.shared.registry.reaper import Reaper
from chat.shared.registry.reporting import Evidence, Overview, Traffic, as_dict, read_evidence
from chat.shared.registry.scripts import (
    HOLDER,
    LEASES,
    LOOK,
    PERSON,
    REVOKED,
    ScriptCall,
    holder_channel,
    person_key,
    run_calls,
    run_commands,
)
from chat.shared.registry.status_choice import Choice, Choices
from chat.shared.registry.subscriber import Subscriber
from chat.shared.registry.writer import RegistryWriter
from chat.shared.settings import Settings

log = structlog.get_logger(__name__)
Works = dict[str, Callable[[], Coroutine[Any, Any, None]]]


class Registry:
    """`on_revoked` are called with the id of a login that was ended anywhere; `on_lost` when Redis has forgotten;
    `on_ordered` with whether this node shall drain. What `reports` return is told of this node at every beat."""

    def __init__(self, settings: Settings, pool: Pool, redis: Bytes) -> None:
        self.redis, self._role, self._choices = redis, settings.role, Choices(pool)
        self.timing = check_timing(settings.presence_linger, settings.node_lease)
        self.holdings = Holdings(self.timing.linger)
        self.traffic, self.overview = Traffic(redis), Overview(redis)
        self.nodes, self.stats = self.overview.nodes, self.overview.stats
        self.order_drain = self.overview.order_drain
        self._revocations = Revocations(redis)
        self.revoke = self._revocations.revoke
        self.writer = RegistryWriter(redis, pool, self.holdings, self.traffic.note)
        self.reaper = Reaper(redis, self.timing.patience, self.traffic.note)
        self.subscriber = Subscriber(redis, REVOKED, self._hear_revoked)
        self.subscriber.on(HOLDER, self._hear_parts, lambda _rest: None)
        told = self._rename, self.reaper.find_dead, self._hear_order
        self.lease = Lease(redis, settings.node, self.timing, self._describe, *told)
        self.reports: list[Callable[[], dict[str, Any]]] = []
        self.on_ordered: list[Callable[[bool], None]] = []
        self.on_revoked: list[Callable[[int], None]] = []
        self.on_lost: list[Callable[[], None]] = []
        self._clock = asyncio.get_running_loop().time

    async def begin(self) -> None:
        """Take the node's name; raises `NodeNameTaken`. With Redis away the node serves, and takes it later."""
        try:
            await self.lease.take()
        except UNAVAILABLE as error:
            self.lease.failing = True
            log.warning("starting without the registry", error=repr(error))

    def works(self) -> Works:
        """The background tasks, by name."""
        return {
            "renew the lease": self.lease.keep,
            "tell the registry": self.writer.run,
            "store choices": self._choices.run,
            "tell the registry again": self.writer.refresh,
            "reap dead nodes": self.reaper.run,
            "look for ghosts": self.reaper.keep_reconciling,
            "hear the registry": self.subscriber.run,
            "publish revocations": self._revocations.run,
            "count who comes and goes": self.traffic.run,
        }

    async def leave(self) -> None:
        """The node stops in order: nobody is shown leaving who appears elsewhere within the linger."""
        await self.lease.leave()

    @property
    def degraded(self) -> bool:
        """Redis cannot be reached: what is shown of people may be old."""
        return self.lease.failing or self.writer.failing or not self.subscriber.connected

    def open(self, user_id: int, session_id: int, kind: Kind) -> UserConnection:
        """A stream or socket has opened. A new socket is in use; a stream says nothing about that."""
        connection = UserConnection(user_id, session_id, kind, active=kind == "socket")
        self.hold(connection)
        return connection

    def hold(self, connection: Open) -> None:
        """As `open`, of what is a connection itself."""
        self.holdings.add(connection)
        self.writer.mark(connection.user_id)

    def touch(self, connection: UserConnection, active: bool) -> None:
        """The connection says whether it is in use."""
        if self.holdings.touch(connection, active):
            self.writer.mark(connection.user_id)

    def close(self, connection: Open) -> None:
        """It has closed; its device counts for the linger."""
        now = self._clock()
        if self.holdings.remove(connection, now):
            self.writer.mark_at(now + self.timing.linger, connection.user_id)
        self.writer.mark(connection.user_id)

    async def choose(self, user_id: int, choice: Choice) -> None:
        """The person sets a status for all devices; durable when this returns. Raises that PostgreSQL is away."""
        stored = await self._choices.store(user_id, choice)
        held = self.holdings.people.get(user_id)
        if held and (held.choice is None or held.choice.set_at < stored.set_at):
            held.choice = stored
            self.writer.mark(user_id)

    async def told(self, user_id: int) -> PersonConnections | None:
        """Wait until the registry knows what this node holds of the person; None when it is held no more."""
        held = self.holdings.people.get(user_id)
        if held is None or held.own:
            return held
        heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        held.told = [*(held.told or ()), lambda: None if heard.done() else heard.set_result(None)]
        await heard
        return held

    async def look(self, asked: Iterable[tuple[int, int, int]]) -> dict[int, list[Any]]:
        """`(person, known version of what is shown, and of his own view)` → `[shown, own, …]` as person.lua has it."""
        asked = list(asked)
        calls = [ScriptCall(LOOK, person_key(one), [b"%b%d" % (PERSON, one), *versions]) for one, *versions in asked]
        views = [orjson.loads(outcome) for outcome in await run_calls(self.redis, calls)]
        for view in views:
            self.traffic.note(view[4])
        return {one[0]: view for one, view in zip(asked, views, strict=True)}

    async def remembers_us(self) -> bool:
        """Whether nothing was lost since this node registered; when it was, the next beat registers again."""
        return bool(await self._ask("HEXISTS", LEASES, self.lease.holder))

    async def of_person(self, user_id: int) -> Evidence:
        """Devices, nodes, and why the status is what it is."""
        return read_evidence(as_dict(await self._ask("HGETALL", person_key(user_id))))

    async def count_open(self, user_id: int) -> dict[int, tuple[int, int]]:
        """`{session: (streams, sockets)}` of this person; nothing where Redis is away."""
        try:
            devices = (await self.of_person(user_id)).devices
        except UNAVAILABLE:
            return {}
        counts: dict[int, tuple[int, int]] = {}
        for device in devices:
            streams, sockets = counts.get(device.session_id, (0, 0))
            counts[device.session_id] = streams + device.streams, sockets + device.sockets
        return counts

    async def reconcile(self) -> int:
        """Find and reap what no living node holds; how many people had such ghosts."""
        return await self.reaper.reconcile()

    async def _ask(self, *command: Any) -> Any:
        (outcome,) = await run_commands(self.redis, [command])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _hear_revoked(self, _channel: bytes, data: bytes) -> None:
        if data.isdigit():
            for revoked in self.on_revoked:
                revoked(int(data))

    def _hear_parts(self, _holder: bytes, data: bytes) -> None:
        user_id, status, holders, moment = data.split()
        if held := self.holdings.people.get(int(user_id)):
            self.holdings.census.note(int(user_id), held, status.decode(), int(holders), int(moment))

    def _hear_order(self, drain: bool) -> None:
        for ordered in self.on_ordered:
            ordered(drain)

    def _describe(self) -> dict[str, Any]:
        record = {"role": self._role} | self.holdings.summarize()
        for report in self.reports:
            record |= report()
        return record

    def _rename(self, holder: str) -> None:
        if self.writer.holder:
            self.subscriber.drop(holder_channel(self.writer.holder))
        self.subscriber.want(holder_channel(holder))
        self.reaper.call_me(holder)
        self.writer.call_me(holder)
        for lost in self.on_lost if self.writer.before else ():
            lost()


# Revocations: which logins have ended, told to every node at once. A hint, never waited for: the log says it, too.

WAITING_MOST = 1000


class Revocations:
    """What one node has to tell."""

    def __init__(self, redis: Bytes) -> None:
        self._redis = redis
        self._waiting: asyncio.Queue[int] = asyncio.Queue(WAITING_MOST)

    def revoke(self, session_id: int) -> None:
        """Close the login's streams and sockets on every node."""
        if not self._waiting.full():
            self._waiting.put_nowait(session_id)

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            session_id = await self._waiting.get()
            try:
                await self._redis.publish(REVOKED, b"%d" % session_id)
            except UNAVAILABLE as error:
                log.warning("a revocation was not published; the log tells of it", error=repr(error))
