"""An EventSource gives up for good when it is answered by an error, so what a retry heals is a stream that ends: from a
node, from HAProxy, from nginx and from Caddy."""

import json
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Page

from chat.client.node_process import NodeProcess
from chat.client.sse import EventParser, StreamEvent
from chat.middleware import ANSWERS
from chat.stream.endpoints import STREAMS
from chat.tools.chaos.network import bad_network
from tests.cast import Cast, Person
from tests.deploy.proxies import Front, proxy
from tests.foreign.streams import Heard, chromium_reading, npm_reading
from tests.nodes import Node, running_node
from tests.promises.conftest import StartNode
from tests.promises.haproxy import Gate, gate
from tests.verbs import sees
from tests.waiting import eventually

STREAM = "/api/chat/stream"
EVENTS = {"Accept": "text/event-stream"}
LIMIT = 30.0
CONNECTING = 0
BEHIND = {"TRUSTED_PROXIES": "127.0.0.1", "COOKIE_SECURE": "true", "RATE_LIMITS": "off"}

# Answers that time out within a test, and a HAProxy that does not notice by itself.
QUICK = {
    "haproxy": {"timeout server 60s": "timeout server 1s", "check inter 500ms fastinter 100ms": "check inter 60s"},
    "nginx": {"proxy_read_timeout 60s": "proxy_read_timeout 1s"},
    "caddy": {"read_timeout 60s": "read_timeout 1s", "health_interval 500ms": "health_interval 60s"},
}


async def asks(url: str, token: str, **headers: str) -> tuple[int, str, str]:
    """Ask for the stream; the status, the media type and all that is sent until the end."""
    given = {"Authorization": f"Bearer {token}"} | {name.replace("_", "-"): text for name, text in headers.items()}
    async with aiohttp.ClientSession() as http, http.get(url, headers=given, ssl=False) as answer:
        return answer.status, answer.content_type, await answer.text()


def read_all(text: str) -> list[StreamEvent]:
    """The events in a whole stream."""
    return EventParser().feed(text.encode())


async def test_a_node_that_drains_tells_an_event_source_when_to_return(cast: Cast, node: Node) -> None:
    """The problem is an event; other clients get the status, and so does a proxy that asks the next node."""
    (ben,) = await cast.enters("ben")
    node.app[STREAMS].connections.draining = True
    status, kind, text = await asks(node.url + STREAM, ben.token, **EVENTS)
    assert (status, kind) == (200, "text/event-stream")
    (problem,) = read_all(text)
    assert (problem.event, problem.json()["status"], problem.json()["code"]) == ("problem", 503, "draining")
    assert problem.id == ""
    assert 1000 <= (problem.retry or 0) <= 2000
    assert node.app[ANSWERS][503] == 1
    assert (await asks(node.url + STREAM, ben.token))[:2] == (503, "application/problem+json")
    assert (await asks(f"{node.url}{STREAM}?poll=0", ben.token, **EVENTS))[0] == 503
    assert (await asks(node.url + STREAM, ben.token, **EVENTS, X_Retries_503="1"))[0] == 503


async def test_too_many_streams_are_refused_until_one_is_closed(database_url: str, redis_url: str, cast: Cast) -> None:
    """429 is healed by waiting too, with any proxy in front."""
    (ben,) = await cast.enters("ben")
    async with running_node(database_url, redis_url, node="b2", streams_per_person=1) as small:
        ben.at = small.url
        await ben.listens()
        status, _, text = await asks(small.url + STREAM, ben.token, **EVENTS, X_Retries_503="1")
        assert status == 200
        assert read_all(text)[0].json()["code"] == "too_many_streams"


@pytest.mark.parametrize(("path", "status"), [(STREAM, 401), (f"{STREAM}?lastid=e.1", 422), ("/api/users/me", 401)])
async def test_what_no_retry_heals_stays_an_error(node: Node, path: str, status: int) -> None:
    """An EventSource that is not logged in, or asks for something else, must not ask again and again."""
    assert (await asks(node.url + path, "no token", **EVENTS))[:2] == (status, "application/problem+json")


Behind = Gate | Front


def place_before(name: str, node: NodeProcess, folder: Path) -> AbstractContextManager[Behind]:
    """HAProxy as `tandem up` starts it, or a proxy with its file of deploy/, before the node."""
    return gate([node], folder) if name == "up" else proxy(name, [node], folder)


