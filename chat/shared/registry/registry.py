"""The session registry as one node uses it: streams and sockets register, touch and close their connections here.

Registering and closing never wait and never fail: they change this node's memory, and the writer updates Redis.
Whatever reads from Redis has a deadline, and raises an exception of `UNAVAILABLE` when Redis cannot be reached.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import orjson
import structlog

from chat.shared.postgres import Pool
from chat.shared.redis import UNAVAILABLE, Bytes, Echo, Subscriber, reason_of
from chat.shared.registry.connections import ConnectedUsers, Kind, RegisteredConnection, UserConnection, UserDevices
from chat.shared.registry.lease import Lease, check_timing
from chat.shared.registry.reaper import Reaper
from chat.shared.registry.reporting import Evidence, JoinLeaveCounter, Overview, as_dict, parse_evidence
from chat.shared.registry.scripts import (
    LEASES,
    LOOK,
    RegistryChannels,
    ScriptCall,
    run_calls,
    run_commands,
    user_key,
)
from chat.shared.registry.status_choice import Choice, Choices
from chat.shared.registry.writer import RegistryWriter
from chat.shared.settings import Settings

log = structlog.get_logger(__name__)
Works = dict[str, Callable[[], Coroutine[Any, Any, None]]]


class Registry:
    """The registry. Other parts of the node append callbacks to its lists.

    `on_revoked(session id)`: a session was ended on any node. `on_lost()`: Redis has lost data. `on_ordered(drain)`: an
    admin ordered this node to drain, or to resume. What `reports` return is published with every renewal of the lease.
    """

    def __init__(self, settings: Settings, pool: Pool, redis: Bytes) -> None:
        self.redis, self._role, self._choices = redis, settings.role, Choices(pool)
        self.timing = check_timing(settings.presence_linger, settings.node_lease)
        self.connected = ConnectedUsers(self.timing.linger)
        self.join_leaves, self.overview = JoinLeaveCounter(redis), Overview(redis)
        self.nodes, self.stats = self.overview.nodes, self.overview.stats
        self.order_drain = self.overview.order_drain
        self._revocations = Revocations(redis)
        self.revoke = self._revocations.revoke
        self.reaper = Reaper(redis, self.timing.patience, self.join_leaves.note)
        self.echo, self.channels = Echo(), RegistryChannels(redis)
        self.subscriber = Subscriber(redis, self.channels.revoked, self._on_revocation, self.echo)
        self.subscriber.on(self.channels.holders, self._on_holders_changed, lambda _rest: None)
        callbacks = self._set_holder, self.reaper.report_expired, self._on_order
        self.lease = Lease(redis, settings.node, self.timing, self._describe, *callbacks, self.echo)
        self.writer = RegistryWriter(redis, pool, self.connected, self.join_leaves.note, self.lease)
        self.reports: list[Callable[[], dict[str, Any]]] = []
        self.on_ordered: list[Callable[[bool], None]] = []
        self.on_revoked: list[Callable[[int], None]] = []
        self.on_lost: list[Callable[[], None]] = []
        self._clock = asyncio.get_running_loop().time

    async def begin(self) -> None:
        """Acquire the lease; raise `NodeNameTaken`. If Redis is unavailable, start without it and acquire it later."""
        try:
            await self.lease.acquire()
        except UNAVAILABLE as error:
            self.lease.failing = True
            log.warning("redis unavailable, starting without a lease", error=reason_of(error))

    def works(self) -> Works:
        """Return the background tasks by name."""
        return {
            "renew the lease": self.lease.keep,
            "write to the registry": self.writer.run,
            "store chosen statuses": self._choices.run,
            "refresh the registry": self.writer.refresh,
            "reap dead nodes": self.reaper.run,
            "reconcile the registry": self.reaper.keep_reconciling,
            "listen to the registry": self.subscriber.run,
            "publish revocations": self._revocations.run,
            "count joins and leaves": self.join_leaves.run,
        }

    async def leave(self) -> None:
        """Release the lease. Users who reconnect to another node within the linger are not shown leaving."""
        await self.lease.leave()

    @property
    def degraded(self) -> bool:
        """True if Redis cannot be reached; statuses may be outdated."""
        return self.lease.failing or self.writer.failing or not self.subscriber.connected

    def open(self, user_id: int, session_id: int, kind: Kind) -> UserConnection:
        """Register a new stream or socket. A new socket counts as in use; a stream never does."""
        connection = UserConnection(user_id, session_id, kind, active=kind == "socket")
        self.register(connection)
        return connection

    def register(self, connection: RegisteredConnection) -> None:
        """Register an object that is a connection itself."""
        self.connected.add(connection)
        self.writer.mark(connection.user_id)

    def touch(self, connection: UserConnection, active: bool) -> None:
        """Set whether a connection is in use."""
        if self.connected.touch(connection, active):
            self.writer.mark(connection.user_id)

    def close(self, connection: RegisteredConnection) -> None:
        """Remove a closed connection; its device still counts until the linger ends."""
        now = self._clock()
        if self.connected.remove(connection, now):
            self.writer.mark_at(now + self.timing.linger, connection.user_id)
        self.writer.mark(connection.user_id)

    async def choose(self, user_id: int, choice: Choice) -> None:
        """Store the status that a user chose; it is durable when this returns. Raise that PostgreSQL is unavailable."""
        stored = await self._choices.store(user_id, choice)
        held = self.connected.users.get(user_id)
        if held is None:
            self.writer.set_choice(user_id, stored)
        elif held.choice is None or held.choice.set_at < stored.set_at:
            held.choice = stored
            self.writer.mark(user_id)

    async def wait_until_stored(self, user_id: int) -> UserDevices | None:
        """Wait until the registry has stored the user's devices on this node; return None if there are none left."""
        held = self.connected.users.get(user_id)
        if held is None or held.own:
            return held
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        held.on_stored = [*(held.on_stored or ()), lambda: None if stored.done() else stored.set_result(None)]
        await stored
        return held

    async def read_views(self, asked: Iterable[tuple[int, int, int]]) -> dict[int, list[Any]]:
        """Return `{user: [shown, own, …]}`, as person.lua does, for `(user, known shown version, known own one)`."""
        asked = list(asked)
        calls = [ScriptCall(LOOK, user_key(one), [self.channels.of_person(one), *versions]) for one, *versions in asked]
        views = [orjson.loads(outcome) for outcome in await run_calls(self.redis, calls)]
        for view in views:
            self.join_leaves.note(view[4])
        return {one[0]: view for one, view in zip(asked, views, strict=True)}

    async def has_lease(self) -> bool:
        """Return whether Redis still has this node's lease. If not, it has lost data; the next beat registers again."""
        return bool(await self._ask("HEXISTS", LEASES, self.lease.holder))

    async def read_evidence(self, user_id: int) -> Evidence:
        """Return all that the registry has of a user: devices, nodes, chosen status."""
        return parse_evidence(as_dict(await self._ask("HGETALL", user_key(user_id))))

    async def count_open(self, user_id: int) -> dict[int, tuple[int, int]]:
        """Return `{session: (streams, sockets)}` of a user; empty if Redis is unavailable."""
        try:
            devices = (await self.read_evidence(user_id)).devices
        except UNAVAILABLE:
            return {}
        counts: dict[int, tuple[int, int]] = {}
        for device in devices:
            streams, sockets = counts.get(device.session_id, (0, 0))
            counts[device.session_id] = streams + device.streams, sockets + device.sockets
        return counts

    async def reconcile(self) -> int:
        """Remove presence entries without a lease; return how many users had any."""
        return await self.reaper.reconcile()

    async def _ask(self, *command: Any) -> Any:
        (outcome,) = await run_commands(self.redis, [command])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _on_revocation(self, _channel: bytes, data: bytes) -> None:
        if data.isdigit():
            for revoked in self.on_revoked:
                revoked(int(data))

    def _on_holders_changed(self, _holder: bytes, data: bytes) -> None:
        user_id, status, holders, moment = data.split()
        if held := self.connected.users.get(int(user_id)):
            self.connected.status_counts.note(int(user_id), held, status.decode(), int(holders), int(moment))

    def _on_order(self, drain: bool) -> None:
        for ordered in self.on_ordered:
            ordered(drain)

    def _describe(self) -> dict[str, Any]:
        record = {"role": self._role} | self.connected.summarize()
        for report in self.reports:
            record |= report()
        return record

    def _set_holder(self, holder: str) -> None:
        if self.writer.holder:
            self.subscriber.drop(self.channels.of_holder(self.writer.holder))
        self.subscriber.want(self.channels.of_holder(holder))
        self.reaper.set_holder(holder)
        self.writer.set_holder(holder)
        for lost in self.on_lost if self.writer.before else ():
            lost()


# Revocations tell every node at once that a session has ended. They are hints, and may be lost: the log has it, too.

WAITING_MOST = 1000


class Revocations:
    """Publishes the revocations of one node."""

    def __init__(self, redis: Bytes) -> None:
        self._redis, self._channel = redis, RegistryChannels(redis).revoked
        self._waiting: asyncio.Queue[int] = asyncio.Queue(WAITING_MOST)

    def revoke(self, session_id: int) -> None:
        """Close the session's streams and sockets on every node."""
        if not self._waiting.full():
            self._waiting.put_nowait(session_id)

    async def run(self) -> None:
        """Publish queued revocations, forever."""
        while True:
            session_id = await self._waiting.get()
            try:
                await self._redis.publish(self._channel, b"%d" % session_id)
            except UNAVAILABLE as error:
                log.warning("revocation not published, nodes learn it from the log", error=reason_of(error))
