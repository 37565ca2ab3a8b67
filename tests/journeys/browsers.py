"""Chromium for tests: a browser, and windows in it."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from playwright.async_api import Browser, BrowserContext, Error, Page, ViewportSize, async_playwright, expect

from chat.client.node_process import NodeProcess
from tests.cast import Person
from tests.journeys.pages.base import LIMIT, Window

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")  # the first needs half the CPU
SHOWN_MOST = 4_000  # characters of a page
OpenWindow = Callable[..., Awaitable[Window]]


@asynccontextmanager
async def launching() -> AsyncIterator[Browser]:
    """Yield the system's Chromium, which is closed at the end of the block."""
    expect.set_options(timeout=LIMIT)
    program = next(filter(None, map(shutil.which, NAMES)), None)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        await chromium.close()


@asynccontextmanager
async def opening_windows(browser: Browser, failed: Callable[[], bool]) -> AsyncIterator[OpenWindow]:
    """Yield `open_window`; its windows are closed at the end of the block, and printed before if the test failed.

    `await open_window(node, ana)` opens a window in a browser profile of her own, logged in. Without a person, the
    window is that of a visitor without an account.
    """
    contexts: list[BrowserContext] = []

    async def open_one(node: NodeProcess, person: Person | None = None, path: str = "/") -> Window:
        size: ViewportSize = {"width": 1100, "height": 800}
        # Without the service worker: the requests that it makes are not those of the page, which tests delay and count.
        # Without motion: a frame that is painted sixty times a second for as long as a test waits is most of Chromium's
        # processor time on a slow machine.
        context = await browser.new_context(
            locale="en-GB", viewport=size, service_workers="block", reduced_motion="reduce"
        )
        contexts.append(context)
        if person is not None:
            cookie = {"name": "tandem", "value": person.token, "url": node.url, "httpOnly": True, "sameSite": "Lax"}
            await context.add_cookies([cookie])  # type: ignore[list-item]
        window = Window(await context.new_page(), node.url)
        await window.opens(path)
        return window

    yield open_one
    for context in contexts:
        if failed():
            print(*[await describe(page) for page in context.pages], sep="\n")
        await context.close()


async def describe(page: Page) -> str:
    """Return the address of a page and what it shows."""
    try:
        shown = (await page.locator("body").aria_snapshot(timeout=2_000))[:SHOWN_MOST]
    except Error as error:
        shown = str(error)
    return f"{page.url}\n{shown}"
