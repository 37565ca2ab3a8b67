"""The doctor opens a stream and a socket through the public URL, and sees what proxies make of them."""

import base64
import secrets
import time

import orjson

from chat.doctor.finding import Finding, advise, good, judge
from chat.doctor.settings import FILE
from chat.doctor.site import HAPROXY, NGINX
from chat.doctor.wire import Site, Wire

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


def check_life(what: str, wire: Wire, sign: bytes) -> Finding:
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
