"""What each signal brings about. One client's are answered one after the other, in the order in which it said them."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from chat.shared.errors import AdminsOnly, ApiError, NotFound
from chat.shared.rate_limits import Rates
from chat.shared.registry.registry import Registry
from chat.shared.registry.scripts import TYPING
from presence.log_follower import WatchScope
from presence.mirror import Mirror
from presence.records import format_moment
from presence.signals import WATCH_MOST, Beat, Observe, SetStatus, Signal, Typing, Watch
from presence.socket import Recheck, Socket
from presence.visibility import Visibility
from presence.watchers import Watchers

SNAPSHOT_SECONDS = 2.0


class TooManyWatched(ApiError):
    """A client may watch 500 people and 500 conversations at most; stop watching some first."""

    status, code = 422, "too_many_watched"


class SignalDispatcher:
    """Answers signals with the parts of one node."""

    def __init__(
        self,
        registry: Registry,
        rates: Rates,
        scope: WatchScope,
        sight: Visibility,
        mirror: Mirror,
        watchers: Watchers,
        observe: Callable[[Socket], None],
        degraded: Callable[[], bool],
    ) -> None:
        self._registry, self._rates, self._scope, self._sight = registry, rates, scope, sight
        self._mirror, self._watchers, self._observe, self._degraded = mirror, watchers, observe, degraded

    async def dispatch(self, socket: Socket, signal: Signal | Recheck) -> None:
        """Raises a `ApiError`, or that PostgreSQL or Redis is away."""
        if isinstance(signal, Beat):
            self._registry.touch(socket.connection, active=signal.type == "active")
        elif isinstance(signal, SetStatus):
            self._rates.status.acquire(socket.member.user_id)
            await self._registry.choose(socket.member.user_id, signal.to_choice())
        elif isinstance(signal, Typing):
            await self._relay(socket, signal)
        elif isinstance(signal, Recheck):
            await self._recheck(socket)
        elif isinstance(signal, Observe):
            if socket.member.role != "admin":
                raise AdminsOnly
            self._observe(socket)
        elif signal.type == "watch":
            await self._watch(socket, signal)
        else:
            self.unwatch(socket, signal.users, signal.conversations)

    async def _relay(self, socket: Socket, signal: Typing) -> None:
        user_id = socket.member.user_id
        if signal.conversation not in self._scope.conversations(user_id):
            raise NotFound
        self._rates.typing.acquire(user_id)
        own = self._mirror.own(user_id)
        if own is None or not own[1].endswith("invisible"):  # own: "<status> <mode>"
            message = b"%d %d" % (user_id, signal.on)
            await self._registry.redis.publish(b"%b%d" % (TYPING, signal.conversation), message)

    async def _watch(self, socket: Socket, signal: Watch) -> None:
        asked = [one for one in dict.fromkeys(signal.users) if one not in (socket.users or ())]
        people = len((socket.unseen or set()).union(asked)) + len(socket.users or ())
        if max(people, len((socket.rooms or set()).union(signal.conversations))) > WATCH_MOST:
            raise TooManyWatched
        self._rates.watch.acquire(socket.member.user_id, len(asked))
        self._watchers.miss_users(socket, asked)  # before we look: whoever comes into sight meanwhile must be found
        seen = await self._sight.narrow(socket.member.user_id, asked) if asked else set()
        if signal.conversations and socket.hidden is None:
            socket.hidden = await self._sight.hidden(socket.member.user_id)
        if not socket.open:
            return
        for conversation_id in self._watchers.add_rooms(socket, signal.conversations):
            self._registry.subscriber.want(b"%b%d" % (TYPING, conversation_id))
        await self._find(socket, [one for one in asked if one in seen])
        if signal.users:
            known = [one for one in dict.fromkeys(signal.users) if one in (socket.users or ())]
            socket.send(self._watchers.encode(b"snapshot", known))

    async def _find(self, socket: Socket, user_ids: Sequence[int]) -> list[int]:
        """It may see these; returns those that are new to it, once they are known or two seconds have passed."""
        self._watchers.find_users(socket, user_ids)
        fresh = self._watchers.add_users(socket, user_ids)
        for user_id in fresh:
            self._mirror.follow(user_id)
        await self._mirror.await_known(fresh, 0 if self._registry.degraded else SNAPSHOT_SECONDS)
        return fresh

    def unwatch(self, socket: Socket, users: Sequence[int], conversations: Sequence[int]) -> None:
        """It no longer looks at these."""
        self._watchers.find_users(socket, users)
        self._lose(socket, users)
        for conversation_id in self._watchers.drop_rooms(socket, conversations):
            if not self._watchers.has_room(conversation_id):
                self._registry.subscriber.drop(b"%b%d" % (TYPING, conversation_id))

    def _lose(self, socket: Socket, users: Iterable[int]) -> list[int]:
        lost = self._watchers.drop_users(socket, users)
        for user_id in lost:
            self._mirror.release(user_id)
        return lost

    async def _recheck(self, socket: Socket) -> None:
        """Who has gone out of sight is missed from now on, who has come into it is shown."""
        user_id, watched = socket.member.user_id, [*(socket.users or ()), *(socket.unseen or ())]
        socket.to_recheck, socket.rechecking = False, True
        seen = await self._sight.narrow(user_id, watched) if watched else set()
        if socket.hidden is not None:
            socket.hidden = await self._sight.hidden(user_id)
        socket.rechecking = False
        if not socket.open:
            return
        if lost := self._lose(socket, [one for one in watched if one not in seen]):
            self._watchers.miss_users(socket, lost)
            socket.say({"type": "hidden", "users": lost})
        if fresh := await self._find(socket, [one for one in watched if one in seen]):
            socket.send(self._watchers.encode(b"presence", fresh))

    async def greet(self, socket: Socket, node: str, heartbeat: float) -> None:
        """Who he is, as far as the registry knows within two seconds; with Redis away at once."""
        user_id = socket.member.user_id
        held = None
        if not self._registry.degraded:
            try:
                async with asyncio.timeout(SNAPSHOT_SECONDS):
                    held = await self._registry.wait_until_stored(user_id)
            except TimeoutError:
                pass
        if not socket.open:
            return
        own = max([one for one in (held and held.own, self._mirror.own(user_id)) if one], default=None)
        hello = {"type": "hello", "node": node, "heartbeat": heartbeat, "you": describe_own(user_id, own)}
        socket.say(hello | {"witness": self._scope.witness(user_id), "degraded": self._degraded()})
        socket.greeted, socket.own_version = True, own[0] if own else -1


def describe_own(user_id: int, own: Sequence[object] | None) -> dict[str, object]:
    """What a client is told of its own person, from the registry's `[version, "status mode", text, …]`."""
    version, both, text, emoji, until, devices = own or (0, "online online", "", "", 0, 1)
    status, mode = str(both).split(" ")
    return {
        "id": user_id,
        "status": mode if mode == "invisible" else status,
        "mode": mode,
        "text": text,
        "emoji": emoji,
        "until": format_moment(int(str(until))),
        "devices": devices,
        "version": version,
    }
