"""HAProxy, nginx and Caddy with the files of `deploy/` in front of real nodes: TLS, HTTP/2, streams, sockets, drains,
addresses."""

import asyncio
import os
import re
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from playwright.async_api import Browser, BrowserContext

from chat.client.node_process import NodeProcess
from tests.cast import Cast, Person
from tests.deploy.proxies import STARTED, Front, proxy, trust
from tests.files.sending import address, bearer, begins_upload, sends, sends_piece
from tests.journeys.pages.base import Window
from tests.promises.conftest import StartNode, stage, start_node
from tests.verbs import begins
from tests.waiting import eventually

__all__ = ["stage", "start_node"]
pytestmark = pytest.mark.timeout(300)  # a long story: a busy machine needs minutes
POSTERS = 8  # at once: the proxy keeps several connections to a node
BEHIND = {"TRUSTED_PROXIES": "127.0.0.1", "COOKIE_SECURE": "true", "RATE_LIMITS": "on"}


@pytest.fixture
async def nodes(start_node: StartNode) -> list[NodeProcess]:
    """Two nodes, as in production."""
    return list(await asyncio.gather(*(start_node(name, **BEHIND, DRAIN_SECONDS="1") for name in ("a1", "b2"))))


@pytest.fixture(params=["haproxy", "nginx", "caddy"])
async def front(request: pytest.FixtureRequest, nodes: list[NodeProcess], tmp_path: Path) -> AsyncIterator[Front]:
    """Each proxy in front of them."""
    with proxy(request.param, nodes, tmp_path) as one:
        yield one


@pytest.fixture
async def ana(stage: Cast, front: Front, tmp_path: Path) -> AsyncIterator[Person]:
    """Ana, who connects through the proxy and checks the certificate."""
    (ana,) = await stage.enters("ana")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust(tmp_path))) as http:
        yield Person(http, front.url, "ana", ana.id, ana.token)


@contextmanager
def listening(front: Front, person: Person, version: str, folder: Path) -> Iterator[None]:
    """curl on the stream; what it hears goes into `heard`, the headers into `head`."""
    secure = ["--cacert", str(folder / "tls.crt"), "--compressed", version]
    headers = ["--header", f"Authorization: Bearer {person.token}", "--dump-header", str(folder / "head")]
    with (folder / "heard").open("wb") as heard:
        url = front.url + "/api/chat/stream"
        process = subprocess.Popen(["curl", "--silent", "--no-buffer", *secure, *headers, url], stdout=heard)
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def test_users_connect_through_the_proxy(
    front: Front, ana: Person, stage: Cast, nodes: list[NodeProcess], browser: Browser, tmp_path: Path
) -> None:
    """Users get streams over HTTP/2 and HTTP/1.1, sockets, and addresses that cannot be forged. A node drains, and no
    call is refused."""
    room = await begins(ana, "channel", "kitchen")
    for version in ("--http2", "--http1.1"):
        await a_stream_flows_word_by_word(front, ana, room, tmp_path, version)
    await everything_but_streams_is_compressed(front, ana, room, tmp_path)
    await both_sockets_open(front, ana, tmp_path)
    await files_pass_whole(ana)
    await what_clients_claim_is_not_believed(front, ana)
    await large_cookies_pass_and_compressed_bodies_do_not(ana)
    (ben,) = await stage.enters("ben")
    ben = Person(ana._http, front.url, "ben", ben.id, ben.token)
    garden = await begins(ana, "channel", "garden", ben)
    await tabs_are_live(front, ana, ben, garden, browser)
    await a_node_drains_and_no_call_is_refused(front, ben, nodes, garden)


