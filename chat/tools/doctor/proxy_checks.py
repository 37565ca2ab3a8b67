"""Checks over HTTP: streams, sockets, health and metrics behind the public URL; clocks and files of the nodes.

HTTP is written by hand, so that the effects of proxies can be seen byte by byte.
"""

import base64
import secrets
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

import orjson

from chat.shared.registry.reporting import NodeRecord
from chat.tools.doctor.checks import FILE, Finding, compare_clocks, good, recommend, require

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


READY_SECONDS = 5.0
BEATS_SECONDS = 45.0  # by default a stream sends a heartbeat every 15 s, a socket a ping every 20 s
STREAMS_OPENED = 6


def check_stream(site: Site) -> list[Finding]:
    """Check buffering, compression, and whether the stream stays open until its next heartbeat."""
    with site.ask("/api/chat/stream", Accept="text/event-stream", Accept_Encoding="gzip, br, zstd") as probe:
        prompt, answer = probe.read_until(b"event: ready", READY_SECONDS), probe.answer
        if answer.status not in (0, 200):
            return [rejected("stream", answer.status)]
        encoding = answer.headers.get("content-encoding", "")
        if encoding:
            remedy = f"Do not compress text/event-stream: `gzip off;` for /api/chat/stream in {NGINX}."
            return [Finding("compression of streams", "bad", encoding, remedy)]
        if not prompt and b"retry:" in answer.body:  # instead of an error, which an EventSource would not survive
            remedy = "No node accepts streams right now. Repeat this when `tandem nodes` shows one that is ready."
            return [Finding("stream", "unknown", "refused for now", remedy)]
        if not prompt:
            remedy = f"Set `proxy_buffering off;` for /api/chat/stream in {NGINX}. No `http-buffer-request`, no cache."
            return [Finding("buffering of streams", "bad", f"nothing arrived within {READY_SECONDS:g} s", remedy)]
        found = [good("buffering of streams", "events arrive as they are sent"), good("compression of streams", "none")]
        return [*found, check_heartbeats("stream", probe, b"event: beat")]


def check_heartbeats(what: str, probe: HttpProbe, sign: bytes) -> Finding:
    """Check that the connection stays open between two heartbeats. The first may arrive at once."""
    started = time.monotonic()
    alive = probe.read_until(sign, BEATS_SECONDS, times=2)
    lasted = time.monotonic() - started
    about = f"time-outs of the {what}"
    if alive or not probe.answer.ended:
        return good(about, f"two heartbeats in {lasted:.0f} s" if alive else f"open but silent for {lasted:.0f} s")
    remedy = (
        f"Keep idle connections open for at least a minute: `proxy_read_timeout 75s;` in {NGINX}, "
        f"`timeout server` and `timeout tunnel` in {HAPROXY}. Or lower STREAM_BEAT and SOCKET_BEAT."
    )
    return Finding(about, "bad", f"closed after {lasted:.0f} s of silence", remedy)


def check_socket(site: Site) -> list[Finding]:
    """Check the upgrade, and whether an idle socket stays open until its next ping."""
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    handshake = {"Upgrade": "websocket", "Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": key}
    with site.ask("/api/presence/socket", "GET", b"", Origin=site.origin, Connection="Upgrade", **handshake) as probe:
        status = probe.read_head().status
        if status in (401, 403):
            return [rejected("socket", status)]
        remedy = (
            "Forward the upgrade: `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
            f'proxy_set_header Connection "upgrade";` for /api/presence/socket in {NGINX}.'
        )
        upgraded = require("WebSocket upgrade", status == 101, f"HTTP {status}", remedy)
        if status != 101:
            return [upgraded]
        return [upgraded, check_heartbeats("socket", probe, b"\x89")]  # a ping's first byte; text of ours is UTF-8 JSON


def rejected(what: str, status: int) -> Finding:
    """Return the finding for a rejected session."""
    remedy = "Set TANDEM_TOKEN to the token of an open session, or DATABASE_URL: the doctor then creates a session."
    return Finding(what, "bad", f"HTTP {status}", remedy)


