"""The doctor opens a stream and a socket through the public URL, and sees what proxies make of them."""

import base64
import secrets
import time

import orjson

from chat.tools.doctor.finding import FILE, Finding, advise, good, judge
from chat.tools.doctor.http import HttpAnswer, HttpProbe, Site

READY_SECONDS = 5.0
BEATS_SECONDS = 45.0  # a stream beats every 15 s, a socket pings every 20, unless they are set otherwise
VISITS = 6


def check_stream(site: Site) -> list[Finding]:
    """Buffering, compression, and whether it lives until its first beat."""
    with site.ask("/api/chat/stream", Accept="text/event-stream", Accept_Encoding="gzip, br, zstd") as wire:
        prompt, answer = wire.read_until(b"event: ready", READY_SECONDS), wire.answer
        if answer.status not in (0, 200):
            return [refused("stream", answer.status)]
        encoding = answer.headers.get("content-encoding", "")
        if encoding:
            remedy = f"Leave text/event-stream out of compression: `gzip off;` for /api/chat/stream in {NGINX}."
            return [Finding("compression of streams", "bad", encoding, remedy)]
        if not prompt:
            remedy = (
                f"`proxy_buffering off;` for /api/chat/stream in {NGINX}; no `http-buffer-request`, no cache before it."
            )
            return [Finding("buffering of streams", "bad", f"nothing came within {READY_SECONDS:g} s", remedy)]
        found = [good("buffering of streams", "events come as they are sent"), good("compression of streams", "none")]
        return [*found, check_life("stream", wire, b"event: beat")]


def check_life(what: str, wire: HttpProbe, sign: bytes) -> Finding:
    """Does it live from one sign of life to the next? The first one may come at once."""
    began = time.monotonic()
    alive = wire.read_until(sign, BEATS_SECONDS, times=2)
    lasted = time.monotonic() - began
    about = f"time-outs of the {what}"
    if alive or not wire.answer.ended:
        return good(about, f"two beats in {lasted:.0f} s" if alive else f"open and silent for {lasted:.0f} s")
    remedy = (
        f"Let idle connections stay for a minute at least: `proxy_read_timeout 75s;` in {NGINX}, "
        f"`timeout server` and `timeout tunnel` in {HAPROXY}; or beat more often: STREAM_BEAT, SOCKET_BEAT."
    )
    return Finding(about, "bad", f"cut after {lasted:.0f} s without a word", remedy)


def check_socket(site: Site) -> list[Finding]:
    """The upgrade, and whether a quiet socket lives until its first ping."""
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    handshake = {"Upgrade": "websocket", "Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": key}
    with site.ask("/api/presence/socket", Origin=site.origin, Connection="Upgrade", **handshake) as wire:
        status = wire.read_head().status
        if status in (401, 403):
            return [refused("socket", status)]
        remedy = (
            "Pass the upgrade on: `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
            f'proxy_set_header Connection "upgrade";` for /api/presence/socket in {NGINX}.'
        )
        upgraded = judge("WebSocket upgrade", status == 101, f"HTTP {status}", remedy)
        if status != 101:
            return [upgraded]
        return [upgraded, check_life("socket", wire, b"\x89")]  # a ping's first byte; text of ours is UTF-8 JSON


def refused(what: str, status: int) -> Finding:
    """Not let in at all."""
    remedy = "Give the token of a login that holds: TANDEM_TOKEN, or DATABASE_URL where the doctor makes its own."
    return Finding(what, "bad", f"HTTP {status}", remedy)


def check_spread(site: Site) -> list[Finding]:
    """Sticky or not: where several streams of one client arrive, and which cookies a balancer adds."""
    nodes, cookies = set(), set()
    for _ in range(VISITS):
        with site.ask("/api/chat/stream", Accept="text/event-stream") as wire:
            if not wire.read_until(b"event: ready", READY_SECONDS):  # nor would the others: each would be waited for
                return [Finding("stickiness", "unknown", f"a stream said nothing within {READY_SECONDS:g} s")]
            wire.read_until(b"}", 1)
            cookies |= set(wire.answer.cookies) - {"tandem"}
            nodes.add(find_node(wire.answer.body))
    found = f"{VISITS} streams on {', '.join(sorted(nodes))}"
    found += f"; cookies {', '.join(sorted(cookies))}" if cookies else ""
    remedy = f"Stickiness is not needed and keeps load together after a deploy: no `cookie`, no `hash` in {HAPROXY}."
    return [advise("stickiness", not cookies, found, remedy)]


def find_node(body: bytes) -> str:
    """Which node says `ready`."""
    data = body[body.find(b'{"cursor"') :].split(b"\n", 1)[0]
    try:
        return str(orjson.loads(data).get("node", "?"))
    except orjson.JSONDecodeError:
        return "?"


