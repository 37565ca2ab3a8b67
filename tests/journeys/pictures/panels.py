"""Panels, menus and dialogs beside and over the conversation."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Locator

from tests.journeys.pictures.view import ROOM, Scene, View, dialog, scene


async def last_message(view: View) -> Locator:
    """Return the last message, with its conversation open."""
    await view.reads()
    return view.page.locator("[role=log] article").last


async def message_menu(view: View) -> None:
    """Open a message's menu."""
    row = await last_message(view)
    if view.phone:
        await row.dispatch_event("pointerdown", {"pointerType": "touch", "bubbles": True})
        await view.page.get_by_role("dialog").wait_for()
    else:
        await row.hover()
        await row.get_by_role("button", name="More actions").click()


def of_message(*names: str) -> Callable[[View], Awaitable[None]]:
    """Open something from a message's menu."""

    async def act(view: View) -> None:
        await message_menu(view)
        await view.presses(*names)
        await view.page.get_by_role("dialog").first.wait_for()

    return act


def of_talk(*names: str) -> Callable[[View], Awaitable[None]]:
    """Open something from the conversation's menu."""

    async def act(view: View) -> None:
        await view.reads()
        await view.presses("Conversation menu", *names)
        await view.page.get_by_role("dialog").first.wait_for()

    return act


async def editing(view: View) -> None:
    """Editing the user's own message."""
    await view.stage.people["ana"].says(1, "Someone has left an umbrella.")
    await message_menu(view)
    await view.presses("Edit")


async def switcher(view: View) -> None:
    """The switcher, opened by its button."""
    await view.opens("/")
    await view.is_live()
    await view.page.get_by_role("button", name="Jump to").click()


async def who_got_it(view: View) -> None:
    """Delivery details, opened by their key."""
    await (await last_message(view)).focus()
    await view.page.keyboard.press("w")
    await view.page.get_by_role("dialog").get_by_role("button", name="Ben Okafor").click()
    await view.page.get_by_role("list", name="Delivery steps").wait_for()


async def lightbox(view: View) -> None:
    """The lightbox."""
    await view.opens(view.stage.pictured)
    await view.page.get_by_role("button", name="Open picture").first.click()
    await view.page.get_by_role("dialog").wait_for()


async def profile(view: View) -> None:
    """An author's profile."""
    await view.reads()
    await view.page.get_by_role("button", name="Ben Okafor").first.click()
    await view.page.get_by_role("dialog").wait_for()


async def completing(view: View) -> None:
    """Names that complete a mention."""
    await view.reads()
    await view.page.get_by_label("Message", exact=True).press_sequentially("Good morning @")
    await view.page.get_by_role("listbox").wait_for()


DETAILS = f"{ROOM}/details"
PANELS = [
    Scene("panel-members", scene(ROOM, "Members", until="Ben Okafor")),
    Scene("panel-pins", scene(ROOM, "Pinned messages")),
    Scene("panel-thread", scene("/c/1/thread/3", until="Which platform?")),
    Scene("panel-details", scene(DETAILS, until="Name and topic")),
    Scene("panel-details-links", scene(DETAILS, "Invite links", "Create link", until="Copy the link now")),
    Scene("panel-details-posting", scene(DETAILS, "Name and topic", "Who can post")),
    Scene("panel-details-changes", scene(DETAILS, "Banned", "Activity log")),
    Scene("panel-conversation-menu", scene(ROOM, "Conversation menu")),
    Scene("panel-message-menu", message_menu),
    Scene("panel-completing", completing),
    Scene("panel-editing", editing),
    Scene("panel-account", scene("/", "Your account")),
    Scene("dialog-switcher", switcher),
    Scene("dialog-notifications", of_talk("Notifications")),
    Scene("dialog-add-people", of_talk("Add people")),
    Scene("dialog-leave", of_talk("Leave channel")),
    Scene("dialog-report", of_message("Report"), who="ben"),
    Scene("dialog-delete", of_message("Delete")),
    Scene("dialog-who-got-it", who_got_it),
    Scene("dialog-person", profile),
    Scene("dialog-lightbox", lightbox),
    Scene("dialog-new-channel", dialog("Add channels", "Create channel")),
    Scene("dialog-new-message", dialog("New message")),
    Scene("dialog-status", dialog("Your account", "Set your status")),
    Scene("dialog-keyboard", dialog("Your account", "Keyboard shortcuts")),
]