def check_spread(site: Site) -> list[Finding]:
    """Check for stickiness: which nodes several streams of one client reach, and which cookies a balancer adds."""
    nodes, cookies = set(), set()
    for _ in range(STREAMS_OPENED):
        with site.ask("/api/chat/stream", Accept="text/event-stream") as probe:
            if not probe.read_until(b"event: ready", READY_SECONDS):  # the others would wait as long
                return [Finding("stickiness", "unknown", f"a stream sent nothing within {READY_SECONDS:g} s")]
            probe.read_until(b"}", 1)
            cookies |= set(probe.answer.cookies) - {"tandem"}
            nodes.add(find_node(probe.answer.body))
    found = f"{STREAMS_OPENED} streams on {', '.join(sorted(nodes))}"
    found += f"; cookies {', '.join(sorted(cookies))}" if cookies else ""
    remedy = f"Remove `cookie` and `hash` from {HAPROXY}: stickiness is not needed, and it keeps load uneven."
    return [recommend("stickiness", not cookies, found, remedy)]


def find_node(body: bytes) -> str:
    """Return the node named in the `ready` event, or "?"."""
    data = body[body.find(b'{"cursor"') :].split(b"\n", 1)[0]
    try:
        return str(orjson.loads(data).get("node", "?"))
    except orjson.JSONDecodeError:
        return "?"


def check_forwarding(site: Site) -> list[Finding]:
    """Check the address that the node sees, and whether a client can forge it."""
    claimed = "203.0.113.77"
    with site.ask("/api/operations/echo", X_Forwarded_For=claimed) as probe:
        probe.read_head()
        probe.read_until(b"}", 2)
        data, local = unchunk(probe.answer), probe.is_local()
    try:
        echo = orjson.loads(data)
        address, forwarded, trusted = str(echo["address"]), str(echo["forwarded"]), bool(echo["trusted"])
    except (orjson.JSONDecodeError, KeyError):
        return [Finding("forwarded headers", "unknown", f"HTTP {probe.answer.status}")]
    if address == claimed and local:
        remedy = "Run `tandem doctor` with the public URL from another machine."
        found = "not checked: the doctor runs on the proxy's machine, which may be trusted itself"
        return [Finding("forwarded headers", "unknown", found, remedy)]
    if address == claimed:
        remedy = f"Let the proxy set the header: `proxy_set_header X-Forwarded-For $remote_addr;` in {NGINX}."
        return [Finding("forwarded headers", "bad", "clients can forge their address and so avoid rate limits", remedy)]
    if forwarded != claimed and not trusted:
        remedy = f"Set TRUSTED_PROXIES={address} in {FILE}. Otherwise all users share the rate limits of one address."
        return [Finding("forwarded headers", "bad", f"all users seem to come from {address}, the proxy", remedy)]
    return [good("forwarded headers", f"the node sees {address}")]


# Checks that need no session.

NGINX, HAPROXY = "nginx's server block", "haproxy.cfg"


def check_site(site: Site) -> list[Finding]:
    """Check everything that needs no session. Return one finding if nothing answers."""
    try:
        with site.ask("/health/ready") as probe:
            answer = probe.read_head()
            probe.read_until(b"}", 2)
    except OSError as error:
        remedy = "Check the URL, the firewall and whether the proxy runs. `curl -i URL/health/ready` shows the same."
        return [Finding("public URL", "bad", f"{site.url} does not answer: {error}", remedy)]
    ready = check_hidden(site) if answer.status == 404 else check_ready(answer)
    return [ready, check_versions(site, answer), check_host(site), check_metrics(site)]


def check_hidden(site: Site) -> Finding:
    """Check an address that does not expose health: a node must reject a call without a session."""
    with site.ask("/api/operations/echo", Authorization="") as probe:
        status = probe.read_head().status
    remedy = "The server that answers is not a Tandem node. Check where the proxy sends requests, and its log."
    found = "a node answers; health is not exposed here" if status == 401 else f"HTTP {status} from the API"
    return require("readiness", status == 401, found, remedy)


def check_ready(answer: HttpAnswer) -> Finding:
    """Check that a node answers and is ready."""
    try:
        state = str(orjson.loads(unchunk(answer)).get("status", ""))
    except (orjson.JSONDecodeError, AttributeError):
        state = ""
    remedy = {
        "degraded": "The node cannot reach Redis. See the findings about Redis, and the node's log.",
        "": "The server that answers is not a ready Tandem node. Send /health/… to the nodes, and see a node's log.",
    }.get(state, "See the node's log.")
    return require(
        "readiness", answer.status == 200 and state == "ready", f"HTTP {answer.status} {state}".strip(), remedy
    )


