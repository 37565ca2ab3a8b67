"""The presence sockets of a node, and the workers that process their signals: a socket has no task of its own."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

import structlog

from chat.shared.errors import ApiError, Unavailable
from chat.shared.identity import Member
from chat.shared.membership import MembershipIntervals
from chat.shared.postgres import UNAVAILABLE as POSTGRES_AWAY
from chat.shared.postgres import Pool
from chat.shared.rate_limits import Rates
from chat.shared.redis import UNAVAILABLE as REDIS_AWAY
from chat.shared.registry.registry import Registry, Works
from chat.shared.settings import Settings
from chat.shared.transport.ws_protocol import TOO_FAST
from presence.dashboard import ActiveConversations, Dashboard, History
from presence.dispatch import SignalDispatcher, describe_own
from presence.log_follower import LogFollower, WatchScope
from presence.mirror import Mirror
from presence.protocol import Signal, TypingUsers
from presence.socket import FAILED, UNAVAILABLE, WAITING_MOST, PresenceConnections, Recheck, Socket, SocketHandler
from presence.visibility import NO_USERS, PresenceLookup, PresentMembers, Visibility, see_typing
from presence.watchers import Watchers

WORKERS = 256
TICK_SECONDS = 0.25
log = structlog.get_logger(__name__)


class Sockets(SocketHandler):
    """The presence sockets of one node.

    `read_intervals(user)` reads the user's membership intervals. `stream_conversations(user)` returns the conversations
    that the user's streams on this node know of.
    """

    def __init__(
        self,
        settings: Settings,
        pool: Pool,
        registry: Registry,
        rates: Rates,
        read_intervals: Callable[[int], Awaitable[MembershipIntervals]],
        stream_conversations: Callable[[int], Iterable[int]],
    ) -> None:
        self.settings, self.registry, self.rates = settings, registry, rates
        self.clock, self.limited = asyncio.get_running_loop().time, settings.rate_limits
        self.scope, self.visibility, self.typing = WatchScope(read_intervals), Visibility(pool), TypingUsers()
        self.roster = PresenceConnections(settings.sockets_per_person, settings.socket_beat, self._beat)
        self.mirror = Mirror(registry, lambda record: self.watchers.user_changed(record), self._own_changed)
        self.watchers = Watchers(self.mirror.record, self._visible_typing, self._send_own)
        self.lookup = PresenceLookup(registry, rates, self.visibility)
        self.present = PresentMembers(pool, registry, self.visibility)
        parts = self.scope, self.visibility, self.mirror, self.watchers
        self.dispatcher = SignalDispatcher(registry, rates, *parts, self.roster.observe, self._announce_degraded)
        self.follower = LogFollower(self.scope, self.roster, self.typing, self.watchers, self.take, self.clock)
        self.dashboard, self.history = Dashboard(registry, self.roster), History(pool, registry)
        self.rooms = ActiveConversations(
            registry, lambda user_id: self.scope.conversations(user_id) or stream_conversations(user_id)
        )
        self._busy: asyncio.Queue[Socket] = asyncio.Queue()
        self._degraded = False
        registry.subscriber.on(registry.channels.typing, self._on_typing, lambda _conversation: None)
        registry.on_revoked.append(self.roster.revoke)

    def works(self) -> Works:
        """Return the background tasks by name."""
        workers: Works = {f"answer signals {n}": self._work for n in range(WORKERS)}
        return workers | {
            "beat for sockets": self.roster.beat,
            "mirror presence": self.mirror.run,
            **self.visibility.works,
            "expire typing": self._tick,
            "forget conversations": self.scope.run,
            "send dashboard figures": self.dashboard.run,
            "store figures": self.history.run,
            "count users by conversation": self.rooms.run,
        }

    def waiting(self) -> int:
        """Return how many sockets wait for a worker, new ones included."""
        return self._busy.qsize()

    def make(self, member: Member) -> Socket:
        """Return a socket that is about to open."""
        return Socket(member, self.registry.open(member.user_id, member.session_id, "socket"), self)

    def enter(self, socket: Socket) -> None:
        """Add an open socket; it is sent `hello` before anything else."""
        socket.deadline = self.clock() + socket.member.seconds_left()
        self.roster.add(socket, acting=socket.member.acting)
        self.mirror.follow(socket.member.user_id)
        socket.inbox = deque()
        self._busy.put_nowait(socket)

    def take(self, socket: Socket, signal: Signal | Recheck) -> None:
        """Queue a signal behind the earlier ones of the socket."""
        if socket.inbox is None:
            socket.inbox = deque()
            self._busy.put_nowait(socket)
        socket.inbox.append(signal)
        if len(socket.inbox) > WAITING_MOST:
            socket.close(*TOO_FAST)

    def resumed(self, socket: Socket) -> None:
        """Send what is pending to a client that reads again."""
        self.watchers.ready(socket)

    def gone(self, socket: Socket) -> None:
        """Remove a closed socket. Its linger stays in the registry."""
        self.roster.remove(socket)
        self.registry.close(socket.connection)
        self.dispatcher.unwatch(
            socket, [*(socket.users or ()), *(socket.unseen or ())], list(socket.conversations or ())
        )
        self.mirror.release(socket.member.user_id)
        if socket.in_scope:
            self.scope.leave(socket.member.user_id)

    async def _work(self) -> None:
        while True:
            socket = await self._busy.get()
            try:
                await self._serve(socket)
            except POSTGRES_AWAY + REDIS_AWAY as error:
                log.warning("database unavailable, closing socket", error=repr(error))
                socket.close(*UNAVAILABLE)
            except Exception:
                log.exception("signal failed", user=socket.member.user_id)
                socket.close(*FAILED)

    async def _serve(self, socket: Socket) -> None:
        if not socket.greeted and socket.open:
            socket.in_scope = True
            await self.scope.enter(socket.member.user_id)
            await self.dispatcher.greet(
                socket, self.settings.node, self.settings.socket_beat
            )  # it may have gone meanwhile
        while socket.inbox and socket.open:
            await self._answer(socket, socket.inbox.popleft())
        socket.inbox = None

    async def _answer(self, socket: Socket, signal: Signal | Recheck) -> None:
        try:
            await self.dispatcher.dispatch(socket, signal)
        except ApiError as error:
            socket.send_error(error)
        except POSTGRES_AWAY + REDIS_AWAY:
            if isinstance(signal, Recheck):
                raise  # the client might still see users that it may not: close, so that it reconnects
            socket.send_error(Unavailable())

    def _beat(self, socket: Socket, whole: bool) -> None:
        witness = self.scope.witness(socket.member.user_id)
        if whole or witness != socket.witness_sent:
            socket.witness_sent = witness
            socket.send_message({"type": "beat", "witness": witness})

    def _own_changed(self, user_id: int) -> None:
        for socket in self.roster.of_user(user_id):
            socket.own_news = True
            self.watchers.ready(socket)

    def _send_own(self, socket: Socket) -> None:
        own = self.mirror.own(socket.member.user_id)
        if own is not None and own[0] > socket.own_version:
            socket.own_version = own[0]
            socket.send_message({"type": "you", "you": describe_own(socket.member.user_id, own)})

    def _on_typing(self, conversation: bytes, data: bytes) -> None:
        user_id, on = map(int, data.split())
        # Repeated signals are sent again, because a client, too, drops a list after six seconds.
        if self.typing.note(int(conversation), user_id, bool(on), self.clock()) or on:
            self.watchers.typing_changed(int(conversation), user_id)

    def _visible_typing(self, socket: Socket, conversation_id: int) -> list[int] | None:
        belongs = self.scope.conversations(socket.member.user_id)
        return see_typing(belongs, socket.hidden or NO_USERS, conversation_id, self.typing.users(conversation_id))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for conversation_id, user_id in self.typing.expire(self.clock()):
                self.watchers.typing_changed(conversation_id, user_id)
            self._announce_degraded()

    def _announce_degraded(self) -> bool:
        """Send `degraded` to all sockets if it has changed. Also called at each hello, so that no client misses it."""
        if self._degraded != self.registry.degraded:
            self._degraded = not self._degraded
            for socket in self.roster:
                if socket.greeted:
                    socket.send_message({"type": "degraded", "on": self._degraded})
        return self._degraded