async def large_cookies_pass_and_compressed_bodies_do_not(ana: Person) -> None:
    """Check that 15 KB of cookies of sibling sites pass, and that the proxy refuses a compressed body."""
    cookies = "; ".join(f"c{n}={'x' * 900}" for n in range(16))
    assert (await ana.call("GET", "/api/users/me", headers={"Cookie": cookies}))[0] == 200
    for encoding in ("gzip", "br", "identity, gzip"):
        status, problem, headers = await ana.asks(
            "POST", "/api/sessions", data=b"x", headers={"Content-Encoding": encoding}
        )
        assert (status, problem["code"]) == (415, "compressed")
        assert "X-Request-ID" not in headers  # no node was asked
    status, _ = await ana.call("POST", "/api/sessions", data=b"x", headers={"Content-Encoding": "identity"})
    assert status == 422


async def everything_but_streams_is_compressed(front: Front, ana: Person, room: int, folder: Path) -> None:
    """JSON and the app's page are, and are the same unpacked; a stream is not, although the client would take it."""
    for number in range(20):
        await ana.says(room, f"{number} of many words that are alike")
    for path in (f"/api/chat/conversations/{room}/messages", "/"):
        plain = await fetches(front, ana, path, folder, [])
        packed = await fetches(front, ana, path, folder, ["--compressed"])
        assert re.search("content-encoding: (gzip|br)\n", packed[0].lower()), path
        assert "content-encoding" not in plain[0].lower()
        assert plain[1] == packed[1] != b""
    head = (folder / "head").read_text().lower()
    assert "content-encoding" not in head
    assert "no-transform" in head


async def fetches(front: Front, person: Person, path: str, folder: Path, how: Sequence[str]) -> tuple[str, bytes]:
    """Return the head, and the body as curl unpacks it."""
    head, secure = folder / "fetched", ["--cacert", str(folder / "tls.crt"), *how]
    command = ["curl", "--silent", *secure, "--header", f"Authorization: Bearer {person.token}", "--dump-header", head]
    process = await asyncio.create_subprocess_exec(*command, front.url + path, stdout=asyncio.subprocess.PIPE)
    body, _ = await process.communicate()
    return head.read_text(), body


async def a_stream_flows_word_by_word(front: Front, ana: Person, room: int, tmp_path: Path, version: str) -> None:
    """Check that `ready` arrives at once, and each message when it is posted."""

    def has_heard(word: str) -> bool:
        return word in (tmp_path / "heard").read_text()

    with listening(front, ana, version, tmp_path):
        await eventually(partial(has_heard, "event: ready"), STARTED)
        for words in (f"one{version}", f"two{version}"):
            await ana.says(room, words)
            await eventually(partial(has_heard, f'"body":"{words}"'), STARTED)
    assert (tmp_path / "head").read_text().startswith("HTTP/2 200" if version == "--http2" else "HTTP/1.1 200")


