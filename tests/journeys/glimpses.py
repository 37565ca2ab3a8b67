"""Presence in a window: the frames it receives, and what it shows."""

import json
from typing import Any

from playwright.async_api import WebSocket, expect

from tests.cast import Person
from tests.journeys.pages.base import LIMIT, Window


class Glimpses:
    """Records every status that the window's presence socket receives, by user, from the next load on."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.statuses: dict[int, list[str]] = {}
        self._versions: dict[int, int] = {}
        window.page.on("websocket", self._opened)

    def _opened(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self._hear(json.loads(frame)))

    def _hear(self, told: dict[str, Any]) -> None:
        if told["type"] in ("snapshot", "presence"):
            for record in told["users"]:
                if self._versions.get(record["id"], -1) < record["version"]:
                    self._versions[record["id"]] = record["version"]
                    self.statuses.setdefault(record["id"], []).append(record["status"])

    async def shows(self, person: Person, status: str) -> None:
        """Wait until the list of online members shows the user with this status."""
        panel = self.window.page.get_by_role("complementary", name="Members")
        row = panel.get_by_role("listitem").filter(has_text=person.name.title())
        await expect(row.locator("[data-presence]")).to_have_attribute("data-presence", status, timeout=LIMIT)

    async def looks_who_is_here(self) -> None:
        """Open the list of online members."""
        await self.window.page.get_by_role("button", name="Members", exact=True).click()


async def shows_typing(window: Window, words: str, limit: float = LIMIT) -> None:
    """Wait until the line under the timeline says this; empty: nobody is typing."""
    await expect(window.page.get_by_test_id("typing")).to_have_text(words, timeout=limit)


async def keys(window: Window, text: str) -> None:
    """Type key by key."""
    await window.page.get_by_label("Message", exact=True).press_sequentially(text)


async def chooses_status(window: Window, name: str) -> None:
    """Choose a status in the account menu."""
    await window.page.get_by_role("button", name="Your account").click()
    await window.page.get_by_role("menuitemradio", name=name).click()


async def opens_settings(window: Window) -> None:
    """Open the settings by the account menu."""
    await window.page.get_by_role("button", name="Your account").click()
    await window.page.get_by_role("menuitem", name="Settings").click()


async def says_of_presence(window: Window, state: str) -> None:
    """Wait until the sidebar shows presence as `sure`, `degraded` or `unavailable`."""
    await expect(window.page.get_by_test_id("presence")).to_have_attribute("data-state", state, timeout=LIMIT)
