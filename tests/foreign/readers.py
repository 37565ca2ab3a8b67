"""Clients of PyPI, and curl, that read one stream at once and print messages as lines of JSON: {"client", "body"}.

    python -m tests.foreign.readers URL TOKEN

Each is used as its documentation shows. Those that do not connect again by themselves do so in `keep_reading`, with the
id of the last event that they returned. The program ends when standard input does.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable

import httpx
import requests
import requests_sse
import sseclient
from httpx_sse import aconnect_sse

from chat.client.sse import EventParser
from tests.waiting import breathe

SILENCE = 20.0  # seconds; a beat comes every 15
PAUSE = 0.5


class Place:
    """How far one client has come."""

    def __init__(self, client: str) -> None:
        self.client, self.last_id = client, ""

    def takes(self, event_id: str | None, name: str | None, data: str | bytes | None) -> None:
        """Note the id of an event, and print it if it is a message."""
        self.last_id = event_id or self.last_id
        if name in ("", "message", None) and data:
            line = json.dumps({"client": self.client, "body": json.loads(data)["body"]})
            sys.stdout.write(f"{line}\n")  # at once: several threads write
            sys.stdout.flush()

    def headers(self, token: str) -> dict[str, str]:
        """Return the headers of the next request."""
        resume = {"Last-Event-ID": self.last_id} if self.last_id else {}
        return {"Authorization": f"Bearer {token}", "Accept": "text/event-stream", **resume}


async def read_httpx(url: str, token: str, place: Place) -> None:
    """Read with httpx-sse."""
    async with (
        httpx.AsyncClient(timeout=SILENCE) as client,
        aconnect_sse(client, "GET", url, headers=place.headers(token)) as source,
    ):
        async for event in source.aiter_sse():
            place.takes(event.id, event.event, event.data)


def read_sseclient(url: str, token: str, place: Place) -> None:
    """Read with sseclient-py."""
    with requests.get(url, stream=True, headers=place.headers(token), timeout=SILENCE) as response:
        for event in sseclient.SSEClient(response).events():
            place.takes(event.id, event.event, event.data)


def read_requests(url: str, token: str, place: Place) -> None:
    """Read with requests-sse, which connects again by itself."""
    headers = {"Authorization": f"Bearer {token}"}
    with requests_sse.EventSource(url, headers=headers, latest_event_id=place.last_id, timeout=SILENCE) as source:
        for event in source:
            place.takes(event.last_event_id, event.type, event.data)


async def read_curl(url: str, token: str, place: Place, *options: str) -> None:
    """Read with curl."""
    headers = [option for name, value in place.headers(token).items() for option in ("--header", f"{name}: {value}")]
    curl = await asyncio.create_subprocess_exec(
        "curl", "--silent", "--no-buffer", *options, *headers, url, stdout=asyncio.subprocess.PIPE
    )
    assert curl.stdout is not None
    parser = EventParser()
    while data := await curl.stdout.read(65_536):
        for event in parser.feed(data):
            place.takes(event.id, event.event, event.data)
    await curl.wait()


async def keep_reading(client: str, read: Callable[[Place], Awaitable[None]]) -> None:
    """Read again and again, from where the client stopped."""
    place = Place(client)
    while True:
        try:
            await read(place)
        except (httpx.HTTPError, requests.RequestException) as error:
            print(f"{client}: {error!r}", file=sys.stderr)
        await breathe(PAUSE)


async def main(url: str, token: str) -> None:
    """Run every client until standard input ends."""
    readers: dict[str, Callable[[Place], Awaitable[None]]] = {
        "httpx-sse": lambda place: read_httpx(url, token, place),
        "sseclient-py": lambda place: asyncio.to_thread(read_sseclient, url, token, place),
        "requests-sse": lambda place: asyncio.to_thread(read_requests, url, token, place),
        "curl": lambda place: read_curl(url, token, place),
        "curl --http1.0": lambda place: read_curl(url, token, place, "--http1.0"),
        "curl --compressed": lambda place: read_curl(url, token, place, "--compressed"),
    }
    reading = [asyncio.ensure_future(keep_reading(client, read)) for client, read in readers.items()]
    await asyncio.to_thread(sys.stdin.read)
    for task in reading:
        task.cancel()
    sys.stdout.flush()
    os._exit(0)  # the threads of the blocking clients still read


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
