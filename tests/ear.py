"""An ear: a plain reader of the stream that keeps every byte, so that tests can say what was heard."""

import asyncio

import aiohttp

from chat.client.sse import EventParser, StreamEvent
from tests.waiting import eventually


class Ear:
    """Listens to one stream until it is closed or its wire is cut."""

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

    def named(self, event: str) -> list[StreamEvent]:
        """The events of this name."""
        return [one for one in self.events if one.event == event]

    async def hears(self, *bodies: str, limit: float = 5.0) -> None:
        """Wait until exactly these have been heard, in this order."""
        await eventually(lambda: len(self.bodies()) >= len(bodies), limit)
        assert self.bodies() == list(bodies)

    async def hears_event(self, event: str, limit: float = 5.0) -> StreamEvent:
        """Wait for an event of this name; the first one."""
        return (await eventually(lambda: self.named(event), limit))[0]

    async def ends(self, limit: float = 5.0) -> None:
        """Wait until the stream is over."""
        await eventually(lambda: self.closed, limit)

    async def cuts_wire(self) -> None:
        """Pull the plug: no goodbye."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
