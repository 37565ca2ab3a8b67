"""A client of the stream that keeps every event."""

import asyncio

import aiohttp

from chat.client.sse import EventParser, StreamEvent
from tests.waiting import LIMIT, eventually


class StreamClient:
    """Reads one stream until it is closed or its connection is dropped."""

    def __init__(self, http: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> None:
        self._http, self._url, self._headers = http, url, headers
        self.events: list[StreamEvent] = []
        self.status = 0
        self.response: aiohttp.ClientResponse | None = None
        self._task = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        parser = EventParser()
        try:
            async with self._http.get(self._url, headers=self._headers) as self.response:
                self.status = self.response.status
                async for piece in self.response.content.iter_any():
                    self.events += parser.feed(piece)
        except aiohttp.ClientError:
            pass

    @property
    def closed(self) -> bool:
        """Whether the server has ended the stream or the connection was dropped."""
        return self._task.done()

    @property
    def cursor(self) -> str:
        """The id of the last event that had one, which an EventSource would send as Last-Event-ID."""
        return next((event.id for event in reversed(self.events) if event.id), "")

    @property
    def kinds(self) -> list[str]:
        """The names of all events in order, without beats, which come with time."""
        return [one.event for one in self.events if one.event != "beat"]

    def messages(self) -> list[dict]:  # type: ignore[type-arg]
        """Return the messages received, in order."""
        return [event.json() for event in self.events if event.event == "message"]

    def bodies(self) -> list[str]:
        """Return the texts received, in order."""
        return [message["body"] for message in self.messages()]

    def named(self, event: str) -> list[StreamEvent]:
        """Return the events of this name."""
        return [one for one in self.events if one.event == event]

    async def hears(self, *bodies: str, limit: float = LIMIT) -> None:
        """Wait until exactly these texts have been received, in this order."""
        await eventually(lambda: len(self.bodies()) >= len(bodies), limit)
        assert self.bodies() == list(bodies)

    async def hears_event(self, event: str, limit: float = LIMIT) -> StreamEvent:
        """Wait for an event of this name; return the first."""
        return (await eventually(lambda: self.named(event), limit))[0]

    async def ends(self, limit: float = LIMIT) -> None:
        """Wait until the stream has ended."""
        await eventually(lambda: self.closed, limit)

    async def cuts_wire(self) -> None:
        """Drop the connection without closing it."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
