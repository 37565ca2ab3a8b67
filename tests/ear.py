"""An ear: a plain reader of the stream that keeps every byte, so that tests can say what was heard."""

import asyncio
from dataclasses import dataclass

import aiohttp
import orjson

from tests.waiting import eventually


@dataclass(frozen=True)
class Event:
    """One event of the stream, as an EventSource would see it; `raw` is all its bytes."""

    id: str
    event: str
    data: bytes
    raw: bytes

    def json(self) -> dict:  # type: ignore[type-arg]
        """The data, decoded."""
        return orjson.loads(self.data)


def parse_event(raw: bytes) -> Event:
    """The event in one block of lines."""
    fields = dict(line.split(b": ", 1) for line in raw.split(b"\n") if b": " in line)
    return Event(
        fields.get(b"id", b"").decode(), fields.get(b"event", b"message").decode(), fields.get(b"data", b""), raw
    )


class Ear:
    """Listens to one stream until it is closed or its wire is cut."""

    def __init__(self, http: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> None:
        self._http, self._url, self._headers = http, url, headers
        self.events: list[Event] = []
        self.status = 0
        self.response: aiohttp.ClientResponse | None = None
        self._task = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        rest = b""
        try:
            async with self._http.get(self._url, headers=self._headers) as self.response:
                self.status = self.response.status
                async for piece in self.response.content.iter_any():
                    *blocks, rest = (rest + piece).split(b"\n\n")
                    self.events += map(parse_event, blocks)
        except aiohttp.ClientError:
            pass

    @property
    def closed(self) -> bool:
        """Has the server ended it, or the wire been cut?"""
        return self._task.done()

    @property
    def cursor(self) -> str:
        """The id of the last event that had one: what an EventSource would send as Last-Event-ID."""
        return next((event.id for event in reversed(self.events) if event.id), "")

    def messages(self) -> list[dict]:  # type: ignore[type-arg]
        """The messages heard, in order."""
        return [event.json() for event in self.events if event.event == "message"]

    def bodies(self) -> list[str]:
        """What was said, in the order it was heard."""
        return [message["body"] for message in self.messages()]

    def named(self, event: str) -> list[Event]:
        """The events of this name."""
        return [one for one in self.events if one.event == event]

    async def hears(self, *bodies: str, limit: float = 5.0) -> None:
        """Wait until exactly these have been heard, in this order."""
        await eventually(lambda: len(self.bodies()) >= len(bodies), limit)
        assert self.bodies() == list(bodies)

    async def hears_event(self, event: str, limit: float = 5.0) -> Event:
        """Wait for an event of this name; the first one."""
        return (await eventually(lambda: self.named(event), limit))[0]

    async def ends(self, limit: float = 5.0) -> None:
        """Wait until the stream is over."""
        await eventually(lambda: self.closed, limit)

    async def cuts_wire(self) -> None:
        """Pull the plug: no goodbye."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