def check_versions(site: Site, answer: HttpAnswer) -> Finding:
    """Check for HTTP/2, or at least HTTP/1.1: with 1.0 a stream is not chunked, and many proxies buffer it."""
    if answer.version == "HTTP/1.0":
        return Finding("HTTP version", "bad", "HTTP/1.0", f"Put `proxy_http_version 1.1;` into {NGINX}.")
    better = site.speaks_http2()
    return recommend(
        "HTTP version",
        better,
        "HTTP/2" if better else "HTTP/1.1: a browser opens at most six connections, and the stream of each tab is one",
        f"Serve TLS with `http2 on;` in {NGINX}, or `alpn h2,http/1.1` on the bind line of {HAPROXY}.",
    )


def check_host(site: Site) -> Finding:
    """Check that requests from our own pages are accepted: the node compares Origin with the Host and the scheme."""
    with site.ask("/api/presence/ticket", "POST", Origin=site.origin, Authorization="") as probe:
        status = probe.read_head().status
    remedy = (
        f"Forward Host and X-Forwarded-Proto as {NGINX} does, from an address in TRUSTED_PROXIES, or add the"
        " page to ALLOWED_ORIGINS."
    )
    fine = status == 401
    return require("Origin", fine, "our own pages are accepted" if fine else f"our own pages get HTTP {status}", remedy)


def check_metrics(site: Site) -> Finding:
    """Check whether metrics are visible from outside."""
    with site.ask("/metrics", X_Forwarded_For="203.0.113.9", Authorization="") as probe:
        status = probe.read_head().status
    remedy = f"Block /metrics in {NGINX} or {HAPROXY}, or leave METRICS_PUBLIC off."
    return recommend("metrics", status in (403, 404), f"HTTP {status} for clients outside", remedy)


# The nodes one by one, at the addresses in their leases: their clocks, and the storage of files that they share.

READS = 6  # through the public URL, if no node can be reached by itself
ANSWER_SECONDS = 5.0
SHARE = f"Set FILES_URL in {FILE} of every node to one folder that all of them share, or to a bucket."


def check_nodes_alone(nodes: list[NodeRecord], site: Site) -> list[Finding]:
    """Check the storage, and the clock of each node that this machine reaches."""
    near = [(str(node["name"]), Site(str(node["url"]), site.token)) for node in nodes if node.get("url")]
    findings, reached = [], []
    for name, node in near:
        try:
            findings.append(check_node_clock(name, node))
            reached.append((name, node))
        except OSError:
            continue
    return [*findings, check_files(reached or [("the public URL", site)] * (1 + READS))]


def check_node_clock(name: str, node: Site) -> Finding:
    """Compare a node's clock with this machine's, by the date of an answer, which has whole seconds."""
    before = time.time()
    with node.ask("/api/operations/echo", Authorization="") as probe:
        date = probe.read_head().headers.get("date", "")
    try:
        remote = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return Finding(f"clock of {name}", "unknown", "its answer has no date")
    return compare_clocks(name, before - 1, remote, time.time())


def check_files(nodes: list[tuple[str, Site]]) -> Finding:
    """Upload a file through one node, and read it through the others."""
    (writer, first), *others = nodes
    body = secrets.token_hex(16).encode()
    answer = send(first, "/api/files?name=doctor.txt", "POST", body)
    if answer.status != 201:
        about = "storage of files"
        return Finding(about, "bad", f"{writer} does not store an upload: HTTP {answer.status}", read_problem(answer))
    path = f"/api/files/{orjson.loads(unchunk(answer))['file']['id']}"
    try:
        readers = {name: send(node, f"{path}/doctor.txt") for name, node in others}
    finally:
        with suppress(OSError):
            send(first, path, "DELETE")
    if not readers:
        return good("storage of files", f"{writer} stores uploads")
    failed = [f"{name} (HTTP {read.status})" for name, read in readers.items() if body not in read.body]
    found = f"stored through {writer}, not found through {', '.join(failed)}" if failed else "shared by all nodes"
    return require("storage of files", not failed, found, SHARE)


def send(site: Site, path: str, method: str = "GET", body: bytes = b"") -> HttpAnswer:
    """Return the whole answer."""
    with site.ask(path, method, body, Connection="close") as probe:
        answer = probe.read_head()
        deadline = time.monotonic() + ANSWER_SECONDS
        while not answer.ended and time.monotonic() < deadline:
            probe.read(deadline - time.monotonic())
        return answer


def read_problem(answer: HttpAnswer) -> str:
    """Return what the node says about an error, and where to look."""
    try:
        detail = str(orjson.loads(unchunk(answer))["detail"])
    except (orjson.JSONDecodeError, KeyError):
        detail = "The answer is no problem document."
    return f"{detail} Check FILES_URL in {FILE}, and whether the user of the nodes may write there."
