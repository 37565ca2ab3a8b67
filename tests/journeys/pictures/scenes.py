"""Every screen, and how to get there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

from tests.journeys.pictures.stage import Stage

ROOM = "/c/1"
PARTS = ("profile", "status", "notifications", "logins", "blocked", "appearance")


@dataclass(frozen=True, slots=True)
class View:
    """One browser on the stage."""

    page: Page
    stage: Stage
    phone: bool

    async def opens(self, path: str) -> None:
        """Go there; the app's own screens are waited for until they are live."""
        await self.page.goto(self.stage.url + path)

    async def reads(self, path: str = ROOM) -> None:
        """A conversation, with its messages."""
        await self.opens(path)
        await self.page.locator("[role=log] article").last.wait_for()
        await self.is_live()

    async def is_live(self) -> None:
        """Nothing is on its way any more."""
        await expect(self.page.get_by_test_id("connection")).to_have_text("Live")

    def button(self, name: str) -> Locator:
        """By its exact name."""
        return self.page.get_by_role("button", name=name, exact=True)

    async def presses(self, *names: str) -> None:
        """One after the other: buttons, or items of a menu."""
        for name in names:
            button = self.button(name)
            item = self.page.get_by_role("menuitem", name=name, exact=True)
            await button.or_(item).first.click()

    async def asks_for(self, *names: str) -> None:
        """By what stands in the list of conversations."""
        await self.opens("/")
        await self.is_live()
        await self.presses(*names)
        await self.page.get_by_role("dialog").first.wait_for()


@dataclass(frozen=True, slots=True)
class Scene:
    """`who` looks: one of the demo's people, or a stranger. `after`: what puts everything back."""

    name: str
    act: Callable[[View], Awaitable[None]]
    who: str = "ana"
    after: Callable[[Stage], Awaitable[None]] | None = None


def scene(path: str, *names: str, until: str = "") -> Callable[[View], Awaitable[None]]:
    """Open this, press these, and wait until there is such text."""

    async def act(view: View) -> None:
        await (view.reads(path) if path.startswith(ROOM) else view.opens(path))
        await view.presses(*names)
        if until:
            await expect(view.page.get_by_text(until).first).to_be_visible()

    return act


def dialog(*names: str) -> Callable[[View], Awaitable[None]]:
    """A dialog that is asked for from the list."""
    return lambda view: view.asks_for(*names)


async def list_alone(view: View) -> None:
    """What a phone begins with; a wide screen opens the newest conversation beside it."""
    await view.opens("/")
    await view.page.get_by_role("navigation").get_by_role("link").first.wait_for()
    await view.is_live()


async def signing_up(view: View) -> None:
    """The same screen, for who is new."""
    await view.opens("/")
    await view.presses("Sign up")


async def message_menu(view: View) -> None:
    """What one can do with a message."""
    await view.reads()
    row = view.page.locator("[role=log] article").last
    if view.phone:
        await row.dispatch_event("contextmenu")
    else:
        await row.hover()
        await row.get_by_role("button", name="More actions").click()


async def switcher(view: View) -> None:
    """By its key."""
    await view.opens("/")
    await view.is_live()
    await view.page.get_by_role("button", name="Jump to").click()


async def who_got_it(view: View) -> None:
    """The evidence of a delivery, by the key that asks for it."""
    await view.reads()
    await view.page.locator("[role=log] article").last.focus()
    await view.page.keyboard.press("w")
    await view.page.get_by_role("dialog").get_by_role("button", name="Ben Okafor").click()
    await view.page.get_by_role("list", name="What happened").wait_for()


async def board(view: View) -> None:
    """With figures, a chart and rooms."""
    await view.opens("/dashboard")
    await view.page.locator(".u-over").first.wait_for()
    await view.page.get_by_role("region", name="People by conversation").get_by_role("listitem").nth(2).wait_for()


async def board_below(view: View) -> None:
    """What stands further down on it."""
    await board(view)
    await view.page.get_by_role("heading", name="Message log").scroll_into_view_if_needed()
    await view.page.evaluate("document.querySelector('.board').scrollTop += 400")


async def board_month(view: View) -> None:
    """As far back as is kept."""
    await board(view)
    await view.presses("30 d")
    await expect(view.page.get_by_role("region", name="Over time")).to_have_attribute("aria-busy", "false")


