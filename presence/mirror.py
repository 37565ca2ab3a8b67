"""The mirror: the registry's records of all users that clients of this node watch, kept up to date.

A user is followed while at least one client watches. The channel is subscribed first and the registry read after
that, so that no change is missed. Records merge by version, so their order does not matter.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import orjson
import structlog

from chat.shared.redis import UNAVAILABLE, reason_of
from chat.shared.registry.registry import Registry
from presence.protocol import Record, View, forget, merge

BATCH = 500
AGAIN_SECONDS = 0.25
BREATH_SECONDS = 0.01  # as in the registry writer: changes share a round trip
log = structlog.get_logger(__name__)


class FollowedUser:
    """A followed user. `own`: the user's own view; `known` is done when it and the record have arrived.

    `late`: a client stopped waiting for the record, and must be sent it when it arrives.
    """

    __slots__ = ("known", "late", "own", "watchers")

    def __init__(self) -> None:
        self.watchers, self.late = 0, False
        self.own: list[Any] | None = None
        self.known: asyncio.Future[None] | None = None


class Mirror:
    """Calls `changed(record)` when others see a change of a user, `own_changed(user)` when the own view has changed."""

    def __init__(
        self, registry: Registry, changed: Callable[[Record], None], own_changed: Callable[[int], None]
    ) -> None:
        self._registry, self._changed, self._own_changed = registry, changed, own_changed
        self._followed: dict[int, FollowedUser] = {}
        self._view: View = {}
        self._unread: dict[int, bool] = {}
        self._wake = asyncio.Event()
        registry.subscriber.on(registry.channels.persons, self._on_message, self._confirmed)
        registry.on_lost.append(self._reread_later)

    def follow(self, user_id: int) -> FollowedUser:
        """Add a watcher of a user."""
        followed = self._followed.get(user_id)
        if followed is None:
            followed = self._followed[user_id] = FollowedUser()
            self._registry.subscriber.want(self._registry.channels.of_person(user_id))
        followed.watchers += 1
        return followed

    def release(self, user_id: int) -> None:
        """Remove a watcher of a user; stop following after the last."""
        followed = self._followed[user_id]
        followed.watchers -= 1
        if not followed.watchers:
            del self._followed[user_id]
            forget(self._view, [user_id])
            self._registry.subscriber.drop(self._registry.channels.of_person(user_id))

    def own(self, user_id: int) -> list[Any] | None:
        """Return the user's own view; None if unknown."""
        followed = self._followed.get(user_id)
        return followed.own if followed else None

    def record(self, user_id: int) -> Record | None:
        """Return what others see of the user; None if unknown."""
        return self._view.get(user_id)

    async def await_known(self, user_ids: Sequence[int], seconds: float) -> None:
        """Wait until all these users are known, at most `seconds`. Later records are sent as changes."""
        waited = [
            followed for one in user_ids if one not in self._view and (followed := self._followed.get(one)) is not None
        ]
        for followed in waited:
            followed.known = followed.known or asyncio.get_running_loop().create_future()
        if waited:
            await asyncio.wait([followed.known for followed in waited if followed.known], timeout=seconds)
        for followed in waited:
            if followed.known and not followed.known.done():
                followed.known, followed.late = None, True

    async def run(self) -> None:
        """Read users whose subscription was confirmed, or whose data the registry may have lost, forever."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(BREATH_SECONDS)
            batch = dict(islice(self._unread.items(), BATCH))
            for user_id in batch:
                del self._unread[user_id]
            if not self._unread:
                self._wake.clear()
            try:
                await self._read(batch)
            except UNAVAILABLE as error:
                log.warning("redis unavailable, presence not read", error=reason_of(error))
                await asyncio.sleep(AGAIN_SECONDS)
                self._read_again(batch)

    async def _read(self, batch: dict[int, bool]) -> None:
        # Right after another loss, no live user may appear offline: then read without raising versions.
        raise_versions = not all(batch.values()) and await self._registry.has_lease()
        asked = [(user_id, *self._versions(user_id, trust or not raise_versions)) for user_id, trust in batch.items()]
        for user_id, (shown, own, *_) in (await self._registry.read_views(asked)).items():
            self._take(user_id, shown, own)

    def _versions(self, user_id: int, trust: bool) -> tuple[int, int]:
        followed = self._followed.get(user_id)
        record = self._view.get(user_id)
        if trust or followed is None or record is None or followed.own is None:
            return 0, 0
        return record.version, followed.own[0]

    def _read_again(self, batch: dict[int, bool]) -> None:
        self._unread |= {user_id: trust for user_id, trust in batch.items() if user_id in self._followed}
        if self._unread:
            self._wake.set()

    def _reread_later(self) -> None:
        """Read all users again a lease after the registry lost data.

        By then all live nodes have registered again. A record that is still older than the known one is lost, and the
        registry must raise its version above it.
        """
        seconds = self._registry.timing.lease
        asyncio.get_running_loop().call_later(seconds, lambda: self._read_again(dict.fromkeys(self._followed, False)))

    def _confirmed(self, user_id: bytes) -> None:
        self._read_again({int(user_id): True})

    def _on_message(self, user_id: bytes, data: bytes) -> None:
        self._take(int(user_id), *orjson.loads(data))

    def _take(self, user_id: int, shown: list[Any], own: list[Any]) -> None:
        followed = self._followed.get(user_id)
        if followed is None:
            return
        if followed.own is None or followed.own[0] < own[0]:
            followed.own = own
            self._own_changed(user_id)
        first = user_id not in self._view
        for record in merge(self._view, [make_record(user_id, shown)]):
            waited, followed.known = followed.known, None
            if waited is not None:
                waited.set_result(None)
            if followed.late or (waited is None and (not first or record.version)):
                followed.late = False
                self._changed(record)


def make_record(user_id: int, shown: Sequence[Any]) -> Record:
    """Return a record of the registry's `[version, status, text, emoji, until, devices, last active]`."""
    version, status, text, emoji, until, devices, last_active_at = shown
    return Record(user_id, status, text, emoji, until, last_active_at, devices, version)
