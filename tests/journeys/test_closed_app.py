"""The installed app: it opens without a network, and a message reaches it while it is closed."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Worker, async_playwright, expect

from tests.cast import Cast, Person
from tests.integrations.push_service import serving_push
from tests.journeys.browsers import FLAGS
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.chat import enter, message
from tests.promises.conftest import StartNode
from tests.verbs import begins
from tests.waiting import eventually

SHOWN = "registration.getNotifications().then(all => all.map(one => [one.title, one.body, one.data]))"
# A script may not pretend that the user has clicked, but the worker handles what it sends.
CLICK = """registration.getNotifications().then(all => {
    self.dispatchEvent(new NotificationEvent('notificationclick', { notification: all[0] }));
})"""


@pytest_asyncio.fixture(loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The whole Chromium: the headless shell shows no notifications."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*FLAGS, "--headless=new"])
        yield browser
        await browser.close()


async def opens(context: BrowserContext, url: str, person: Person, path: str) -> Window:
    """Open the app as this user."""
    cookie: Any = {"name": "tandem", "value": person.token, "url": url, "httpOnly": True, "sameSite": "Lax"}
    await context.add_cookies([cookie])
    window = Window(await context.new_page(), url)
    await window.opens(path)
    return window


async def pushes(context: BrowserContext, url: str, data: dict[str, Any]) -> Worker:
    """Deliver to the service worker as the browser's push service does; return the worker."""
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    found: list[dict[str, Any]] = []
    session.on("ServiceWorker.workerRegistrationUpdated", lambda event: found.extend(event["registrations"]))
    await session.send("ServiceWorker.enable")
    await eventually(lambda: found)
    registration = found[-1]["registrationId"]
    sent = {"origin": url, "registrationId": registration, "data": json.dumps(data)}
    await session.send("ServiceWorker.deliverPushMessage", sent)
    await page.close()
    return context.service_workers[0]


async def test_offline_and_closed(stage: Cast, start_node: StartNode, chromium: Browser) -> None:
    """Ben reads without a network, closes the app, is notified, and finds the message; a log-out leaves no copies."""
    async with serving_push() as service:
        node = await start_node("a1", HOOKS_ALLOW="127.0.0.1", PRESENCE_LINGER="1")
        ana, ben = await enter(stage, node, "ana", "ben")
        room = await begins(ana, "channel", "kitchen", ben)
        await ana.says(room, "Soup is ready")
        device = await service.subscribes(ben)
        context = await chromium.new_context(locale="en-GB", permissions=["notifications"])
        window = await opens(context, node.url, ben, f"/c/{room}")
        await window.is_live()
        await window.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        await window.page.reload()
        await expect(message(window, 1)).to_be_visible(timeout=LIMIT)
        await context.set_offline(True)
        await window.page.reload()
        await expect(message(window, 1)).to_contain_text("Soup is ready", timeout=LIMIT)
        await expect(window.page.get_by_text("Ana").first).to_be_visible(timeout=LIMIT)
        await window.is_cut_off()
        await ana.says(room, "Still hot")
        await context.set_offline(False)
        await expect(message(window, 2)).to_contain_text("Still hot", timeout=LIMIT)
        await window.is_live()
        await window.page.close()
        await ana.says(room, "@ben your **soup**")
        await eventually(lambda: device.received, 60)
        worker = await pushes(context, node.url, device.received[0])
        await eventually(lambda: worker.evaluate(SHOWN))
        assert await worker.evaluate(SHOWN) == [["Ana in #kitchen", "@ben your soup", f"/c/{room}/3"]]
        window = await opens(context, node.url, ben, "/settings/notifications")
        await window.is_live()
        await worker.evaluate(CLICK)
        await expect(message(window, 3)).to_contain_text("your soup", timeout=LIMIT)
        assert window.page.url == f"{node.url}/c/{room}/3"
        await eventually(lambda: window.page.evaluate("caches.has('tandem data')"))
        await window.page.get_by_role("button", name="Your account").click()
        await window.page.get_by_role("menuitem", name="Log out").click()
        await window.page.get_by_role("dialog").get_by_role("button", name="Log out").click()
        await window.page.get_by_role("button", name="Log in", exact=True).wait_for()
        assert not await window.page.evaluate("caches.has('tandem data')")
        assert window.errors == []
        await context.close()
