"""The client library's example page: thirty lines that log in, follow a conversation and post."""

import asyncio
import mimetypes
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Page, Route, expect

from tests.cast import Cast
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT
from tests.promises.conftest import StartNode
from tests.verbs import begins, sets_member

ROOT = Path(__file__).parent.parent.parent
PASSWORD = "correct horse battery"


def build(folder: Path) -> None:
    """Build the example, as a developer with a page of their own would."""
    command = [sys.executable, str(ROOT / "deploy" / "build_web.py"), "example"]
    subprocess.run(command, env=os.environ | {"EXAMPLE": str(folder)}, check=True)


async def publish(page: Page, address: str, folder: Path) -> None:
    """Publish the built page at an address of the server whose API it uses."""

    async def serve(route: Route) -> None:
        file = folder / (urlsplit(route.request.url).path.removeprefix("/example/") or "index.html")
        kind = mimetypes.guess_type(file.name)[0] or "text/html"
        await (route.fulfill(path=file, content_type=kind) if file.is_file() else route.fallback())

    await page.route(address + "/example/**", serve)


async def test_the_example_is_a_whole_client(
    stage: Cast, start_node: StartNode, open_window: OpenWindow, tmp_path: Path
) -> None:
    """Messages of other users appear on the page, and its messages reach them."""
    await asyncio.to_thread(build, tmp_path / "example")
    node = await start_node("a1")
    (ben,) = await stage.enters("ben")
    ben.at = node.url
    await (await open_window(node)).signs_up("ana", PASSWORD)
    _, found = await ben.call("GET", "/api/users?q=ana")
    room = await begins(ben, "group")
    await sets_member(ben, room, str(found["users"][0]["id"]))
    window = await open_window(node)
    page = window.page
    await publish(page, node.url, tmp_path / "example")
    await window.opens("/example/")
    await page.get_by_label("Name").fill("ana")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator("#state")).to_have_text("live", timeout=LIMIT)
    await ben.says(room, "Shall we cook?")
    await expect(page.locator("#log")).to_contain_text("Ben: Shall we cook?", timeout=LIMIT)
    await page.get_by_label("Message").fill("soup")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#log")).to_contain_text("ana: soup", timeout=LIMIT)
