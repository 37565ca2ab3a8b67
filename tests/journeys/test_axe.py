"""Every screen as assistive technology sees it: axe finds nothing serious or critical, in any look."""

import pytest_asyncio
from playwright.async_api import ViewportSize

from tests.cast import Cast
from tests.journeys.axe import EVERY_LOOK, is_sound
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import Window
from tests.journeys.pages.chat import enter, message, uses
from tests.journeys.pages.panels import closes, looks_for, opens_details, unfolds
from tests.promises.conftest import StartNode
from tests.verbs import CONVERSATIONS, answers, begins, edits, pins, reacts, tries

PHONE: ViewportSize = {"width": 390, "height": 800}
PARTS = ("Name and topic", "Who can post", "Notifications", "Invite links", "Integrations", "Banned", "Activity log")
ARABIC = """() => fetch('/api/users/me', {
    method: 'PATCH', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({language: 'ar'})})"""
SIDES = """() => {
    const button = document.querySelector('main form button:not([type])');
    const [list, main] = ['.sidebar', 'main'].map(selector => document.querySelector(selector).getBoundingClientRect());
    const [form, send] = [button.form, button].map(element => element.getBoundingClientRect());
    const sideOf = isRight => isRight ? 'right' : 'left';
    return [sideOf(list.left >= main.right - 1), sideOf(send.left - form.left > form.right - send.right)];
}"""
GO = "path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }"


@pytest_asyncio.fixture(loop_scope="session")
async def window(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> Window:
    """A window of Ana, a server admin, with one of everything."""
    node = await start_node("a1")
    (ana,) = await stage.enters("ana", role="admin")
    ben, chloe = await enter(stage, node, "ben", "chloe")
    ana.at = node.url
    room = await begins(ana, "channel", "kitchen", ben, chloe, topic="What is for lunch")
    await ben.says(room, "tomatoes, **ripe** and `red`: https://example.org @ana")
    await edits(ben, room, 1, "tomatoes, *ripe* and `red`: https://example.org @ana\n```js\nconst a = 1;\n```")
    await ana.says(room, "soup?")
    await reacts(ben, room, 2, "🎉")
    await pins(ben, room, 2)
    await answers(chloe, room, 2, "with bread")
    assert (await tries(ana, "POST", f"{CONVERSATIONS}/{room}/messages/1/reports", {"reason": "spam"}))[0] == 201
    assert (await tries(ana, "PUT", f"/api/users/{chloe.id}/block"))[0] == 204
    window = await open_window(node, ana, f"/c/{room}")
    await window.is_live()
    await message(window, 2).wait_for()
    return window


async def goes(window: Window, path: str) -> None:
    """Go there without a load, so that axe stays in the page."""
    await window.page.evaluate(GO, path)


async def test_a_conversation_and_its_panels(window: Window) -> None:
    """A conversation, a thread, pins, online members, details with everything unfolded, a search."""
    page = window.page
    await is_sound(page, "conversation", EVERY_LOOK)
    for name in ("Members", "Pinned messages"):
        await page.get_by_role("button", name=name, exact=True).click()
        await page.get_by_role("complementary", name=name).get_by_text("Ana").first.wait_for()
        await is_sound(page, name)
    await message(window, 2).get_by_role("link", name="1 reply").click()
    await page.get_by_role("complementary", name="Thread").wait_for()
    await is_sound(page, "thread")
    panel = await opens_details(window)
    for title in PARTS:
        await unfolds(panel, title)
    await panel.get_by_role("button", name="Create link").click()
    await panel.get_by_label("Invite link", exact=True).wait_for()
    await is_sound(page, "details", EVERY_LOOK)
    await looks_for(window, "tomato*")
    await page.get_by_role("list", name="Results").get_by_role("link").wait_for()
    await is_sound(page, "search")
    await page.get_by_role("combobox", name="Search").fill("fr")
    await page.get_by_role("option", name="from:").wait_for()
    await is_sound(page, "filters")
    await page.evaluate(ARABIC)
    await page.reload()
    await page.locator("html[lang=ar][dir=rtl] article[data-seq='2']").first.wait_for()
    assert await page.evaluate(SIDES) == ["right", "left"], "the list and the send button are mirrored"
    await is_sound(page, "search in Arabic")


async def test_pages_and_dialogs(window: Window) -> None:
    """Directory, reports, settings; the switcher, keyboard shortcuts, delivery details, history, a profile; and on a
    phone."""
    page = window.page
    for path, text in {
        "/channels": "What is for lunch",
        "/reports": "spam",
        "/settings/profile": "Display name",
        "/settings/status": "Status message",
        "/settings/notifications": "This browser",
        "/settings/logins": "This device",
        "/settings/security": "Two-step verification",
        "/settings/blocked": "Chloe",
        "/settings/appearance": "High contrast",
        "/join": "This link is incomplete",
        "/c/999": "You're not in this conversation",
    }.items():
        await goes(window, path)
        await page.get_by_text(text).or_(page.get_by_label(text)).first.wait_for()
        await is_sound(page, path)
    await window.chooses("kitchen")
    for tool, text in {
        "Edit history": "edited it",
        "Delivery details": "@chloe",
        "Report": "Something else",
        "View profile": "@ben",
    }.items():
        await uses(window, 1, tool)
        await page.get_by_role("dialog").get_by_text(text).first.wait_for()
        await is_sound(page, tool)
        await closes(window)
    await page.keyboard.press("Control+k")
    await page.get_by_role("option").first.wait_for()
    await is_sound(page, "switcher")
    await closes(window)
    await page.set_viewport_size(PHONE)
    await is_sound(page, "conversation on a phone")
    await goes(window, "/")
    await is_sound(page, "list on a phone")
