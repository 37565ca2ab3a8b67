"""Run each attack of a hostile account, and measure meanwhile how long the node takes to answer `/health/live`.

`python -m chat.tools.bench.hostile PORT` is the probe, in a process of its own: it prints an empty line as it begins,
ends with its standard input, and prints the milliseconds of every answer as JSON.
"""

import asyncio
import gzip
import http.client
import select
import socket
import struct
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import quote

import orjson

from chat.shared.transport.ws_frames import unmask
from chat.tools.bench.report import BenchReport, Row
from chat.tools.bench.targets import KEY

if TYPE_CHECKING:  # the probe starts sooner without it
    from chat.tools.bench.runner import Bench

BAR = 0.25  # seconds that any answer of /health/live may take
SECONDS = 2.0  # of a flood
CALM = 0.3  # seconds before and after a case
PAUSE = 0.01  # between two probes

# Limits are part of what is measured, so they are as in production.
SETTINGS = {"RATE_LIMITS": "on", "LAG_MOST": "0.5"}


async def measure_hostile(bench: "Bench") -> BenchReport:
    """Run every case, each with an account of its own; report the slowest answer of /health/live during each."""
    report = BenchReport("hostile")
    with bench.counting("hostile cases", len(CASES)) as show:
        for n, name in enumerate(CASES):
            report.rows.append(await measure_case(bench, name))
            show(n + 1)
    return report


async def measure_case(bench: "Bench", name: str) -> Row:
    """Run one case beside the probe."""
    (user,) = await bench.environment.fixtures.enter(1)
    port = bench.environment.ports[0]
    scale = min(1.0, bench.scale)
    mallory = Mallory(port, user.token, await bench.environment.fixtures.share([user]), SECONDS * scale, scale)
    command = [sys.executable, "-m", "chat.tools.bench.hostile", str(port)]
    pipe = asyncio.subprocess.PIPE
    probe = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert probe.stdout is not None
    await probe.stdout.readline()
    await asyncio.sleep(CALM)
    try:
        await asyncio.to_thread(CASES[name], mallory)
        await asyncio.sleep(CALM)
    finally:
        said, _ = await probe.communicate(b"")
        mallory.leave()
    took = orjson.loads(said)
    note = (
        f"{mallory.requests:,} requests, {mallory.sent:,} bytes; median {median(took):.1f} ms of {len(took):,} probes"
    )
    return Row(name, max(took) / 1e3, "s", BAR, note=note)


def probe_until_told() -> None:
    """Request `/health/live` again and again until the standard input ends."""
    took: list[float] = []
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
    print(flush=True)
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        began = time.perf_counter()
        connection.request("GET", "/health/live")
        connection.getresponse().read()
        took.append((time.perf_counter() - began) * 1e3)
    print(orjson.dumps(took).decode())


# What one hostile account does to a node: each case of the security review, bounded in time and in number. A case is
# a function of a `Mallory`; it returns when it has sent everything, or when its time is over.

PICTURE = 7990, 8000
READ_BYTES = 1024


@dataclass
class Mallory:
    """A hostile account. `seconds` limits a flood in time, `scale` the number of requests; requests and bytes are
    counted."""

    port: int
    token: str
    room: int
    seconds: float
    scale: float
    requests: int = 0
    sent: int = 0
    held: list[socket.socket] = field(default_factory=list)

    def times(self, count: int) -> range:
        """Return as many turns as the scale allows."""
        return range(max(1, round(count * self.scale)))

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> bytes:
        """Send one request and read the answer, whatever it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        access = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        access |= {name.replace("_", "-"): value for name, value in headers.items()}
        self.count(len(body or b""))
        try:
            connection.request(method, path, body, access)
            return connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return b""
        finally:
            connection.close()

    def post(self, bodies: list[str]) -> None:
        """Post these texts in one batch."""
        batch = [{"conversation": self.room, "body": body, "client_id": f"h{n}"} for n, body in enumerate(bodies)]
        self.ask("POST", "/api/chat/messages", orjson.dumps({"messages": batch}))

    def open(self, head: str) -> socket.socket:
        """Connect and send the head of a request."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        self.held.append(connection)
        data = f"{head}\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\n".encode()
        connection.sendall(data)
        self.count(len(data))
        return connection

    def count(self, size: int) -> None:
        """Count one request of so many bytes."""
        self.requests += 1
        self.sent += size

    def leave(self) -> None:
        """Close what is open."""
        for connection in self.held:
            connection.close()


