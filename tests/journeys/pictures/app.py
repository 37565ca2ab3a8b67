"""The screens of the app."""

from playwright.async_api import expect

from tests.journeys.pictures.stage import Stage
from tests.journeys.pictures.view import ROOM, Scene, View, scene

SETTINGS = {
    "profile": "Time zone",
    "status": "Status",
    "notifications": "Notifications",
    "logins": "Firefox on Linux",
    "data": "Your data",
    "blocked": "Blocked",
    "appearance": "Compact",
}


async def list_alone(view: View) -> None:
    """The list on a phone; a wide screen opens the newest conversation beside it."""
    await view.opens("/")
    await view.page.get_by_role("navigation").get_by_role("link").first.wait_for()
    await view.is_live()


async def signing_up(view: View) -> None:
    """The first screen in its sign-up form."""
    await view.opens("/")
    await view.presses("Sign up")


async def wrong_password(view: View) -> None:
    """A failed log-in."""
    await view.opens("/")
    await view.page.get_by_label("Username", exact=True).fill("ana")
    await view.page.get_by_label("Password", exact=True).fill("not that one")
    await view.presses("Log in")
    await view.page.get_by_role("alert").first.wait_for()


async def newcomer(view: View) -> None:
    """A new member's empty conversation."""
    await view.opens("/")
    await view.is_live()


async def announced(view: View) -> None:
    """An announcement above the conversations."""
    admin = view.stage.people["ana"]
    await admin.call("PUT", "/api/announcement", {"body": "Maintenance at 18:00: two minutes, nothing is lost."})
    await view.reads()
    await view.page.get_by_role("region", name="Announcement").wait_for()


async def taken_back(stage: Stage) -> None:
    """A tombstone."""
    await stage.people["ana"].call("DELETE", "/api/announcement")


async def talking(view: View) -> None:
    """The end of a conversation, while someone types."""
    await view.reads()
    await view.page.locator("[role=log] article").last.scroll_into_view_if_needed()
    for name in ("ben", "chloe"):
        await view.stage.sockets[name].says("typing", conversation=1, on=True)
    await view.page.get_by_text("are typing").locator("visible=true").first.wait_for()
    forget = view.button("Clear unread marker")
    if await forget.is_visible():
        await forget.click()
        await view.page.mouse.move(0, 0)


async def cut_off(view: View) -> None:
    """The network is cut, and a message is waiting to be sent."""
    await view.reads()
    await view.page.context.set_offline(True)
    await view.page.get_by_label("Message", exact=True).fill("Said into the dark")
    await view.presses("Send")
    await view.page.get_by_text("Said into the dark").last.wait_for()


async def carrying(view: View) -> None:
    """Files about to be sent, and one that cannot be."""
    await view.reads()
    files = [("notes.txt", b"remember the milk"), ("A name that is far too long to stand in one line.pdf", b"%PDF-1.4")]
    chosen = [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files]
    async with view.page.expect_file_chooser() as asked:
        await view.button("Attach files").first.click()
    await (await asked.value).set_files(chosen)  # type: ignore[arg-type]
    tray = view.page.get_by_role("list", name="Files to send").first.locator("li")
    await expect(tray.last).to_have_attribute("data-state", "done")


APP = [
    Scene("app-login", scene("/", until="Log in to Tandem"), who=""),
    Scene("app-login-wrong", wrong_password, who=""),
    Scene("app-signup", signing_up, who=""),
    Scene("app-list", list_alone),
    Scene("app-newcomer", newcomer, who="nora"),
    Scene("app-conversation", scene(ROOM)),
    Scene("app-talking", talking),
    Scene("app-announcement", announced, after=taken_back),
    Scene("app-cut-off", cut_off),
    Scene("app-carrying", carrying),
    Scene("app-missing", scene("/c/999999", until="You're not in this conversation")),
    Scene("app-channels", scene("/channels", until="Mockups, wording and colors")),
    Scene("app-channels-none", scene("/channels?q=nothing-like-it", until="Channels")),
    Scene("app-search", scene("/search?find=coffee", until="coffee")),
    Scene("app-search-beside", scene(f"{ROOM}?find=the", until="Today")),
    Scene("app-search-empty", scene("/search?find=", until="Search for words in any order")),
    Scene("app-search-none", scene("/search?find=xylophone", until="No messages found")),
    Scene("app-activity", scene("/activity", until="Activity"), who="ben"),
    Scene("app-threads", scene("/threads", until="Threads"), who="ben"),
    Scene("app-later", scene("/later", until="Later"), who="ben"),
    Scene("app-reports-none", scene("/reports"), who="ben"),
    Scene("app-reports", scene("/reports", until="Not kind")),
    Scene("app-setup", scene("/setup#a-token", until="Set up your team"), who=""),
    Scene("app-people", scene("/people", until="Joined")),
    Scene("app-people-invite", scene("/people/invite", until="No invitations yet")),
    Scene("app-people-settings", scene("/people/settings", until="Storage used")),
    Scene("app-join", scene("/join#a-code", until="You're invited")),
    *(Scene(f"app-settings-{part}", scene(f"/settings/{part}", until=text)) for part, text in SETTINGS.items()),
]