def check_forwarding(site: Site) -> list[Finding]:
    """Whom the node takes us for, and whether we can make it take us for somebody else."""
    claimed = "203.0.113.77"
    with site.ask("/api/operations/echo", X_Forwarded_For=claimed) as wire:
        wire.read_head()
        wire.read_until(b"}", 2)
        data = wire.answer.body[wire.answer.body.find(b"{") : wire.answer.body.rfind(b"}") + 1]
    try:
        echo = orjson.loads(data)
        address, forwarded, trusted = str(echo["address"]), str(echo["forwarded"]), bool(echo["trusted"])
    except (orjson.JSONDecodeError, KeyError):
        return [Finding("forwarded headers", "unknown", f"HTTP {wire.answer.status}")]
    if address == claimed:
        remedy = f"Let the proxy set the header: `proxy_set_header X-Forwarded-For $remote_addr;` in {NGINX}."
        return [Finding("forwarded headers", "bad", "anybody can claim an address, past all rate limits", remedy)]
    if forwarded != claimed and not trusted:
        remedy = f"Set TRUSTED_PROXIES={address} in {FILE}: else all people share one address' rate limits."
        return [Finding("forwarded headers", "bad", f"everybody seems to come from {address}, the proxy", remedy)]
    return [good("forwarded headers", f"we come from {address}")]


# The doctor asks through the public URL what nobody needs a login for: health, HTTP version, hosts, metrics.

NGINX, HAPROXY = "nginx's server block", "haproxy.cfg"


def check_site(site: Site) -> list[Finding]:
    """All of it; one finding where nobody answers."""
    try:
        with site.ask("/health/ready") as wire:
            answer = wire.read_head()
            wire.read_until(b"}", 2)
    except OSError as error:
        remedy = "Check the URL, the firewall and that the proxy runs; `curl -i URL/health/ready` shows the same."
        return [Finding("public URL", "bad", f"{site.url} does not answer: {error}", remedy)]
    ready = check_hidden(site) if answer.status == 404 else check_ready(answer)
    return [ready, check_versions(site, answer), check_host(site), check_metrics(site)]


def check_hidden(site: Site) -> Finding:
    """Judge an address that does not show its health: a node must refuse a call without a login."""
    with site.ask("/api/operations/echo", Authorization="") as wire:
        status = wire.read_head().status
    remedy = "What answers there is no Tandem node: see where the proxy sends requests, and its log."
    found = "a node answers; its health is not on this address" if status == 401 else f"HTTP {status} from the API"
    return judge("readiness", status == 401, found, remedy)


def check_ready(answer: HttpAnswer) -> Finding:
    """Does a node answer, and is it well?"""
    try:
        said = str(orjson.loads(unchunk(answer)).get("status", ""))
    except (orjson.JSONDecodeError, AttributeError):
        said = ""
    remedy = {
        "degraded": "Redis cannot be reached from that node: see what is said of Redis, and the node's log.",
        "": "What answers there is no Tandem node that is ready: send /health/… to the nodes, and see a node's log.",
    }.get(said, "See the node's log.")
    return judge("readiness", answer.status == 200 and said == "ready", f"HTTP {answer.status} {said}".strip(), remedy)


def unchunk(answer: HttpAnswer) -> bytes:
    """The body of a short answer."""
    return answer.body[answer.body.find(b"{") : answer.body.rfind(b"}") + 1]


def check_versions(site: Site, answer: HttpAnswer) -> Finding:
    """HTTP/2 for browsers, HTTP/1.1 at least: under 1.0 a stream is not chunked, and many proxies gather it."""
    if answer.version == "HTTP/1.0":
        return Finding("HTTP version", "bad", "HTTP/1.0", f"Put `proxy_http_version 1.1;` into {NGINX}.")
    better = site.speaks_http2()
    return advise(
        "HTTP version",
        better,
        "HTTP/2" if better else "HTTP/1.1: a browser opens six connections to it, and each tab's stream is one",
        f"Serve TLS with `http2 on;` in {NGINX}, or `alpn h2,http/1.1` on the bind line of {HAPROXY}.",
    )


def check_host(site: Site) -> Finding:
    """Check that changes from our own pages are let in: the node compares their Origin with the Host and the scheme."""
    with site.ask("/api/presence/ticket", "POST", Origin=site.origin, Authorization="") as wire:
        status = wire.read_head().status
    remedy = (
        f"Pass on Host and X-Forwarded-Proto as {NGINX} does, from an address in TRUSTED_PROXIES;"
        " or name the page in ALLOWED_ORIGINS."
    )
    fine = status == 401
    return judge("Origin", fine, "our own pages are let in" if fine else f"our own pages get {status}", remedy)


def check_metrics(site: Site) -> Finding:
    """Whether they show outside."""
    with site.ask("/metrics", X_Forwarded_For="203.0.113.9", Authorization="") as wire:
        status = wire.read_head().status
    remedy = f"Refuse /metrics in {NGINX} or {HAPROXY}, or leave METRICS_PUBLIC off."
    return advise("metrics", status in (403, 404), f"HTTP {status} to who is far", remedy)
