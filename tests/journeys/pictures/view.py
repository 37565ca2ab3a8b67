"""A view of a screen: one browser, and the steps to get there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

from tests.journeys.pictures.stage import Stage

ROOM = "/c/1"  # #general, which all users have joined


@dataclass(frozen=True, slots=True)
class View:
    """One browser of the pictures."""

    page: Page
    stage: Stage
    phone: bool

    async def opens(self, path: str) -> None:
        """Open this page; the app's own screens are live on return."""
        await self.page.goto(self.stage.url + path)

    async def reads(self, path: str = ROOM) -> None:
        """Open a conversation with its messages."""
        await self.opens(path)
        await self.page.locator("[role=log] article").last.wait_for()
        await self.is_live()

    async def is_live(self) -> None:
        """Wait until nothing is loading."""
        await expect(self.page.get_by_test_id("connection")).to_have_text("Live")

    def button(self, name: str) -> Locator:
        """Return the button with this exact name."""
        return self.page.get_by_role("button", name=name, exact=True)

    async def presses(self, *names: str) -> None:
        """Press buttons or menu items, one after the other."""
        for name in names:
            item = self.page.get_by_role("menuitem", name=name, exact=True)
            named = self.page.get_by_role("button", name=f"{name}:")  # and its subject
            await self.button(name).or_(item).or_(named).first.click()

    async def asks_for(self, *names: str) -> None:
        """Open something from the menu of the list of conversations."""
        await self.opens("/")
        await self.is_live()
        await self.presses(*names)
        await self.page.get_by_role("dialog").first.wait_for()


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture. `who`: one of the demo's users, or a visitor. `after`: restores everything."""

    name: str
    act: Callable[[View], Awaitable[None]]
    who: str = "ana"
    after: Callable[[Stage], Awaitable[None]] | None = None


def scene(path: str, *names: str, until: str = "") -> Callable[[View], Awaitable[None]]:
    """Make a picture: open this, press these, and wait for the text."""

    async def act(view: View) -> None:
        await (view.reads(path) if path.startswith(ROOM) else view.opens(path))
        if await view.page.get_by_test_id("connection").count():
            await view.is_live()
        await view.presses(*names)
        if until:
            await expect(view.page.get_by_text(until).locator("visible=true").first).to_be_visible()

    return act


def dialog(*names: str) -> Callable[[View], Awaitable[None]]:
    """Make a picture of a dialog that the list opens."""
    return lambda view: view.asks_for(*names)
