"""A thousand messages to clients that nobody here wrote, over connections that break within an event and a node that is
killed: each client gets each message once, in order."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from playwright.async_api import Browser

from chat.client.node_process import NodeProcess
from chat.tools.chaos.network import Proxy
from tests.cast import Cast, Person
from tests.foreign.streams import Heard, chromium_reading, npm_reading, pypi_reading
from tests.promises.conftest import StartNode
from tests.verbs import sees
from tests.waiting import eventually

MESSAGES, BATCH, CLIENTS = 1_000, 100, 11
CUT_BYTES = (40_000, 100_000)  # of an answer, after which the connection breaks
SEED = 8
LIMIT = 90.0
EMOJI_FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
BODIES = (
    "plain",
    f"emoji 🥨 {EMOJI_FAMILY}",
    "right to left: שלום مرحبا",
    "line ends of Unicode: \u2028 \u2029 \u0085 \x0b \x0c",
    "line ends of ASCII: \r\n \r \n\n",
    "data: not a field\ndata: nor this\nid: e1.1\nevent: bye\nretry: 1",
    "\ufeffbyte order mark",
    "日本語 " * 30,
    '"quotes" \\ and \\u2028',
)


class CuttingProxy(Proxy):
    """Breaks each connection after a random number of bytes, mostly within an event.

    Never between the last two bytes of an event: `@microsoft/fetch-event-source` has taken the id by then, and not the
    event. A server cannot help that.
    """

    cuts = 0
    _random = random.Random(SEED)

    async def _carry_back(self, far: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        left = self._random.randint(*CUT_BYTES)
        while left and (data := await far.read(left)):
            left -= len(data)
            if not left and data.endswith(b"\n"):
                data += await far.read(1)
            near.write(data)
            await near.drain()
        self.cuts += not left


@asynccontextmanager
async def cutting(node: NodeProcess) -> AsyncIterator[CuttingProxy]:
    """A network that breaks, before the node."""
    proxy = CuttingProxy(node.url)
    await proxy.accept()
    try:
        yield proxy
    finally:
        await proxy.refuse()


async def posts(person: Person, room: int, first: int, last: int) -> list[str]:
    """Post these messages; return their bodies as the server has stored them."""
    batch = [
        {"conversation": room, "body": f"{n} {BODIES[n % len(BODIES)]}", "client_id": f"m{n}"}
        for n in range(first, last)
    ]
    status, answer = await person.call("POST", "/api/chat/messages", {"messages": batch})
    assert status == 200, answer
    return [result["message"]["body"] for result in answer["results"]]


async def test_each_client_gets_every_message_once(stage: Cast, start_node: StartNode, browser: Browser) -> None:
    """Four clients of npm, three of PyPI, curl in three ways, and Chromium, all at once."""
    node = await start_node("a1")
    ana, ben = await stage.enters("ana", "ben")
    ana.at = node.url
    room = await stage.share(ana, ben)
    path = f"/api/chat/stream?after={(await sees(ana))['cursor']}"
    heard = Heard()
    said = await posts(ana, room, 0, BATCH)
    async with (
        cutting(node) as network,
        npm_reading(heard, network.url + path, ben.token),
        pypi_reading(heard, network.url + path, ben.token),
        chromium_reading(browser, network.url, path, ben.token) as page,
    ):

        async def have(count: int) -> bool:
            heard.by_client["chromium"] = await page.evaluate("window.bodies")
            return heard.all_have(CLIENTS, count)

        await eventually(partial(have, BATCH), LIMIT)
        for first in range(BATCH, MESSAGES, BATCH):
            said += await posts(ana, room, first, first + BATCH)
            if first == MESSAGES // 2:
                node.kill()
                await node.start_and_wait()
        try:
            await eventually(partial(have, MESSAGES), LIMIT)
        finally:
            counts = {client: len(bodies) for client, bodies in heard.by_client.items()}
            print(f"{network.cuts} connections cut; messages: {counts}")
    assert network.cuts >= CLIENTS
    for client, bodies in heard.by_client.items():
        assert bodies == said, client
