"""The example `deploy/examples/support-widget`: a visitor of a shop and Ana talk."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from playwright.async_api import Browser, expect

from chat.local.data_dir import free_port
from tests.cast import Cast, Person
from tests.journeys.pages.base import LIMIT
from tests.journeys.pages.chat import enter
from tests.journeys.sites import SECRET
from tests.promises.conftest import StartNode
from tests.verbs import pages, sees
from tests.waiting import eventually

SHOP = Path(__file__).parents[2] / "deploy" / "examples" / "support-widget" / "shop.py"


@asynccontextmanager
async def running_shop(port: int, server: str) -> AsyncIterator[str]:
    """Run the example's program; yield its URL."""
    own = {"SHOP_PORT": str(port), "TANDEM_SERVER": server, "JWT_SECRET": SECRET}
    program = await asyncio.create_subprocess_exec(
        sys.executable, str(SHOP), env=os.environ | own, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert program.stdout is not None
        assert (
            await program.stdout.readline() == f"http://localhost:{port} is the shop, once Tandem is ready\n".encode()
        )
        await eventually(lambda: listens(port))
        yield f"http://localhost:{port}"
    finally:
        program.kill()
        await program.communicate()


async def listens(port: int) -> bool:
    """Return whether something listens on the port."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True


async def test_a_visitor_and_ana_talk(stage: Cast, start_node: StartNode, browser: Browser) -> None:
    """The visitor's next page shows the same conversation; another visitor has one of their own."""
    port = free_port()
    node = await start_node("a1", JWT_SECRET=SECRET, ALLOWED_ORIGINS=f"http://localhost:{port}")
    (ana,) = await enter(stage, node, "ana")
    async with running_shop(port, node.url) as url:
        context = await browser.new_context(locale="en-GB")
        page = await context.new_page()
        await page.goto(url)
        field = page.get_by_role("textbox", name="Message")
        await field.fill("Are they ripe?", timeout=LIMIT)
        await field.press("Enter")
        await eventually(lambda: sees_one(ana))
        room = (await sees(ana))["conversations"][0]["id"]
        await eventually(lambda: has(ana, room, "Are they ripe?"))
        await ana.says(room, "Ripe and sweet.")
        await page.reload()
        await expect(page.get_by_text("Ripe and sweet.")).to_be_visible(timeout=LIMIT)
        await expect(page.get_by_text("Are they ripe?")).to_be_visible(timeout=LIMIT)
        await context.close()
        async with aiohttp.ClientSession() as other, other.get(url) as answer:
            assert f'conversation="{room}"' not in await answer.text()


async def sees_one(ana: Person) -> bool:
    """Return whether Ana has a conversation."""
    return bool((await sees(ana))["conversations"])


async def has(ana: Person, room: int, text: str) -> bool:
    """Return whether Ana reads this message."""
    return any(one["body"] == text for one in (await pages(ana, room))["messages"])
