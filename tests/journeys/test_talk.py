"""Ana, Ben and Chloe write: every action on a message shows on the other two screens, without a reload."""

from playwright.async_api import ViewportSize, expect

from tests.cast import Cast
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.chat import enter, message, picks_emoji, replies_in_thread, show_alike, shown, uses
from tests.promises.conftest import StartNode
from tests.verbs import begins
from tests.waiting import eventually

PHONE: ViewportSize = {"width": 390, "height": 800}

# Records notifications instead of showing them, and pretends that the window is focused or not.
NOTIFICATIONS = """
    window.told = [];
    window.away = false;
    document.hasFocus = () => !window.away;
    const Real = window.Notification;
    window.Notification = class extends Real {
        static get permission() { return "granted"; }  // the headless shell grants none
        constructor(title, options) { super(title, options); window.told.push([title, options.body]); }
    };
"""
AWAY = "away => { window.away = away; dispatchEvent(new Event(away ? 'blur' : 'focus')); }"


async def test_three_users_write(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """Replies, reactions, edits, pins, threads and deletions show; Chloe, away meanwhile, then sees the same."""
    node = await start_node("a1")
    ana, ben, chloe = await enter(stage, node, "ana", "ben", "chloe")
    room = await begins(ana, "channel", "kitchen", ben, chloe)
    one, two, three = [await open_window(node, person, f"/c/{room}") for person in (ana, ben, chloe)]
    await three.page.set_viewport_size(PHONE)
    for window in (one, two, three):
        await window.is_live()
    await one.says("Shall we **cook**?")
    await message(two, 1).wait_for()
    await uses(two, 1, "React with 👍")
    await uses(two, 1, "Add reaction")
    await picks_emoji(two, "tada")
    await uses(two, 1, "Reply")
    await two.says("Yes: `soup`")
    await message(one, 2).get_by_role("link", name="Reply to Ana").wait_for()
    await expect(message(one, 1).get_by_role("button", name="🎉 1: Ben")).to_be_visible(timeout=LIMIT)
    await uses(one, 1, "Pin")
    await show_alike(one, two, three)
    await three.page.context.set_offline(True)
    await one.edits_last("Shall we **bake**?")
    await uses(one, 2, "Reply in thread")
    await replies_in_thread(one, "with bread")
    await message(two, 2).get_by_role("link", name="1 reply").wait_for()
    await uses(two, 2, "Delete")
    await two.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await message(two, 2).get_by_text("This message was deleted.").wait_for()
    await show_alike(one, two)
    await three.page.context.set_offline(False)
    await show_alike(two, three)
    live = await shown(three)
    await three.page.reload()
    await message(three, 2).wait_for()
    await show_alike(two, three)
    assert await shown(three) == live
    assert one.errors == two.errors == three.errors == []


async def test_the_keyboard_does_it_all(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """Keys alone move from writing to a message and back: a reply, an edit, a reaction, a pin, a name, a list."""
    node = await start_node("a1")
    ana, ben = await enter(stage, node, "ana", "ben")
    room = await begins(ana, "group", "", ben)
    await ben.says(room, "hello")
    window = await open_window(node, ana, f"/c/{room}")
    await window.is_live()
    await message(window, 1).wait_for()
    keys, page = window.page.keyboard, window.page
    await page.get_by_label("Message", exact=True).focus()
    await keys.type("hi @b")
    await page.get_by_role("option", name="Ben").wait_for()
    await keys.press("Enter")
    await keys.type("there :tad")
    await page.get_by_role("option", name=":tada:").wait_for()
    await keys.press("Tab")
    await keys.press("Enter")
    await expect(message(window, 2)).to_contain_text("hi @Ben there 🎉", timeout=LIMIT)
    await keys.press("ArrowUp")
    await page.get_by_text("Editing").wait_for()
    await keys.press("Escape")
    await keys.press("Shift+Tab")
    await keys.press("ArrowUp")
    await keys.press("ArrowUp")
    await expect(message(window, 1)).to_be_focused()
    await keys.press("p")
    await message(window, 1).get_by_text("Pinned").wait_for()
    await keys.press("+")
    await page.get_by_role("region", name="People").wait_for()
    await keys.type("heart")
    await page.get_by_role("region", name="Found").get_by_role("button").first.wait_for()
    await keys.press("Enter")
    await message(window, 1).get_by_role("button", name="You").wait_for()
    await expect(message(window, 1)).to_be_focused()
    await keys.press("r")
    await page.get_by_text("Replying to").wait_for()
    await keys.type("answered")
    await keys.press("Enter")
    await message(window, 3).get_by_role("link", name="Reply to Ben").wait_for()
    await keys.type("- one")
    await keys.press("Shift+Enter")
    await keys.type("two ")
    await keys.press("Control+b")
    await keys.type("bold")
    await keys.press("Enter")
    await expect(message(window, 4).get_by_role("listitem")).to_have_text(["one", "two bold"], timeout=LIMIT)
    await expect(message(window, 4).locator("strong")).to_have_text("bold")
    assert window.errors == []


async def test_mentioned_users_are_notified(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """A mention is counted separately and notified in an unfocused window; a mute ends that."""
    node = await start_node("a1")
    ana, ben = await enter(stage, node, "ana", "ben")
    room, other = await begins(ana, "channel", "kitchen", ben), await begins(ana, "channel", "garden", ben)
    window, his = await open_window(node, ana, f"/c/{room}"), await open_window(node, ben, f"/c/{room}")
    await window.page.add_init_script(NOTIFICATIONS)
    await window.page.reload()
    for one in (window, his):
        await one.is_live()
    await window.page.evaluate(AWAY, True)
    await ben.says(other, "nothing for you")
    await ben.says(other, "@ana: **look**")
    await eventually(lambda: window.page.evaluate("told.length === 1"), 30)
    assert await window.page.evaluate("told") == [["Ben in #garden", "@ana: look"]]
    link = window.page.get_by_role("navigation").get_by_role("link").filter(has_text="garden")
    await expect(link).to_contain_text("@1", timeout=LIMIT)
    await expect(link.get_by_title("Unread", exact=True)).to_be_visible()
    await window.page.evaluate(AWAY, False)
    await mutes(window, "garden")
    await window.chooses("kitchen")
    await window.page.evaluate(AWAY, True)
    await ben.says(other, "@ana again")
    await ben.says(room, "@ana here")
    await eventually(lambda: window.page.evaluate("told.length > 1"), 30)
    assert (await window.page.evaluate("told"))[1:] == [["Ben in #kitchen", "@ana here"]]
    await window.page.evaluate(AWAY, False)
    await his.says("seen?")
    await his.page.get_by_text("Seen by Ana").or_(his.page.get_by_text("Seen by everyone")).wait_for()
    assert window.errors == his.errors == []


async def mutes(window: Window, name: str) -> None:
    """Mute the conversation with this name for an hour."""
    await window.chooses(name)
    await window.page.get_by_role("button", name="Conversation menu").click()
    await window.page.get_by_role("menuitem", name="Notifications").click()
    dialog = window.page.get_by_role("dialog")
    await dialog.get_by_role("button", name="1 hour").click()
    await dialog.get_by_text("Muted until").wait_for()
    await dialog.get_by_role("button", name="Done").click()


async def test_a_profile_and_a_block(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """A new name is everywhere at once; messages of a blocked user are folded until opened."""
    node = await start_node("a1")
    ana, mallory = await enter(stage, node, "ana", "mallory")
    room = await begins(ana, "channel", "kitchen", mallory)
    window, hers = await open_window(node, ana, f"/c/{room}"), await open_window(node, mallory, f"/c/{room}")
    for one in (window, hers):
        await one.is_live()
    await hers.says("spam")
    await hers.page.get_by_role("button", name="Your account").click()
    await hers.page.get_by_role("menuitem", name="Settings").click()
    form = hers.page.get_by_role("form", name="Your profile")
    await form.get_by_label("Display name").fill("Malory Archer")
    await form.get_by_label("About you").fill("Sells things")
    await form.get_by_label("Time zone").select_option("Asia/Tokyo")
    await form.get_by_role("button", name="Save profile").click()
    await message(window, 1).get_by_role("button", name="Malory Archer").click()
    card = window.page.get_by_role("dialog", name="Profile")
    await expect(card).to_contain_text("Sells things")
    await expect(card).to_contain_text("Asia/Tokyo")
    await card.get_by_role("button", name="Block").click()
    await card.get_by_role("button", name="Block Malory Archer").click()
    await card.get_by_role("button", name="Unblock").wait_for()
    await card.get_by_role("button", name="Close").click()
    await expect(message(window, 1)).to_contain_text("From someone you blocked.")
    await expect(message(window, 1)).not_to_contain_text("spam")
    await message(window, 1).get_by_role("button", name="Show").click()
    await expect(message(window, 1)).to_contain_text("spam")
    assert window.errors == hers.errors == []


async def test_a_link_leads_into_the_past(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """A link to an old message keeps its place while others write; then the page moves to the newest, by pages or at
    once."""
    node = await start_node("a1")
    ana, ben = await enter(stage, node, "ana", "ben")
    room = await begins(ana, "channel", "kitchen", ben)
    drafts = [{"conversation": room, "body": f"number {n}", "client_id": f"n{n}"} for n in range(1, 301)]
    await ben.call("POST", "/api/chat/messages", {"messages": drafts})
    window = await open_window(node, ana, f"/c/{room}/40")
    await window.is_live()
    await expect(message(window, 40)).to_be_in_viewport(timeout=LIMIT)
    assert len(await shown(window)) < 150
    await ben.says(room, "meanwhile")
    await expect(message(window, 40)).to_be_in_viewport()
    assert await message(window, 301).count() == 0
    await window.page.get_by_role("log").evaluate("log => log.scrollTo(0, log.scrollHeight)")
    await message(window, 100).wait_for()
    await window.page.get_by_role("button", name="1 new message").click()
    await expect(message(window, 301)).to_be_in_viewport(timeout=LIMIT)
    assert window.errors == []
