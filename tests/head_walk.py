"""HEAD on every route, each followed by another user's request: no byte of one answer may reach the other."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import orjson
from aiohttp import web

from chat.app import ROUTES
from tests.cast import Cast, Person
from tests.files.sending import posts, sends
from tests.promises.test_identity import filled, routes
from tests.verbs import begins

SECONDS = 60.0  # for one answer: only one that never comes fails
SECRET = b"only-for-ana"
UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}==\r\n"
Dial = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes that came for one request."""

    status: int
    headers: dict[str, str]
    body: bytes


class KeptAlive:
    """Requests one after the other on one connection, which is opened again only after an answer that ends it."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def asks(self, method: str, path: str, person: Person, more: str = "") -> Answer:
        """Send a request; return the answer, which must start at the connection's next byte."""
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await self._dial()
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {person.token}\r\n{more}\r\n"
        self._writer.write(head.encode())
        async with asyncio.timeout(SECONDS):
            return await self._read(self._reader, method)

    async def _read(self, reader: asyncio.StreamReader, method: str) -> Answer:
        text = await reader.readuntil(b"\r\n\r\n")
        assert text.startswith(b"HTTP/1.1 "), text
        first, *lines = text.decode().strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        status, body = int(first.split(" ")[1]), b""
        if method != "HEAD" and status not in (204, 304):
            body = await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            assert await reader.read() == b""
            self.hangs_up()
        return Answer(status, headers, body)

    def hangs_up(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None


def every_path() -> list[str]:
    """Return the path of each route of a node, with ids for its parameters; the stream also as a long poll."""
    app = web.Application()
    app.add_routes(ROUTES["all"])
    paths = {filled(path) for _, path in routes(app)}
    return [*sorted(paths), "/api/chat/stream?poll=25", "/api/chat/stream?after=x.0"]


async def sets_scene(cast: Cast, at: str) -> list[Person]:
    """Create a conversation, a message, a file and a user name of ana's; ben and chloe are strangers."""
    people = await cast.enters("ana", "ben", "chloe")
    for person in people:
        person.at = at
    ana = people[0]
    room = await begins(ana, "channel", SECRET.decode())
    await posts(ana, room, await sends(ana, SECRET * 1_000, "1"), body=SECRET.decode())
    assert (await ana.call("PATCH", "/api/users/me", {"about": SECRET.decode()}))[0] == 200
    return people


async def walks(dial: Dial, people: Sequence[Person], paths: Sequence[str], more: str = "") -> list[int]:
    """Send HEAD as ana, then a request as ben on the same connection, and as chloe on another one; return the statuses
    of HEAD."""
    ana, ben, chloe = people
    shared, other, statuses = KeptAlive(dial), KeptAlive(dial), []
    try:
        for path in paths:
            statuses.append((await shared.asks("HEAD", path, ana, more)).status)
            await ana.says(1, SECRET.decode())  # bytes that a stream would write now
            for connection, person in ((shared, ben), (other, chloe)):
                answer = await connection.asks("GET", "/api/users/me", person)
                assert (answer.status, orjson.loads(answer.body)["id"]) == (200, person.id), path
                assert SECRET not in answer.body
    finally:
        shared.hangs_up()
        other.hangs_up()
    return statuses


async def walks_everywhere(dial: Dial, people: Sequence[Person]) -> None:
    """Walk all routes; those that hand their connection over refuse HEAD, also with an upgrade."""
    paths = every_path()
    statuses = dict(zip(paths, await walks(dial, people, paths), strict=True))
    assert statuses["/api/users/me"] == statuses["/api/files/1/1"] == 200
    assert {statuses[path] for path in statuses if path.startswith("/api/chat/stream")} == {405}
    sockets = [path for path in paths if path.endswith("/socket")]
    assert len(sockets) == 2
    assert await walks(dial, people, sockets, UPGRADE.format(key="A" * 22)) == [405, 405]
