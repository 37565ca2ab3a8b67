"""Sending: taken back, later, forwarded; and links to messages that show what they lead to."""

import os
from pathlib import Path

from playwright.async_api import ViewportSize, expect

from tests.cast import Cast, Person
from tests.journeys.axe import is_sound
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.chat import enter, message, uses
from tests.promises.conftest import StartNode
from tests.verbs import begins, deletes, edits

PHONE: ViewportSize = {"width": 390, "height": 800}


async def look(window: Window, name: str) -> None:
    """Keep a picture if LOOK names a folder."""
    if folder := os.environ.get("LOOK"):
        await window.page.screenshot(path=str(Path(folder) / f"{name}.png"))


async def test_a_user_sends_as_they_mean_it(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """Ben takes a message back, schedules one, forwards another, and posts a link to a third."""
    node = await start_node("a1")
    ana, ben = await enter(stage, node, "ana", "ben")
    room = await begins(ana, "channel", "kitchen", ben)
    await begins(ana, "channel", "garden", ben, private=True)
    await ana.says(room, "The **oven** is on")
    window = await open_window(node, ben, f"/c/{room}")
    await takes_back(window)
    await schedules(window)
    await forwards(window)
    await follows_a_link(window, ana, node.url, room)
    assert window.errors == []


async def takes_back(window: Window) -> None:
    """Send, then undo: the text is in the field again, and no trace of the message is left."""
    await message(window, 1).wait_for()
    await window.says("to the wrong room")
    await message(window, 2).get_by_role("button", name="Undo").wait_for()
    await look(window, "undo")
    await message(window, 2).get_by_role("button", name="Undo").click()
    await message(window, 2).wait_for(state="detached")
    assert await window.draft() == "to the wrong room"


async def schedules(window: Window) -> None:
    """Choose a time by the keyboard, see it on the page of scheduled messages, change its text, and send it there."""
    await window.types("good morning")
    await window.page.get_by_role("button", name="Send later").press("Enter")
    await window.page.get_by_role("menuitem", name="In 20 minutes").wait_for()
    await look(window, "menu")
    await window.page.keyboard.press("ArrowDown")
    await window.page.keyboard.press("Enter")
    await window.page.get_by_text("Scheduled for").wait_for()
    assert await window.draft() == ""
    await window.page.get_by_role("link", name="Scheduled").click()
    listed = window.page.get_by_role("list", name="Scheduled").get_by_role("listitem")
    await listed.filter(has_text="good morning").wait_for()
    await is_sound(window.page, "scheduled")
    await look(window, "scheduled")
    await listed.get_by_role("button", name="Change time").click()
    await look(window, "time")
    await window.page.get_by_role("dialog").get_by_role("button", name="Schedule").click()
    await listed.get_by_role("button", name="Edit message").click()
    await listed.get_by_role("textbox").fill("good evening")
    await listed.get_by_role("button", name="Save").click()
    await listed.filter(has_text="good evening").get_by_role("button", name="Send now").click()
    await window.page.get_by_text("Nothing scheduled").wait_for()
    await window.chooses("kitchen")
    await message(window, 3).get_by_text("good evening").wait_for()


async def forwards(window: Window) -> None:
    """Forward a message with a comment. Its reader sees where it is from."""
    await uses(window, 1, "Forward")
    dialog = window.page.get_by_role("dialog")
    await dialog.get_by_label("Find conversations").fill("gard")
    await dialog.get_by_role("checkbox").check()
    await dialog.get_by_label("Comment").fill("Look")
    await is_sound(window.page, "forward")
    await look(window, "forward")
    await dialog.get_by_role("button", name="Forward").click()
    await window.chooses("garden")
    shown = message(window, 1).get_by_test_id("forwarded")
    await expect(shown).to_contain_text("Forwarded from Ana #kitchen", timeout=LIMIT)
    await expect(shown.get_by_test_id("text")).to_have_text("The oven is on", timeout=LIMIT)


async def follows_a_link(window: Window, ana: Person, url: str, room: int) -> None:
    """A link to a message is shown as a card, which follows an edit and goes with a deletion."""
    await window.says(f"See {url}/c/{room}/1 and `{url}/c/{room}/3`")
    card = message(window, 2).get_by_test_id("card")
    await expect(card).to_contain_text("The oven is on", timeout=LIMIT)
    await edits(ana, room, 1, "The oven is off")
    await expect(card).to_contain_text("The oven is off", timeout=LIMIT)
    await is_sound(window.page, "card")
    await look(window, "card")
    await window.page.set_viewport_size(PHONE)
    await window.page.emulate_media(color_scheme="dark")
    await look(window, "card-phone")
    await deletes(ana, room, 1)
    await card.wait_for(state="detached")