async def people(view: View) -> None:
    """Who is here."""
    await view.opens("/dashboard/people")
    await view.page.get_by_role("button", name="Ben Okafor").wait_for()


async def evidence(view: View) -> None:
    """Behind one of them."""
    await people(view)
    await view.page.get_by_role("button", name="Ben Okafor").click()
    await view.page.get_by_role("dialog").get_by_role("article").wait_for()


async def confirming(view: View) -> None:
    """Before something is done."""
    await board(view)
    await view.presses("Drain b1")


async def audit(view: View) -> None:
    """What was done."""
    await view.opens("/dashboard/audit")
    await view.page.get_by_text("presence.reconcile").first.wait_for()


async def draining(view: View) -> None:
    """A node that is let go of."""
    admin = view.stage.people["ana"]
    await admin.call("PUT", "/api/presence/nodes/b1/drain", {"draining": True})
    await board(view)
    await view.page.get_by_role("button", name="Bring back b1").wait_for()
    await view.page.get_by_role("article", name="Node b1").scroll_into_view_if_needed()


async def brought_back(stage: Stage) -> None:
    """It serves again."""
    await stage.people["ana"].call("PUT", "/api/presence/nodes/b1/drain", {"draining": False})


async def announced(view: View) -> None:
    """Above the conversations."""
    admin = view.stage.people["ana"]
    await admin.call("PUT", "/api/announcement", {"body": "Maintenance at 18:00: two minutes, nothing is lost."})
    await view.reads()
    await view.page.get_by_role("region", name="Announcement").wait_for()


async def taken_back(stage: Stage) -> None:
    """Nothing stands there any more."""
    await stage.people["ana"].call("DELETE", "/api/announcement")


SCENES = [
    Scene("app-login", scene("/", until="Log in to Tandem"), who=""),
    Scene("app-signup", signing_up, who=""),
    Scene("app-list", list_alone),
    Scene("app-conversation", scene(ROOM)),
    Scene("app-who-is-here", scene(ROOM, "Who is here", until="Ben Okafor")),
    Scene("app-pins", scene(ROOM, "Pinned messages")),
    Scene("app-thread", scene("/c/1/thread/3", until="Which platform?")),
    Scene("app-conversation-menu", scene(ROOM, "Conversation menu")),
    Scene("app-notifications", scene(ROOM, "Conversation menu", "Notifications")),
    Scene("app-add-people", scene(ROOM, "Conversation menu", "Add people")),
    Scene("app-leave", scene(ROOM, "Conversation menu", "Leave channel")),
    Scene("app-message-menu", message_menu),
    Scene("app-announcement", announced, after=taken_back),
    Scene("app-missing", scene("/c/999999", until="You are not in this conversation")),
    Scene("app-switcher", switcher),
    Scene("app-keys", scene("/", "Your account", "Keyboard", until="Jump to a conversation or a person")),
    Scene("app-channels", scene("/channels", until="members")),
    Scene("app-search", scene(f"{ROOM}?find=the", until="Today")),
    Scene("app-search-everywhere", scene("/search?find=", until="Whole words are found")),
    Scene("app-details", scene(f"{ROOM}/details", until="Add people")),
    Scene("app-details-links", scene(f"{ROOM}/details", "Invite links", "Make a link", until="Copy it now")),
    Scene("app-reports", scene("/reports", until="Nothing waits for you")),
    Scene("app-who-got-it", who_got_it),
    Scene("app-join", scene("/join#a-code", until="You are invited")),
    Scene("app-new-channel", dialog("Add channels", "Create a channel")),
    Scene("app-new-message", dialog("New message")),
    Scene("app-account", scene("/", "Your account")),
    Scene("app-status", dialog("Your account", "Set a status message")),
    *(Scene(f"app-settings-{part}", scene(f"/settings/{part}")) for part in PARTS),
    Scene("board", board),
    Scene("board-month", board_month),
    Scene("board-below", board_below),
    Scene("board-people", people),
    Scene("board-evidence", evidence),
    Scene("board-confirm", confirming),
    Scene("board-audit", audit),
    Scene("board-announce", scene("/dashboard", "Announce")),
    Scene("board-draining", draining, after=brought_back),
    Scene("board-members", scene("/dashboard", until="The dashboard is for admins"), who="ben"),
]
