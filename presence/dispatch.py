"""Process signals. The signals of one client are processed in the order in which it sent them."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from chat.shared.errors import AdminsOnly, ApiError, Forbidden, NotFound
from chat.shared.identity import Member
from chat.shared.rate_limits import Rates
from chat.shared.registry.registry import Registry
from presence.log_follower import WatchScope
from presence.mirror import Mirror
from presence.protocol import WATCH_MOST, Beat, Observe, SetStatus, Signal, Typing, Watch, format_moment
from presence.socket import Recheck, Socket
from presence.visibility import Visibility
from presence.watchers import Watchers

SNAPSHOT_SECONDS = 2.0


class BotStatus(Forbidden):
    """A bot is never present. Act for a user with the header Tandem-User to send their status."""

    code = "bot_status"


class TooManyWatched(ApiError):
    """A client can watch at most 500 users and 500 conversations. Stop watching some first."""

    status, code = 422, "too_many_watched"


class SignalDispatcher:
    """Processes the signals of all sockets of a node."""

    def __init__(
        self,
        registry: Registry,
        rates: Rates,
        scope: WatchScope,
        visibility: Visibility,
        mirror: Mirror,
        watchers: Watchers,
        observe: Callable[[Socket], None],
        degraded: Callable[[], bool],
    ) -> None:
        self._registry, self._rates, self._scope, self._visibility = registry, rates, scope, visibility
        self._mirror, self._watchers, self._observe, self._degraded = mirror, watchers, observe, degraded

    async def dispatch(self, socket: Socket, signal: Signal | Recheck) -> None:
        """Process one signal; raise an `ApiError`, or that PostgreSQL or Redis is unavailable."""
        check_key(socket.member, signal)
        if isinstance(signal, Beat):
            self._registry.touch(socket.connection, active=signal.type == "active")
        elif isinstance(signal, SetStatus):
            self._rates.status.acquire(socket.member.payer)
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
        self._rates.typing.acquire(socket.member.payer)
        own = self._mirror.own(user_id)
        if own is None or not own[1].endswith("invisible"):  # own: "<status> <mode>"
            message = b"%d %d" % (user_id, signal.on)
            await self._registry.redis.publish(self._registry.channels.of_typing(signal.conversation), message)

    async def _watch(self, socket: Socket, signal: Watch) -> None:
        asked = [one for one in dict.fromkeys(signal.users) if one not in (socket.users or ())]
        users = len((socket.unseen or set()).union(asked)) + len(socket.users or ())
        if max(users, len((socket.conversations or set()).union(signal.conversations))) > WATCH_MOST:
            raise TooManyWatched
        self._rates.watch.acquire(socket.member.payer, len(asked))
        self._watchers.add_unseen(socket, asked)  # first, so that users who become visible meanwhile are not missed
        seen = await self._visibility.filter_visible(socket.member.user_id, asked) if asked else set()
        if signal.conversations and socket.hidden is None:
            socket.hidden = await self._visibility.read_hidden(socket.member.user_id)
        if not socket.open:
            return
        for conversation_id in self._watchers.add_conversations(socket, signal.conversations):
            self._registry.subscriber.want(self._registry.channels.of_typing(conversation_id))
        await self._show(socket, [one for one in asked if one in seen])
        if signal.users:
            known = [one for one in dict.fromkeys(signal.users) if one in (socket.users or ())]
            socket.send(self._watchers.encode(b"snapshot", known))

    async def _show(self, socket: Socket, user_ids: Sequence[int]) -> list[int]:
        """Start to watch visible users. Return the new ones when their records are known, or after 2 s."""
        self._watchers.drop_unseen(socket, user_ids)
        fresh = self._watchers.add_users(socket, user_ids)
        for user_id in fresh:
            self._mirror.follow(user_id)
        await self._mirror.await_known(fresh, 0 if self._registry.degraded else SNAPSHOT_SECONDS)
        return fresh

    def unwatch(self, socket: Socket, users: Sequence[int], conversations: Sequence[int]) -> None:
        """Stop watching users and conversations."""
        self._watchers.drop_unseen(socket, users)
        self._hide(socket, users)
        for conversation_id in self._watchers.drop_conversations(socket, conversations):
            if not self._watchers.is_watched(conversation_id):
                self._registry.subscriber.drop(self._registry.channels.of_typing(conversation_id))

    def _hide(self, socket: Socket, users: Iterable[int]) -> list[int]:
        hidden = self._watchers.drop_users(socket, users)
        for user_id in hidden:
            self._mirror.release(user_id)
        return hidden

    async def _recheck(self, socket: Socket) -> None:
        """Check again which of the watched users are visible; hide or show those for whom it has changed."""
        user_id, watched = socket.member.user_id, [*(socket.users or ()), *(socket.unseen or ())]
        socket.to_recheck, socket.rechecking = False, True
        seen = await self._visibility.filter_visible(user_id, watched) if watched else set()
        if socket.hidden is not None:
            socket.hidden = await self._visibility.read_hidden(user_id)
        socket.rechecking = False
        if not socket.open:
            return
        if hidden := self._hide(socket, [one for one in watched if one not in seen]):
            self._watchers.add_unseen(socket, hidden)
            socket.send_message({"type": "hidden", "users": hidden})
        if fresh := await self._show(socket, [one for one in watched if one in seen]):
            socket.send(self._watchers.encode(b"presence", fresh))

    async def greet(self, socket: Socket, node: str, heartbeat: float) -> None:
        """Send `hello` with the user's own view if the registry returns it within 2 s, at once if it is down."""
        user_id = socket.member.user_id
        devices = None
        if not self._registry.degraded:
            try:
                async with asyncio.timeout(SNAPSHOT_SECONDS):
                    devices = await self._registry.wait_until_stored(user_id)
            except TimeoutError:
                pass
        if not socket.open:
            return
        own = max([one for one in (devices and devices.own, self._mirror.own(user_id)) if one], default=None)
        hello = {"type": "hello", "node": node, "heartbeat": heartbeat, "you": describe_own(user_id, own)}
        socket.send_message(hello | {"witness": self._scope.witness(user_id), "degraded": self._degraded()})
        socket.greeted, socket.own_version = True, own[0] if own else -1


def check_key(member: Member, signal: Signal | Recheck) -> None:
    """Raise an error if an API key may not send this signal. Watching needs the scope that opened the socket."""
    if member.key is None:
        return
    if isinstance(signal, Beat | SetStatus) and not member.acting:
        raise BotStatus
    if isinstance(signal, SetStatus):
        member.key.check("users:write", None)
    elif isinstance(signal, Typing):
        member.key.check("messages:write", signal.conversation)


def describe_own(user_id: int, own: Sequence[object] | None) -> dict[str, object]:
    """Return the user's own view for clients, from the registry's `[version, "status mode", text, …]`."""
    version, status_mode, text, emoji, until, devices = own or (0, "online online", "", "", 0, 1)
    status, mode = str(status_mode).split(" ")
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
