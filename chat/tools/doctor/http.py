"""HTTP by hand to the public URL, so that the effects of proxies can be seen byte by byte."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

TIMEOUT = 10.0


@dataclass(slots=True)
class HttpAnswer:
    """The head of a response and the body received so far. `version` is the server's, such as "HTTP/1.1"."""

    version: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)
    body: bytes = b""
    ended: bool = False


def unchunk(answer: HttpAnswer) -> bytes:
    """Return the JSON object in the body of a short response."""
    return answer.body[answer.body.find(b"{") : answer.body.rfind(b"}") + 1]


class HttpProbe:
    """A connection with one request. `answer` grows as bytes arrive."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._raw = connection, b""
        self.answer = HttpAnswer()

    def is_local(self) -> bool:
        """Return whether the answer comes from this machine."""
        return ip_address(self._connection.getpeername()[0]).is_loopback

    def read(self, seconds: float) -> bool:
        """Read what arrives within this time. Return whether anything did."""
        self._connection.settimeout(max(0.01, seconds))
        try:
            data = self._connection.recv(65536)
        except TimeoutError:
            return False
        except OSError:
            data = b""
        self.answer.ended = not data
        if self.answer.status:
            self.answer.body += data
        else:
            self._raw += data
            self._take_head()
        return bool(data)

    def read_until(self, word: bytes, seconds: float, times: int = 1) -> bool:
        """Read until the body contains `word` as often as `times`. Return False on a timeout or a closed connection."""
        deadline = time.monotonic() + seconds
        while self.answer.body.count(word) < times and not self.answer.ended and time.monotonic() < deadline:
            self.read(deadline - time.monotonic())
        return self.answer.body.count(word) >= times

    def read_head(self, seconds: float = TIMEOUT) -> HttpAnswer:
        """Read until the head is complete, or nothing more arrives."""
        deadline = time.monotonic() + seconds
        while not self.answer.status and not self.answer.ended and time.monotonic() < deadline:
            self.read(deadline - time.monotonic())
        return self.answer

    def _take_head(self) -> None:
        head, found, rest = self._raw.partition(b"\r\n\r\n")
        if not found:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        self.answer.version, status = first.split(" ", 2)[:2]
        self.answer.status, self.answer.body = int(status), rest
        for line in lines:
            name, _, value = line.partition(":")
            self.answer.headers[name.lower()] = value.strip()
            if name.lower() == "set-cookie":
                self.answer.cookies.append(value.strip().split("=")[0])


class Site:
    """The public URL, and the session to use. Without a `token`, only calls that need no session succeed."""

    def __init__(self, url: str, token: str = "") -> None:
        parts = urlsplit(url)
        self.url, self.token, self.secure = url.rstrip("/"), token, parts.scheme == "https"
        self.host, self.port = parts.hostname or "", parts.port or (443 if self.secure else 80)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._netloc, self._prefix = parts.netloc, parts.path.rstrip("/")

    @contextmanager
    def ask(self, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> Iterator[HttpProbe]:
        """Send a request. Raise `OSError` if that fails. Write header names with underscores."""
        with self._connect(["http/1.1"]) as connection:
            sent = {"Host": self._netloc, "User-Agent": "tandem-doctor", "Content-Length": str(len(body))}
            sent |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
            sent |= {name.replace("_", "-"): value for name, value in headers.items()}
            lines = [
                f"{method} {self._prefix}{path} HTTP/1.1",
                *(f"{name}: {value}" for name, value in sent.items() if value),
            ]
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            yield HttpProbe(connection)

    def speaks_http2(self) -> bool:
        """Return whether it offers HTTP/2 to browsers."""
        if not self.secure:
            return False
        with self._connect(["h2", "http/1.1"]) as connection:
            return isinstance(connection, ssl.SSLSocket) and connection.selected_alpn_protocol() == "h2"

    def _connect(self, protocols: list[str]) -> socket.socket:
        connection = socket.create_connection((self.host, self.port), TIMEOUT)
        if not self.secure:
            return connection
        context = ssl.create_default_context()
        context.set_alpn_protocols(protocols)
        return context.wrap_socket(connection, server_hostname=self.host)