def flood(path: str, frame: bytes) -> Callable[[Mallory], None]:
    """Return a case that sends one small frame over and over, on new sockets as they are closed."""

    def case(mallory: Mallory) -> None:
        end, frames = time.monotonic() + mallory.seconds, frame * (256 * 1024 // len(frame))
        while time.monotonic() < end:
            connection = mallory.open(f"GET {path} HTTP/1.1")
            shake = f"Sec-WebSocket-Key: {KEY.decode()}\r\nSec-WebSocket-Version: 13\r\n"
            connection.sendall(f"Upgrade: websocket\r\nConnection: Upgrade\r\n{shake}\r\n".encode())
            try:
                connection.recv(READ_BYTES)
                while time.monotonic() < end:
                    connection.sendall(frames)
                    mallory.sent += len(frames)
            except OSError:
                time.sleep(0.05)  # closed: the next one

    return case


def masked(opcode: int, data: bytes = b"", *, final: bool = True) -> bytes:
    """Return a client's frame."""
    return bytes((opcode | 0x80 * final, 0x80 | len(data))) + b"mask" + unmask(data, b"mask")


def slow_code(mallory: Mallory) -> None:
    """Post a backtick before thousands of backslashes, one message a request and many."""
    text = "@aa`" + "\\" * 15_990
    path = f"/api/chat/conversations/{mallory.room}/messages"
    for n in mallory.times(20):
        mallory.ask("POST", path, orjson.dumps({"body": text, "client_id": f"c{n}"}))
    mallory.post([text for _ in mallory.times(100)])


def search_signs(mallory: Mallory) -> None:
    """Search long messages in a script without spaces for twenty signs."""
    mallory.post(["東京" * 7_900 + str(n) for n in mallory.times(60)])
    search_often(mallory, "".join(chr(0x4E10 + 2 * n) + " " for n in range(19)) + "東京")


def search_words(mallory: Mallory) -> None:
    """Search long messages for phrases that they nearly contain again and again, and contain at their end."""
    phrases = [f"a b a {sign}" for sign in "cdefghijkl"]
    mallory.post(["a b " * 3_900 + " ".join(phrases) + str(n) for n in mallory.times(60)])
    search_often(mallory, " ".join(f'"{phrase}"' for phrase in phrases[:-1]))


def search_often(mallory: Mallory, text: str) -> None:
    """Ask for the largest page, several times."""
    for _ in mallory.times(10):
        mallory.ask("GET", f"/api/chat/search?limit=100&q={quote(text)}")


def read_nothing(mallory: Mallory) -> None:
    """Long-poll for all messages, and read only the beginning of the answer."""
    mallory.post(["m" * 15_000 for _ in mallory.times(200)])
    cursor = str(orjson.loads(mallory.ask("GET", "/api/chat/conversations"))["cursor"])
    for _ in mallory.times(12):
        head = f"GET /api/chat/stream?poll=0&after={cursor.partition('.')[0]}.0 HTTP/1.1"
        connection = mallory.open(head)
        connection.sendall(b"\r\n")
        connection.recv(READ_BYTES)


def send_gzip(mallory: Mallory) -> None:
    """Log in with compressed bodies that unpack to a thousand times their size."""
    body = gzip.compress(b" " * (60 << 20))
    for _ in mallory.times(16):
        mallory.ask("POST", "/api/sessions", body, Content_Encoding="gzip")


def be_refused(mallory: Mallory) -> None:
    """Post a batch whose messages have hundreds of unknown fields each."""
    item = {f"f{n}": 1 for n in range(900)}
    mallory.ask("POST", "/api/chat/messages", orjson.dumps({"messages": [item for _ in mallory.times(400)]}))


def send_pictures(mallory: Mallory) -> None:
    """Upload small files that are enormous pictures."""
    width, height = PICTURE
    rows = zlib.compress(bytes((width // 8 + 2) * height), 9)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    for _ in mallory.times(8):
        mallory.ask("POST", "/api/files?name=a.png", png, Content_Type="image/png")


def stall_forms(mallory: Mallory) -> None:
    """Begin many uploads and send nothing more."""
    for _ in mallory.times(40):
        connection = mallory.open("POST /api/files HTTP/1.1")
        connection.sendall(b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n")
    time.sleep(min(1.0, mallory.seconds))


PRESENCE, CHAT = "/api/presence/socket", "/api/chat/socket"
CASES: dict[str, Callable[[Mallory], None]] = {
    "pongs on the presence socket": flood(PRESENCE, masked(10)),
    "pings on the presence socket": flood(PRESENCE, masked(9)),
    "fragments on the presence socket": flood(PRESENCE, masked(0, final=False)),
    "pongs on the chat socket": flood(CHAT, masked(10)),
    "fragments on the chat socket": flood(CHAT, masked(0, final=False)),
    "backslashes in code": slow_code,
    "searches for signs": search_signs,
    "searches for phrases": search_words,
    "polls that are not read": read_nothing,
    "compressed bodies": send_gzip,
    "messages with unknown fields": be_refused,
    "enormous pictures": send_pictures,
    "forms that stall": stall_forms,
}


if __name__ == "__main__":
    probe_until_told()
