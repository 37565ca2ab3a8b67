"""What journeys are made with: a browser, nodes that are processes, and people with a window each."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright

from chat.client.node_process import NodeProcess
from tests.cast import Person
from tests.journeys.pages.base import Window
from tests.promises.conftest import stage, start_node

__all__ = ["stage", "start_node"]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
NAMES = ("chromium", "chromium-browser", "google-chrome")
OpenWindow = Callable[..., Awaitable[Window]]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """The system's Chromium."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        await chromium.close()


@pytest.fixture
async def open_window(browser: Browser) -> AsyncIterator[OpenWindow]:
    """`await open_window(node, ana)`: a window of a browser of her own, logged in; without a person, a stranger's."""
    contexts: list[BrowserContext] = []

    async def open_one(node: NodeProcess, person: Person | None = None, path: str = "/") -> Window:
        context = await browser.new_context(locale="en-GB", viewport={"width": 1100, "height": 800})
        contexts.append(context)
        if person is not None:
            cookie = {"name": "tandem", "value": person.token, "url": node.url, "httpOnly": True, "sameSite": "Lax"}
            await context.add_cookies([cookie])  # type: ignore[list-item]
        window = Window(await context.new_page(), node.url)
        await window.opens(path)
        return window

    yield open_one
    for context in contexts:
        await context.close()
