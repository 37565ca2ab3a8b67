"""The sidebar: arranged on one device, live on another, used with the keyboard, and with many channels."""

import psycopg
from playwright.async_api import Locator, expect

from tests.cast import Cast, Person
from tests.journeys.axe import is_sound
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.chat import enter
from tests.promises.conftest import StartNode
from tests.verbs import begins

MANY = """
with made as (
    insert into conversations (kind, name, look_key, skeleton)
    select 'channel', 'project ' || n, 'project ' || n, 'project ' || n from generate_series(100, 399) n returning id)
insert into memberships (conversation_id, user_id, since) select id, %s, 0 from made"""
TAB_STOPS = "sidebar => [...sidebar.querySelectorAll('a, button')].filter(one => one.tabIndex >= 0).length"


def rows(window: Window, section: str) -> Locator:
    """Return the conversations of a section."""
    return window.page.get_by_role("navigation").get_by_role("region", name=section).get_by_role("link")


async def lists(window: Window, section: str, *titles: str) -> None:
    """Wait until a section shows these conversations, in this order."""
    await expect(rows(window, section).locator(".title")).to_have_text(list(titles), timeout=LIMIT)


async def chooses(window: Window, title: str, item: str) -> None:
    """Choose an item from the menu that a right click on a conversation opens."""
    await window.page.get_by_role("navigation").get_by_role("link").filter(has_text=title).click(button="right")
    await window.page.get_by_role("menu", name=f"Options for {title}").get_by_role("menuitem", name=item).click()


async def furnish(ana: Person, ben: Person) -> tuple[int, int]:
    """Give ana three channels and a direct conversation. Ben has written into two of them."""
    kitchen, bread, _ = [await begins(ana, "channel", name, ben) for name in ("kitchen", "bread", "apples")]
    direct = await begins(ana, "direct", "", ben)
    await ben.says(bread, "with butter")
    await ben.says(direct, "are you there?")
    return kitchen, direct


async def moves_with_the_keyboard(window: Window, section: str) -> None:
    """Go to the channel above the last section, open its menu, and move it into a new section."""
    await rows(window, "Starred").focus()
    for key in ("End", "ArrowUp", "ArrowUp", "Shift+F10"):
        await window.page.keyboard.press(key)
    await window.page.get_by_role("menuitem", name="Move to section").press("Enter")
    await window.page.get_by_role("menuitem", name="New section").press("Enter")
    await window.page.get_by_role("dialog").get_by_label("Name").fill(section)
    await window.page.keyboard.press("Enter")


async def reads_on_request(laptop: Window, phone: Window) -> None:
    """Open the app where it was left: it reads nothing by itself. Go to an unread channel, then mark all as read."""
    await laptop.opens("/")
    await laptop.reads("kitchen")
    await laptop.page.keyboard.press("Alt+Shift+ArrowDown")
    await laptop.reads("bread")
    await expect(phone.page.get_by_title("Unread", exact=True)).to_have_count(0, timeout=LIMIT)
    await expect(rows(phone, "Direct messages").locator(".badge")).to_contain_text("1 unread")
    await laptop.page.keyboard.press("Shift+Escape")
    await laptop.page.get_by_role("dialog").get_by_role("button", name="Mark all as read").click()
    await expect(rows(phone, "Direct messages").locator(".badge")).to_have_count(0, timeout=LIMIT)


async def test_a_sidebar_is_arranged_once_for_all_devices(
    stage: Cast, start_node: StartNode, open_window: OpenWindow
) -> None:
    """Stars, sections and folds show on both devices at once; opening the app reads nothing; all is read on request."""
    node = await start_node("a1")
    ana, ben = await enter(stage, node, "ana", "ben")
    kitchen, _ = await furnish(ana, ben)
    laptop, phone = [await open_window(node, ana, f"/c/{kitchen}") for _ in range(2)]
    await laptop.is_live()
    await lists(laptop, "Channels", "apples", "bread", "kitchen")
    await chooses(laptop, "kitchen", "Star")
    await lists(phone, "Starred", "kitchen")
    await moves_with_the_keyboard(laptop, "Food")
    await lists(phone, "Food", "bread")
    await is_sound(laptop.page, "sidebar")
    folds = [one.page.get_by_role("button", name="Channels", exact=True) for one in (phone, laptop)]
    await folds[0].click()
    await expect(folds[1]).to_have_attribute("aria-expanded", "false")
    await lists(laptop, "Channels")
    await reads_on_request(laptop, phone)
    assert (laptop.errors, phone.errors) == ([], [])


async def test_many_channels_are_a_few_rows_and_none_is_read_unasked(
    stage: Cast, start_node: StartNode, open_window: OpenWindow
) -> None:
    """Of the 300 channels few are in the page and one takes the Tab key. What is unread below is a press away."""
    node = await start_node("a1")
    ana, ben = await enter(stage, node, "ana", "ben")
    with psycopg.connect(stage.database_url, autocommit=True) as database:
        database.execute(MANY, [ana.id])
    _, direct = await furnish(ana, ben)
    window = await open_window(node, ana)
    await window.reads("Ben")
    await window.is_live()
    sidebar = window.page.get_by_role("complementary", name="Your conversations")
    assert await sidebar.get_by_role("link").count() < 90
    assert await sidebar.evaluate(TAB_STOPS) < 16
    await expect(window.page.get_by_text("are you there?")).to_be_visible()
    await expect(rows(window, "Direct messages").locator(".badge")).to_contain_text("1 unread")
    await window.page.get_by_role("button", name="1 unread conversation above").click()
    await expect(rows(window, "Channels").filter(has_text="bread")).to_be_focused()
    await window.page.keyboard.press("End")
    await expect(rows(window, "Direct messages")).to_be_focused()
    await expect(rows(window, "Direct messages").locator(".badge")).to_have_count(0, timeout=LIMIT)
    assert (direct > 0, window.errors) == (True, [])
