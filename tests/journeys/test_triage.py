"""Triage: what is unread stays unread until the user says so, and what matters later is found again."""

from playwright.async_api import ViewportSize, expect

from tests.cast import Cast, Person
from tests.journeys.axe import is_sound
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.chat import enter, message, replies_in_thread, uses
from tests.promises.conftest import StartNode
from tests.verbs import answers, begins, counts, deletes, follows, reacts
from tests.waiting import eventually

PHONE: ViewportSize = {"width": 390, "height": 800}


async def test_a_user_keeps_and_finds_what_matters(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """Ben marks a message as unread, returns later, saves one, reads his threads and his activity."""
    node = await start_node("a1")
    ana, ben = await enter(stage, node, "ana", "ben")
    room, other = await begins(ana, "channel", "kitchen", ben), await begins(ana, "channel", "garden", ben)
    for text in ("soup", "bread for @ben", "tomatoes"):
        await ana.says(room, text)
    await ana.says(other, "rain")
    window, phone = await open_window(node, ben, f"/c/{room}"), await open_window(node, ben, f"/c/{other}")
    await phone.page.set_viewport_size(PHONE)
    await message(window, 3).wait_for()
    await eventually(lambda: is_read(ben, room))
    await marks_unread_and_returns(window, phone, ana, ben, room, other)
    await saves_for_later(window, phone, ana, room)
    await reads_activity_and_threads(window, ana, ben, room)
    assert window.errors == phone.errors == []


async def marks_unread_and_returns(
    window: Window, phone: Window, ana: Person, ben: Person, room: int, other: int
) -> None:
    """Mark a message as unread by a key; go elsewhere, open the app again, come to it again; then mark it as read."""
    await message(window, 2).focus()
    await window.page.keyboard.press("u")
    await window.page.get_by_text("Marked unread").wait_for()
    await phone.page.get_by_role("link", name="All conversations").click()
    listed = phone.page.get_by_role("link", name="kitchen")
    await expect(listed).to_contain_text("@1", timeout=LIMIT)
    await window.chooses("garden")
    await window.page.get_by_role("link", name="Later").click()
    await ana.says(other, "sun")
    await window.opens("/")
    await message(window, 2).get_by_text("sun").wait_for()
    await is_sound(window.page, "landing")
    assert await counts(ben, other) == (1, 0)
    await window.page.get_by_role("log").click()
    await eventually(lambda: is_read(ben, other))
    await window.chooses("kitchen")
    await window.page.get_by_text("Marked unread").wait_for()
    assert await counts(ben, room) == (2, 1)
    await is_sound(window.page, "marked unread")
    await window.page.get_by_role("button", name="Mark as read").click()
    await eventually(lambda: is_read(ben, room))
    await expect(listed).not_to_contain_text("@1", timeout=LIMIT)


async def saves_for_later(window: Window, phone: Window, ana: Person, room: int) -> None:
    """Save two messages. On the phone, mark one as done; the other is deleted."""
    await uses(window, 1, "Save for later")
    await uses(window, 3, "Save for later")
    await message(window, 1).get_by_text("Saved", exact=True).wait_for()
    await phone.page.get_by_role("link", name="Later").click()
    later = phone.page.get_by_role("list", name="Later").locator("article")
    await expect(later).to_have_count(2, timeout=LIMIT)
    await later.filter(has_text="tomatoes").get_by_role("button", name="Mark as done").click()
    await expect(later).to_have_count(1, timeout=LIMIT)
    await is_sound(phone.page, "later")
    await deletes(ana, room, 1)
    await phone.page.get_by_text("Nothing saved for later").wait_for()


async def reads_activity_and_threads(window: Window, ana: Person, ben: Person, room: int) -> None:
    """Find what others did, then read and answer a thread on its page."""
    await ben.says(room, "who cooks?")
    await answers(ana, room, 4, "I do")
    await reacts(ana, room, 4, "🎉")
    await follows(ben, room, 4)
    await window.page.get_by_role("link", name="Activity").click()
    rows = window.page.get_by_role("list", name="Activity").locator("article")
    for text in ("Ana reacted with 🎉", "Ana replied in a thread", "Ana mentioned you"):
        await rows.filter(has_text=text).wait_for()
    await is_sound(window.page, "activity")
    await window.page.get_by_role("link", name="Threads").click()
    await window.page.get_by_role("list", name="Threads").get_by_role("link").click()
    await window.page.get_by_role("log", name="Replies").get_by_text("I do").wait_for()
    await replies_in_thread(window, "thank you")
    await window.page.get_by_role("log", name="Replies").get_by_text("thank you").wait_for()
    await is_sound(window.page, "threads")


async def is_read(person: Person, room: int) -> bool:
    """Return whether nothing is unread."""
    return await counts(person, room) == (0, 0)
