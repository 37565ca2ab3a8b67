"""The mirror: what the registry says of the people that somebody on this node looks at, kept up to date.

A person is followed from the first look to the last. First the channel is subscribed, then the registry is read, so
that nothing falls in between; records merge by version, so that their order does not matter.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import orjson
import structlog

from chat.shared.redis import UNAVAILABLE
from chat.shared.registry.registry import Registry
from chat.shared.registry.scripts import PERSON
from presence.records import Record, View, forget, merge

BATCH = 500
AGAIN_SECONDS = 0.25
BREATH_SECONDS = 0.01  # as in the writer: what arrives meanwhile goes into the next round trip
log = structlog.get_logger(__name__)


class FollowedUser:
    """One person. `own`: what he sees of himself; `known` is done when that and his record are there; `owed`: somebody
    has gone on without, and is to be told then, whoever else still waits."""

    __slots__ = ("known", "lookers", "owed", "own")

    def __init__(self) -> None:
        self.lookers, self.owed = 0, False
        self.own: list[Any] | None = None
        self.known: asyncio.Future[None] | None = None


class Mirror:
    """`changed(record)` is called with what others see of a person, `own_changed(person)` when his own view is new."""

    def __init__(
        self, registry: Registry, changed: Callable[[Record], None], own_changed: Callable[[int], None]
    ) -> None:
        self._registry, self._changed, self._own_changed = registry, changed, own_changed
        self._followed: dict[int, FollowedUser] = {}
        self._view: View = {}
        self._unread: dict[int, bool] = {}
        self._wake = asyncio.Event()
        registry.subscriber.on(PERSON, self._hear, self._confirmed)
        registry.on_lost.append(self._mistrust)

    def follow(self, user_id: int) -> FollowedUser:
        """One more looks at this person."""
        followed = self._followed.get(user_id)
        if followed is None:
            followed = self._followed[user_id] = FollowedUser()
            self._registry.subscriber.want(b"%b%d" % (PERSON, user_id))
        followed.lookers += 1
        return followed

    def release(self, user_id: int) -> None:
        """One fewer."""
        followed = self._followed[user_id]
        followed.lookers -= 1
        if not followed.lookers:
            del self._followed[user_id]
            forget(self._view, [user_id])
            self._registry.subscriber.drop(b"%b%d" % (PERSON, user_id))

    def own(self, user_id: int) -> list[Any] | None:
        """What the person sees of himself; None while that is not known."""
        followed = self._followed.get(user_id)
        return followed.own if followed else None

    def record(self, user_id: int) -> Record | None:
        """What others see of the person; None while that is not known."""
        return self._view.get(user_id)

    async def await_known(self, user_ids: Sequence[int], seconds: float) -> None:
        """Wait until all of them are known, but no longer than that; who comes later comes as a change."""
        waited = [
            followed for one in user_ids if one not in self._view and (followed := self._followed.get(one)) is not None
        ]
        for followed in waited:
            followed.known = followed.known or asyncio.get_running_loop().create_future()
        if waited:
            await asyncio.wait([followed.known for followed in waited if followed.known], timeout=seconds)
        for followed in waited:
            if followed.known and not followed.known.done():
                followed.known, followed.owed = None, True

    async def run(self) -> None:
        """Read whom a subscription has just been confirmed for, or of whom the registry may have lost something."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(BREATH_SECONDS)
            batch = dict(islice(self._unread.items(), BATCH))
            for user_id in batch:
                del self._unread[user_id]
            if not self._unread:
                self._wake.clear()
            try:
                await self._look(batch)
            except UNAVAILABLE as error:
                log.warning("people cannot be looked up now", error=repr(error))
                await asyncio.sleep(AGAIN_SECONDS)
                self._read_again(batch)

    async def _look(self, batch: dict[int, bool]) -> None:
        # In the moment after another loss, nobody who lives may be taken for offline: then we look without lifting.
        lift = not all(batch.values()) and await self._registry.has_lease()
        asked = [(user_id, *self._versions(user_id, trust or not lift)) for user_id, trust in batch.items()]
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

    def _mistrust(self) -> None:
        """The registry has lost something. After a lease, whoever lives has registered again: whatever is older by
        then than what we know is lost for good, and the registry has to be lifted over it."""
        seconds = self._registry.timing.lease
        asyncio.get_running_loop().call_later(seconds, lambda: self._read_again(dict.fromkeys(self._followed, False)))

    def _confirmed(self, user_id: bytes) -> None:
        self._read_again({int(user_id): True})

    def _hear(self, user_id: bytes, data: bytes) -> None:
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
            if followed.owed or (waited is None and (not first or record.version)):
                followed.owed = False
                self._changed(record)


def make_record(user_id: int, shown: Sequence[Any]) -> Record:
    """From the registry's `[version, status, text, emoji, until, devices, last active]`."""
    version, status, text, emoji, until, devices, last_active_at = shown
    return Record(user_id, status, text, emoji, until, last_active_at, devices, version)