@pytest.mark.parametrize("name", ["up", "haproxy", "nginx", "caddy"])
async def test_an_event_source_survives_a_time_without_nodes(
    stage: Cast, start_node: StartNode, browser: Browser, tmp_path: Path, name: str
) -> None:
    """The only node dies; Chromium and npm's `eventsource` keep asking, and hear what is said after its return."""
    node = await start_node("a1", **BEHIND)
    ana, ben = await stage.enters("ana", "ben")
    ana.at = node.url
    room, heard = await stage.share(ana, ben), Heard()
    path = f"{STREAM}?after={(await sees(ana))['cursor']}"
    with place_before(name, node, tmp_path) as front:
        async with (
            npm_reading(heard, front.url + path, ben.token, "eventsource"),
            chromium_reading(browser, front.url, path, ben.token) as page,
        ):
            await both_hear(heard, page, ana, room, "before")
            node.kill()
            await eventually(lambda: len(heard.states) >= 2, LIMIT)
            await page.wait_for_function("errors >= 2")
            assert set(heard.states) == {CONNECTING}
            assert await page.evaluate("source.readyState") == CONNECTING
            await node.start_and_wait()
            await both_hear(heard, page, ana, room, "before", "after")
            if isinstance(front, Gate):
                front.balancer.kill()
                front.balancer.start()
                await both_hear(heard, page, ana, room, "before", "after", "through a new balancer")


async def test_an_event_source_returns_to_an_address_that_refused_connections(
    stage: Cast, start_node: StartNode, browser: Browser
) -> None:
    """The balancer's machine is down for a while: no answer at all is an outage for an EventSource, not a refusal."""
    node = await start_node("a1")
    ana, ben = await stage.enters("ana", "ben")
    ana.at = node.url
    room, heard = await stage.share(ana, ben), Heard()
    path = f"{STREAM}?after={(await sees(ana))['cursor']}"
    async with (
        bad_network(node.url) as network,
        npm_reading(heard, network.url + path, ben.token, "eventsource"),
        chromium_reading(browser, network.url, path, ben.token) as page,
    ):
        await both_hear(heard, page, ana, room, "before")
        await network.refuse()
        await eventually(lambda: len(heard.states) >= 2, LIMIT)
        await page.wait_for_function("errors >= 2")
        await network.accept()
        await both_hear(heard, page, ana, room, "before", "after")


async def both_hear(heard: Heard, page: Page, ana: Person, room: int, *words: str) -> None:
    """Ana says the last of these words, and both clients have heard exactly all of them."""
    await ana.says(room, words[-1])
    await page.wait_for_function("count => bodies.length >= count", arg=len(words))
    await eventually(lambda: len(heard.by_client["eventsource"]) >= len(words), LIMIT)
    assert await page.evaluate("bodies") == heard.by_client["eventsource"] == list(words)


@pytest.mark.parametrize("name", QUICK)
async def test_every_error_of_a_gateway_is_a_stream_for_an_event_source(
    stage: Cast, start_node: StartNode, tmp_path: Path, name: str
) -> None:
    """A node that drains (503), hangs (504), or is gone (502). Others get the status and a document."""
    node = await start_node("a1", **BEHIND, DRAIN_SECONDS="20")
    (ben,) = await stage.enters("ben")
    ben.at = node.url
    with proxy(name, [node], tmp_path, QUICK[name]) as front:
        url = front.url + STREAM
        node.freeze()
        await meets(url, ben, 502, 503, 504)  # nginx answers 502, and Caddy 503, once it has given up every node
        node.thaw()
        await eventually(partial(listens_again, ben), LIMIT)  # keeps the node draining
        node.ask_to_stop()
        await eventually(lambda: is_draining(node), LIMIT)
        await meets(url, ben, 502, 503)
        node.kill()
        await meets(url, ben, 502, 503)


async def listens_again(person: Person) -> bool:
    """Open a stream. A node that was frozen refuses streams until its event loop has caught up."""
    return bool((await person.listens()).named("ready"))


async def is_draining(node: NodeProcess) -> bool:
    """Whether the node refuses streams."""
    return await node.readiness() == 503


async def meets(url: str, person: Person, *statuses: int) -> None:
    """The stream is refused with one of these statuses, which an EventSource sees as a stream that ends."""
    status, kind, text = await asks(url, person.token, **EVENTS)
    assert (status, kind) == (200, "text/event-stream")
    (event,) = read_all(text)
    assert event.retry
    assert 1000 <= event.retry <= 3000
    status, kind, text = await asks(url, person.token)
    assert status in statuses
    if kind == "application/problem+json":  # nginx has a page of its own
        assert json.loads(text)["status"] == status
