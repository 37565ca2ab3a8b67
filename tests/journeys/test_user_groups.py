"""An admin makes a group, two users mention it and read about it, on a phone and by keyboard; then the group goes."""

from playwright.async_api import expect

from tests.cast import Cast, Person
from tests.journeys.axe import is_clean_in_both_themes, is_sound
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.chat import enter
from tests.journeys.test_invitations import PHONE, pictured
from tests.promises.conftest import StartNode
from tests.verbs import begins


async def test_a_group_is_made_mentioned_and_deleted(
    start_node: StartNode, open_window: OpenWindow, stage: Cast
) -> None:
    """Ada makes @design with Ben; Ana mentions it with the completion, and Ben, who is open elsewhere, sees himself
    called. Every window follows the group's name, and its end."""
    node = await start_node("a1")
    (ada,) = await stage.enters("ada", role="admin")
    ada.at = node.url
    ana, ben, *others = await enter(stage, node, "ana", "ben", "chloe", "dora", "eve", "flora", "gina")
    room = await begins(ana, "channel", "kitchen", ben, *others)
    admin = await open_window(node, ada, "/people/groups")
    await makes_group(admin)
    author, reader = await open_window(node, ana, f"/c/{room}"), await open_window(node, ben, "/activity")
    await mentions(author)
    await is_called(reader)
    await looks_on_a_phone(reader, room)
    await renames(admin)
    await asks_before_many_are_notified(author, ada, [ben, *others])
    await deletes(admin)
    await expect(author.page.get_by_role("log").get_by_role("button", name="@product")).to_have_count(0, timeout=LIMIT)
    for window in (admin, author, reader):
        assert window.errors == []


async def makes_group(window: Window) -> None:
    """Find no groups, try a name that is taken, and make one with Ben, by keyboard."""
    page = window.page
    await expect(page.get_by_text("No groups yet")).to_be_visible(timeout=LIMIT)
    await is_clean_in_both_themes(page)
    await pictured(window, "groups-empty")
    await page.get_by_role("button", name="New group").press("Enter")
    dialog = page.get_by_role("dialog")
    name = dialog.get_by_label("Name")
    await expect(name).to_be_focused()
    await name.press_sequentially("ben")
    await name.press("Enter")
    await expect(dialog).to_contain_text("A user or a group has this name", timeout=LIMIT)
    await is_sound(page, "a name that is taken")
    await name.fill("@design")
    await name.press("Enter")
    await expect(dialog.get_by_role("heading", name="@design")).to_be_visible(timeout=LIMIT)
    await expect(dialog).to_contain_text("This group has no members yet.")
    await expect(dialog.get_by_role("button", name="Add members")).to_be_focused()
    await page.keyboard.press("Enter")
    await dialog.get_by_role("searchbox").press_sequentially("ben")
    await dialog.get_by_role("checkbox", name="ben").click(timeout=LIMIT)
    await dialog.get_by_role("button", name="Add", exact=True).click()
    await expect(dialog.get_by_role("list", name="1 member")).to_contain_text("@ben", timeout=LIMIT)
    await is_sound(page, "the members of a group")
    await pictured(window, "group-members")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("list", name="Groups")).to_contain_text("@design", timeout=LIMIT)
    await is_clean_in_both_themes(page)
    await pictured(window, "groups")


async def mentions(window: Window) -> None:
    """Complete the group's name, send, and look at the members of the group with the pointer."""
    page = window.page
    field = page.get_by_label("Message", exact=True)
    await field.press_sequentially("Please ask @des")
    options = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    await expect(options.first).to_have_text("@design 1 member", timeout=LIMIT)
    await pictured(window, "group-suggested")
    await field.press("Tab")
    await expect(field).to_have_value("Please ask @design ")
    await field.press("Enter")
    chip = page.get_by_role("log").get_by_role("button", name="@design")
    await expect(chip).to_be_visible(timeout=LIMIT)
    await chip.hover()
    await expect(page.get_by_role("tooltip")).to_contain_text("1 member", timeout=LIMIT)
    await expect(page.get_by_role("tooltip")).to_contain_text("Ben", timeout=LIMIT)
    await is_sound(page, "a mentioned group")
    await pictured(window, "group-mentioned")
    await page.mouse.move(0, 0)


async def is_called(window: Window) -> None:
    """See the message in the activity, and the group's name highlighted."""
    page = window.page
    await expect(page.get_by_role("main").get_by_text("Please ask @design").first).to_be_visible(timeout=LIMIT)
    await pictured(window, "group-activity")


async def looks_on_a_phone(window: Window, room: int) -> None:
    """Press the name of the group on a phone: its members are shown, and nothing to change."""
    page = window.page
    await page.set_viewport_size(PHONE)
    await window.opens(f"/c/{room}")
    chip = page.get_by_role("log").get_by_role("button", name="@design")
    await expect(chip).to_have_class("call mine", timeout=LIMIT)
    await chip.click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("list", name="1 member")).to_contain_text("@ben", timeout=LIMIT)
    await expect(dialog.get_by_role("button", name="Add members")).to_have_count(0)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await is_clean_in_both_themes(page)
    await pictured(window, "group-phone")
    await page.keyboard.press("Escape")


async def renames(window: Window) -> None:
    """Give the group another name."""
    page, dialog = window.page, window.page.get_by_role("dialog")
    await page.get_by_role("list", name="Groups").get_by_role("button", name="@design").click()
    await dialog.get_by_role("button", name="Rename group").click()
    await dialog.get_by_label("Name").fill("product")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_role("heading", name="@product")).to_be_visible(timeout=LIMIT)
    await page.keyboard.press("Escape")


async def asks_before_many_are_notified(window: Window, admin: Person, members: list[Person]) -> None:
    """A mention of a group that has become large asks first, as for everyone."""
    page, dialog = window.page, window.page.get_by_role("dialog")
    _, found = await admin.call("GET", "/api/groups")
    users = {"users": [one.id for one in members]}
    assert (await admin.call("PUT", f"/api/groups/{found['groups'][0]['id']}/members", users))[0] == 200
    field = page.get_by_label("Message", exact=True)
    await field.press_sequentially("@prod")
    await expect(page.get_by_role("option").first).to_have_text("@product 6 members", timeout=LIMIT)
    await field.press("Tab")
    await field.press("Enter")
    await expect(dialog).to_contain_text("Up to 6 members will get a notification.", timeout=LIMIT)
    await pictured(window, "group-asks")
    await dialog.get_by_role("button", name="Send and notify").click()
    await expect(page.get_by_role("log").get_by_role("button", name="@product")).to_be_visible(timeout=LIMIT)
    await expect(page.get_by_role("log").get_by_role("button", name="@design")).to_have_count(0)


async def deletes(window: Window) -> None:
    """Delete the group, after a question."""
    page, dialog = window.page, window.page.get_by_role("dialog")
    await page.get_by_role("list", name="Groups").get_by_role("button", name="@product").click()
    await expect(dialog.get_by_role("list", name="6 members")).to_be_visible(timeout=LIMIT)
    await dialog.get_by_role("button", name="Delete group").click()
    await expect(dialog).to_contain_text("Delete @product?", timeout=LIMIT)
    await dialog.get_by_role("button", name="Delete group").click()
    await expect(page.get_by_text("No groups yet")).to_be_visible(timeout=LIMIT)