async def both_sockets_open(front: Front, ana: Person, tmp_path: Path) -> None:
    """Check that the handshakes work from our own pages only, and that both sides can send."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust(tmp_path))) as http:
        cookie = {"Cookie": f"tandem={ana.token}"}
        url = front.url + "/api/presence/socket"
        async with http.ws_connect(url, headers=cookie | {"Origin": front.url}) as socket:
            assert (await socket.receive_json(timeout=STARTED))["type"] == "hello"
            await socket.send_json({"type": "watch", "users": [ana.id]})
            assert (await socket.receive_json(timeout=STARTED))["type"] in ("snapshot", "you", "beat")
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await http.ws_connect(url, headers=cookie | {"Origin": "https://mallory.example"})
        messages = front.url + "/api/chat/socket"
        async with http.ws_connect(messages, headers=cookie | {"Origin": front.url}) as socket:
            assert (await socket.receive_json(timeout=STARTED))["event"] == "ready"


async def files_pass_whole(ana: Person) -> None:
    """Check that a file of 3 MB arrives as it was sent, at once and in two pieces."""
    data = os.urandom(3_000_000)
    file = await sends(ana, data, "whole.bin")
    place = await begins_upload(ana, len(data), "pieces.bin")
    half = len(data) // 2
    for offset, piece in ((0, data[:half]), (half, data[half:])):
        status, _, headers = await sends_piece(ana, place, offset, piece)
        assert (status, headers["Upload-Offset"]) == (204, str(offset + len(piece)))
    for path in (address(file), f"{urlsplit(place).path}/pieces.bin"):
        async with ana._http.get(ana.at + path, headers=bearer(ana)) as answer:
            assert (answer.status, await answer.read()) == (200, data)


async def what_clients_claim_is_not_believed(front: Front, ana: Person) -> None:
    """Check that the address is the connection's, that metrics and health are hidden, and that plain HTTP is
    redirected."""
    draft = {"name": "chloe", "password": "correct horse battery"}
    status, made, headers = await ana.asks(
        "POST", "/api/accounts", draft, headers={"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    )
    assert status == 201
    assert "Secure" in headers["Set-Cookie"]
    assert "max-age" in headers["Strict-Transport-Security"]
    chloe = Person(ana._http, ana.at, "chloe", made["user"]["id"], made["token"])
    _, seen = await chloe.call("GET", "/api/sessions")
    assert {session["address"] for session in seen["sessions"]} == {"127.0.0.1"}
    for path in ("/metrics", "/health/ready", "/health/live"):
        async with ana._http.get(front.url + path) as answer:
            assert answer.status == 404
    async with ana._http.get(f"http://localhost:{front.plain}/c/1?x=y", allow_redirects=False) as answer:
        assert answer.status == 308
        assert answer.headers["Location"].startswith("https://")
        assert answer.headers["Location"].endswith("/c/1?x=y")


async def a_node_drains_and_no_call_is_refused(front: Front, ben: Person, nodes: list[NodeProcess], room: int) -> None:
    """Check that the other node answers while one stops, and that a problem document says when both are gone."""
    posted = 0

    async def posts() -> None:
        """Post until the node has gone; every post is answered by a node, be it that there were too many."""
        nonlocal posted
        while nodes[0].alive():
            draft = {"body": "still here", "client_id": uuid.uuid4().hex}
            path = f"/api/chat/conversations/{room}/messages"
            status, answer = await ben.call("POST", path, draft)
            while status == 502 and front.name == "caddy":  # Caddy cannot repeat it after a refused connection
                status, answer = await ben.call("POST", path, draft)
                status = 201 if status == 200 else status  # it was stored the first time
            assert status in (201, 429), answer
            posted += 1

    posting = [asyncio.ensure_future(posts()) for _ in range(POSTERS)]
    await eventually(lambda: posted > POSTERS * 5)
    nodes[0].ask_to_stop()
    await asyncio.gather(*posting)
    nodes[1].ask_to_stop()
    await nodes[1].wait_until_ended()
    async with ben._http.get(front.url + "/api/users/me") as answer:
        assert answer.status in (502, 503)
        if front.name != "nginx":
            assert answer.headers["Retry-After"] == "1"
            assert (await answer.json(content_type="application/problem+json"))["code"] == "no_node"


async def tabs_are_live(front: Front, ana: Person, ben: Person, room: int, browser: Browser) -> None:
    """Check that the tabs of one browser are live over HTTP/2, and show new messages. (They share a stream, which
    tests/journeys/test_tabs.py shows with twelve.)"""
    context = await browser.new_context(ignore_https_errors=True, reduced_motion="reduce")
    cookie = {"name": "tandem", "value": ana.token, "url": front.url, "httpOnly": True, "secure": True}
    await context.add_cookies([cookie])  # type: ignore[list-item]
    tabs = [await opens_tab(context, front, room) for _ in range(2)]
    await ben.says(room, "hello to all of you")
    await asyncio.gather(*(tab.page.get_by_text("hello to all of you").first.wait_for() for tab in tabs))
    protocol = "performance.getEntriesByType('navigation')[0].nextHopProtocol"
    assert {await tab.page.evaluate(protocol) for tab in tabs} == {"h2"}
    assert [tab.errors for tab in tabs if tab.errors] == []
    await context.close()


async def opens_tab(context: BrowserContext, front: Front, room: int) -> Window:
    """Open another tab, and wait until it is live."""
    window = Window(await context.new_page(), front.url)
    await window.opens(f"/c/{room}")
    await window.is_live()
    return window
