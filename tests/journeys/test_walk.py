"""Ana (wide), Ben (a phone) and Chloe (wide, dark) walk through the whole app: each step shows on the other screens."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import ViewportSize, expect

from tests.cast import Cast
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.chat import enter, message, uses
from tests.journeys.pages.panels import (
    closes,
    confirms,
    does_with,
    finds,
    jumps_to,
    opens_details,
    reads_deleted,
    reports,
    unfolds,
)
from tests.promises.conftest import StartNode
from tests.verbs import begins
from tests.waiting import eventually

# Asked by an admin's page: are all connections of this user closed?
GONE = """async name => {
    const read = async path => (await fetch(path)).json();
    const {users: [{id}]} = await read(`/api/users?q=${name}`);
    return (await read(`/api/users/${id}/sessions`)).sessions.every(one => !one.streams);
}"""
PHONE: ViewportSize = {"width": 390, "height": 800}
Three = tuple[Window, Window, Window]
Meet = Callable[[], Awaitable[Three]]


@pytest.fixture
def meet(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> Meet:
    """The three of them in a channel that Ana, a server admin, owns."""

    async def meet() -> Three:
        node = await start_node("a1")
        (ana,) = await stage.enters("ana", role="admin")
        ben, chloe = await enter(stage, node, "ben", "chloe")
        ana.at = node.url
        room = await begins(ana, "channel", "kitchen", ben, chloe)
        one, two, three = [await open_window(node, person, f"/c/{room}") for person in (ana, ben, chloe)]
        await two.page.set_viewport_size(PHONE)
        await three.page.emulate_media(color_scheme="dark")
        for window in (one, two, three):
            await window.is_live()
        return one, two, three

    return meet


async def test_search_and_navigation(meet: Meet) -> None:
    """Search in one conversation and everywhere, its filters, and a jump; the switcher, the shortcuts and the
    directory."""
    one, two, three = await meet()
    await one.says("The **tomato** soup is ready")
    await one.creates_channel("garden")
    await one.says("Who waters the tomatoes?")
    await finds(one, "tomat", "Who waters the tomatoes?")
    await one.page.keyboard.press("Control+f")
    await finds(one, "tomat", "Who waters the tomatoes?", "soup is ready")
    await one.page.get_by_role("combobox", name="Search").fill("soup on:tod")
    await one.page.get_by_role("option", name="Today").click()
    await expect(one.page.get_by_role("list", name="Results").get_by_role("link")).to_have_count(1, timeout=LIMIT)
    await finds(one, "from:ana soup", "soup is ready")
    await one.page.keyboard.press("ArrowDown")
    await one.page.keyboard.press("Enter")
    await one.reads("kitchen")
    await expect(message(one, 1)).to_be_in_viewport(timeout=LIMIT)
    await closes(one)
    await two.page.get_by_role("link", name="All conversations").click()
    await two.page.get_by_role("button", name="Add channels").click()
    await two.page.get_by_role("menuitem", name="Browse channels").click()
    row = two.page.get_by_role("list", name="Channels").get_by_role("listitem").filter(has_text="garden")
    await expect(row).to_contain_text("1 member")
    await row.get_by_role("button", name="Join garden").click()
    await two.reads("garden")
    await two.says("I do")
    await jumps_to(one, "gard")
    await message(one, 2).get_by_text("I do").wait_for()
    await three.page.get_by_role("heading", level=1).focus()
    await three.page.keyboard.press("?")
    await three.page.get_by_role("dialog", name="Keyboard shortcuts").get_by_text("Mention someone").wait_for()
    await closes(three)
    await jumps_to(three, "Ben")
    await three.says("only for you")
    await two.page.get_by_role("link", name="All conversations").click()
    await two.chooses("Chloe")
    await message(two, 1).get_by_text("only for you").wait_for()
    assert one.errors == two.errors == three.errors == []


async def test_running_a_conversation(meet: Meet) -> None:
    """Topic, permissions, roles, a ban and its end, a link, archive and restore show to the others at once."""
    one, two, three = await meet()
    hers, his = await opens_details(one), await opens_details(two)
    about = await unfolds(hers, "Name and topic")
    await about.get_by_label("Topic", exact=True).fill("What is for lunch")
    await about.get_by_role("button", name="Save").click()
    await his.get_by_text("What is for lunch").wait_for()
    await does_with(hers, "Chloe", "Admin")
    await expect(his.get_by_role("listitem").filter(has_text="Chloe")).to_contain_text("Admin", timeout=LIMIT)
    writing = await unfolds(hers, "Who can post")
    await writing.get_by_label("Owners and admins only").check()
    await closes(two)
    await two.page.get_by_text("Only owners and admins can post here.").wait_for()
    await three.page.get_by_label("Message", exact=True).wait_for()
    await writing.get_by_label("All members").check()
    await writing.get_by_label("Slow mode").select_option("30")
    await two.page.get_by_text("Slow mode: one message every 30 seconds").wait_for()
    await does_with(hers, "Ben", "Ban…")
    await one.page.get_by_label("Reason").fill("burnt the soup")
    await confirms(one, "Ban")
    await two.page.get_by_role("heading", name="#kitchen").wait_for()
    await two.page.get_by_role("button", name="Join", exact=True).click()
    await two.page.get_by_role("alert").wait_for()
    banned = await unfolds(hers, "Banned")
    await expect(banned.get_by_role("listitem")).to_contain_text("burnt the soup")
    await banned.get_by_role("button", name="Unban Ben").click()
    links = await unfolds(hers, "Invite links")
    await links.get_by_role("button", name="Create link").click()
    address = await links.get_by_label("Invite link", exact=True).input_value()
    await two.page.goto(address)
    await two.page.get_by_role("button", name="Join as Ben").click()
    await two.reads("kitchen")
    await hers.get_by_role("region", name="Members").get_by_text("Ben", exact=True).wait_for()
    await links.get_by_text("No active links.").wait_for()
    await hers.get_by_role("button", name="Archive channel").click()
    await confirms(one, "Archive")
    await two.page.get_by_text("This channel is archived.").wait_for()
    await two.reads("kitchen")
    await two.page.get_by_role("link", name="All conversations").click()
    await two.page.get_by_role("button", name="Add channels").click()
    await two.page.get_by_role("menuitem", name="Browse channels").click()
    await two.page.get_by_role("button", name="Archived").click()
    await two.page.get_by_role("list", name="Archived conversations").get_by_role("link", name="kitchen").click()
    await two.page.get_by_text("This channel is archived.").wait_for()
    await one.page.get_by_role("button", name="Restore").click()
    await one.reads("kitchen")
    await two.reads("kitchen")
    assert one.errors == two.errors == three.errors == []


async def test_reports_and_moderation(meet: Meet) -> None:
    """A report reaches moderators with its context; admins alone can read what was deleted."""
    one, two, three = await meet()
    await two.says("cheap watches")
    await message(three, 1).wait_for()
    await two.edits_last("cheap watches, buy now")
    await message(three, 1).get_by_text("(edited)").wait_for()
    await reports(three, 1, "he sells things")
    await one.page.get_by_role("link", name="Reports").click()
    card = one.page.get_by_role("article")
    await expect(card).to_contain_text("he sells things")
    await expect(card).to_contain_text("cheap watches, buy now")
    await card.get_by_role("button", name="Show context").click()
    await card.get_by_role("list", name="Context").get_by_text("cheap watches, buy now").wait_for()
    await card.get_by_role("button", name="Delete message").click()
    await one.page.get_by_text("No open reports").wait_for()
    await reads_deleted(two, 1)
    await reads_deleted(three, 1)
    await one.page.get_by_role("link", name="Resolved").click()
    await expect(one.page.get_by_role("article")).to_contain_text("Resolved by you")
    await one.chooses("kitchen")
    await uses(one, 1, "Edit history")
    changes = one.page.get_by_role("dialog").get_by_role("list", name="Edits").get_by_role("listitem")
    await expect(changes).to_have_count(2)
    await expect(changes.last).to_contain_text("cheap watches, buy now")
    await closes(one)
    await message(three, 1).hover()
    assert await message(three, 1).get_by_role("toolbar").count() == 0
    assert one.errors == two.errors == three.errors == []


async def test_delivery_details_of_a_missed_message(meet: Meet) -> None:
    """A message written while Ben was offline waits for him; afterwards the delivery details say how he got it."""
    one, two, three = await meet()
    await two.page.goto("about:blank")
    await eventually(lambda: one.page.evaluate(GONE, "ben"), 30)
    await one.says("Are you there?")
    await message(one, 1).wait_for()
    await uses(one, 1, "Delivery details")
    dialog = one.page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Ben").click()
    story = dialog.get_by_role("list", name="Delivery steps")
    await expect(story).to_contain_text("Written to disk")
    await expect(dialog.get_by_role("status").first).to_contain_text("Ben has not received it", timeout=LIMIT)
    await two.page.go_back()
    await two.is_live()
    await one.page.get_by_text("Seen by").wait_for()
    await dialog.get_by_role("button", name="Refresh").click()
    await expect(story).to_contain_text("Read by Ben", timeout=LIMIT)
    assert one.errors == three.errors == []


async def test_settings_are_kept(meet: Meet) -> None:
    """A look applies before the first paint; a blocked user is listed and unblocked; a group is created and named."""
    one, two, three = await meet()
    await three.opens("/settings/appearance")
    await three.page.get_by_label("Light", exact=True).check()
    await three.page.get_by_label("High contrast").check()
    await three.page.get_by_label("Compact").check()
    await three.page.reload(wait_until="commit")
    look = "() => ['theme', 'contrast', 'density'].map(name => document.documentElement.dataset[name])"
    await three.page.locator("#app").wait_for(state="attached")
    assert await three.page.evaluate(look) == ["light", "more", "compact"]
    await two.page.get_by_role("link", name="All conversations").click()
    await two.page.get_by_role("button", name="New message").click()
    dialog = two.page.get_by_role("dialog", name="New message")
    for name in ("ana", "chloe"):
        await dialog.get_by_label("Find people").fill(name)
        await dialog.get_by_role("checkbox").filter(has_text=f"@{name}").wait_for()
        await dialog.get_by_label("Find people").press("Enter")
    await dialog.get_by_label("Name of the group").fill("Lunch")
    await dialog.get_by_role("button", name="Start group").click()
    await two.reads("Lunch")
    await two.says("soup?")
    await one.chooses("Lunch")
    await message(one, 1).get_by_role("button", name="Ben").click()
    await one.page.get_by_role("dialog").get_by_role("button", name="Block").click()
    await one.page.get_by_role("dialog").get_by_role("button", name="Block Ben").click()
    await one.page.get_by_role("dialog").get_by_role("button", name="Unblock").wait_for()
    await closes(one)
    await message(one, 1).get_by_text("From someone you blocked.").wait_for()
    await one.opens("/settings/blocked")
    await one.page.get_by_role("button", name="Unblock Ben").click()
    await one.page.get_by_text("You haven't blocked anyone").wait_for()
    assert one.errors == two.errors == three.errors == []


async def test_a_link_for_a_stranger(meet: Meet) -> None:
    """A visitor with a link signs up first and is a member; a used-up link says so."""
    one, two, three = await meet()
    links = await unfolds(await opens_details(one), "Invite links")
    await links.get_by_role("button", name="Create link").click()
    address = await links.get_by_label("Invite link", exact=True).input_value()
    await two.page.goto("about:blank")  # the app must not see that its session ends
    await two.page.context.clear_cookies()
    await two.page.goto(address)
    await two.page.get_by_text("Ana invited you to #kitchen.").wait_for()
    await two.page.get_by_label("Username", exact=True).fill("dora")
    await two.page.get_by_label("Password").fill("correct horse battery")
    await two.page.get_by_role("button", name="Sign up").click()
    await two.page.get_by_role("button", name="Join as dora").click()
    await two.reads("kitchen")
    await two.says("hello from the link")
    await message(three, 1).get_by_text("hello from the link").wait_for()
    await three.page.goto("about:blank")
    await three.page.goto(address)
    await three.page.get_by_role("button", name="Join as Chloe").click()
    await three.page.get_by_text("This link is unknown, used up, expired or revoked").wait_for()
    assert one.errors == two.errors == three.errors == []
