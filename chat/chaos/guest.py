"""A guest: one person with a device that reads the stream and keeps presence the whole time, or has gone home."""

import asyncio
import time
from collections.abc import Sequence

import aiohttp

from chat.chaos.frames import Events
from chat.chaos.history import History
from chat.chaos.network import Proxy
from chat.chaos.onlooker import Onlooker
from chat.chaos.people import Enrolled
from chat.chaos.reader import Reader
from chat.chaos.rig import Rig
from chat.shared.tasks import Tasks

PAUSE, SILENCE = 1.0, 13.0  # seconds: between attempts; two beats missed


class Guest:
    """One of the people, by way of the balancer or of the bad `wifi`; here `since` a moment of the monotonic clock."""

    def __init__(
        self,
        number: int,
        person: Enrolled,
        rig: Rig,
        wifi: Proxy | None,
        watched: Sequence[int],
        http: aiohttp.ClientSession,
        history: History,
        events: Events,
        tasks: Tasks,
    ) -> None:
        self.name, self.person, self.here = f"guest {number}", person, True
        self.since = time.monotonic()
        port = wifi.port if wifi else rig.balancer.port
        self.reader = Reader(self.name, person.token, lambda: port, history, events, tasks)
        self.reader.pause, self.reader.patience = PAUSE, SILENCE
        self.onlooker = Onlooker(person, http, lambda: f"http://127.0.0.1:{port}", watched, tasks)

    @property
    def ready(self) -> bool:
        """Is all open that should be?"""
        return not self.here or (self.reader.ready and self.onlooker.ready)

    async def goes(self) -> None:
        """Home: both channels close."""
        self.here = False
        await asyncio.gather(self.reader.stops(), self.onlooker.stops())

    def comes(self) -> None:
        """Back, with the cursor of before."""
        self.here, self.since = True, time.monotonic()
        self.reader.begins()
        self.onlooker.begins()
