"""A user completes and runs commands; only they see the answer, and a mistyped command is not posted."""

import psycopg
from playwright.async_api import expect

from tests.cast import Cast
from tests.journeys.axe import is_sound
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.chat import enter
from tests.promises.conftest import StartNode
from tests.verbs import begins


async def test_commands_in_the_message_field(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """Commands are completed and run by keyboard; then a reminder arrives and leads to its message."""
    node = await start_node("a1")
    (ana,) = await enter(stage, node, "ana")
    room = await begins(ana, "channel", "kitchen")
    said = await ana.says(room, "The oven is on")
    window = await open_window(node, ana, f"/c/{room}")
    await completes_and_runs(window)
    await posts_or_keeps(window)
    await changes_reminders(window)
    about = {"text": "Turn it off", "at": "2029-01-01T09:00:00Z", "conversation": room, "seq": said["seq"]}
    assert (await ana.call("POST", "/api/reminders", about))[0] == 201
    await reminds_now(stage)
    await ana.call("POST", "/api/reminders", about)
    await window.chooses("Reminders")
    log = window.page.get_by_role("log")
    await expect(log.get_by_text("Reminder: Turn it off")).to_be_visible(timeout=LIMIT)
    await log.get_by_role("link", name="View message").click()
    await window.reads("kitchen")
    assert window.errors == []


async def completes_and_runs(window: Window) -> None:
    """Complete a command, run it with wrong and with right words, read the answer and dismiss it."""
    page = window.page
    field, answer = page.get_by_label("Message", exact=True), page.get_by_label("Answer to your command")
    await field.press_sequentially("/")
    options = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    await expect(options).to_have_count(5, timeout=LIMIT)
    await is_sound(page, "commands")
    await field.press_sequentially("re")
    await expect(options).to_have_text([r"/remind Set a reminder · [#channel] [what] [when] | list"], timeout=LIMIT)
    await field.press("Tab")
    await expect(field).to_have_value("/remind ")
    await field.press_sequentially("pasta")
    await field.press("Enter")
    await expect(answer).to_contain_text("/remind in 20 minutes call Ben", timeout=LIMIT)
    await expect(field).to_have_value("/remind pasta")
    await field.press_sequentially(" in 2 hours")
    await field.press("Enter")
    await expect(answer).to_contain_text("I will remind you on", timeout=LIMIT)
    await expect(answer).to_contain_text("Only visible to you")
    await expect(field).to_have_value("")
    await is_sound(page, "answer")
    await answer.get_by_role("button", name="Dismiss").click()
    await expect(answer).to_be_empty()
    await expect(field).to_be_focused()


async def posts_or_keeps(window: Window) -> None:
    """A mistyped command stays in the field; two slashes post it; a command posts a message."""
    page = window.page
    field, answer = page.get_by_label("Message", exact=True), page.get_by_label("Answer to your command")
    await window.says("/cook soup")
    await expect(answer).to_contain_text("type two slashes", timeout=LIMIT)
    await expect(field).to_have_value("/cook soup")
    await window.says("//cook soup")
    log = page.get_by_role("log")
    await expect(log.get_by_text("/cook soup", exact=True)).to_be_visible(timeout=LIMIT)
    await expect(answer).to_be_empty()
    await window.says("/shrug not me")
    await expect(log.get_by_text("not me ¯\\_(ツ)_/¯", exact=True)).to_be_visible(timeout=LIMIT)


async def changes_reminders(window: Window) -> None:
    """Find the reminder in Later, move it, and remove it."""
    page = window.page
    await window.opens("/later/reminders")
    row = page.get_by_role("list", name="Reminders").get_by_role("listitem")
    await expect(row).to_contain_text("pasta", timeout=LIMIT)
    await row.get_by_role("button", name="Change reminder").click()
    await row.get_by_label("Text").fill("pasta for two")
    await row.get_by_label("Time").fill("2029-05-01T12:30")
    await is_sound(page, "reminder")
    await row.get_by_role("button", name="Save").click()
    await expect(row).to_contain_text("pasta for two", timeout=LIMIT)
    await expect(row).to_contain_text("2029")
    await is_sound(page, "reminders")
    await row.get_by_role("button", name="Remove reminder").click()
    await expect(page.get_by_text("No reminders")).to_be_visible(timeout=LIMIT)
    await window.chooses("kitchen")


async def reminds_now(stage: Cast) -> None:
    """Let all reminders be due."""
    async with await psycopg.AsyncConnection.connect(stage.database_url, autocommit=True) as database:
        await database.execute("update reminders set at = now()")
