"""The screens of the app."""

from tests.journeys.pictures.stage import Stage
from tests.journeys.pictures.view import ROOM, Scene, View, dialog, scene


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


async def announced(view: View) -> None:
    """Above the conversations."""
    admin = view.stage.people["ana"]
    await admin.call("PUT", "/api/announcement", {"body": "Maintenance at 18:00: two minutes, nothing is lost."})
    await view.reads()
    await view.page.get_by_role("region", name="Announcement").wait_for()


async def taken_back(stage: Stage) -> None:
    """Nothing stands there any more."""
    await stage.people["ana"].call("DELETE", "/api/announcement")


APP = [
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
    Scene("app-details", scene("/c/1/details", until="Everything that is for everybody")),
    Scene("app-channels", scene("/channels", until="Drawings, words, colours")),
    Scene("app-search", scene("/search?find=coffee", until="coffee")),
    Scene("app-reports", scene("/reports")),
    Scene("app-new-channel", dialog("Add channels", "Create a channel")),
    Scene("app-new-message", dialog("New message")),
    Scene("app-account", scene("/", "Your account")),
    Scene("app-status", dialog("Your account", "Set a status message")),
    Scene("app-keyboard", dialog("Your account", "Keyboard")),
    Scene("app-settings", scene("/settings/profile", until="Time zone")),
    Scene("app-appearance", scene("/settings/appearance", until="Compact")),
]
