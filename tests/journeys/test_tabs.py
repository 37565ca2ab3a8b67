"""Many tabs, one connection: whatever happens to a tab, the network or the server, each tab shows the stored
messages."""

import asyncio

from playwright.async_api import expect

from tests.cast import Cast, Person
from tests.journeys.browsers import OpenWindow
from tests.journeys.glimpses import Glimpses
from tests.journeys.pages.base import LIMIT
from tests.journeys.tabs import (
    closes,
    connections,
    crashes,
    freezes,
    has_one_of_each,
    leader,
    opens_tab,
    opens_tabs,
    show_what_is_stored,
    slows,
)
from tests.promises.conftest import StartNode

HOUR_ON = "() => { const now = Date.now; Date.now = () => now() + 3_600_000; }"
HOUR_BACK = "() => { const now = Date.now; Date.now = () => now() - 7_200_000; }"


async def says(person: Person, room: int, first: int, count: int = 10) -> None:
    """Post numbered messages in a row."""
    for number in range(first, first + count):
        await person.says(room, f"{number}")


async def test_eight_tabs_share_one_stream_and_one_socket(
    stage: Cast, start_node: StartNode, open_window: OpenWindow, database_url: str
) -> None:
    """With HTTP/1.1 and six connections a host, the leader closes in the middle of a burst, and no tab misses a
    message."""
    node = await start_node("a1")
    ana, ben = await stage.enters("ana", "ben")
    ana.at = ben.at = node.url
    room = await stage.share(ana, ben, name="kitchen")
    tabs = await opens_tabs(await open_window(node, ana, f"/c/{room}"), f"/c/{room}", 8)
    assert await connections(ana) == (1, 1)
    bens = Glimpses(await open_window(node, ben))
    await bens.window.opens(f"/c/{room}")
    await bens.looks_who_is_here()
    await bens.shows(ana, "online")
    burst = asyncio.create_task(says(ben, room, 0, 40))
    await tabs[1].page.get_by_text("9", exact=True).wait_for()
    await closes(tabs[0])
    await burst
    await tabs[5].says("40")
    await show_what_is_stored(tabs[1:], database_url, 41)
    await has_one_of_each(ana)
    assert bens.statuses[ana.id] == ["online"]


async def test_nothing_is_lost_with_the_leader(
    stage: Cast, start_node: StartNode, open_window: OpenWindow, database_url: str
) -> None:
    """The leader crashes, freezes and resumes, the clock jumps, the network fails, the server is killed, the network is
    slow."""
    node, other = await asyncio.gather(start_node("a1"), start_node("b1"))
    ana, ben = await stage.enters("ana", "ben")
    ana.at = ben.at = other.url
    room = await stage.share(ana, ben, name="kitchen")
    path = f"/c/{room}"
    crashed, frozen, *tabs = await opens_tabs(await open_window(node, ana, path), path, 4)
    await says(ben, room, 0)
    await crashes(crashed)
    await says(ben, room, 10)
    await show_what_is_stored(tabs, database_url, 20)
    await freezes(frozen)
    await says(ben, room, 20)
    await show_what_is_stored(tabs, database_url, 30)
    await freezes(frozen, "active")
    for tab, jump in zip(tabs, (HOUR_ON, HOUR_BACK), strict=True):
        await tab.page.evaluate(jump)
    await tabs[0].page.context.set_offline(True)
    await says(ben, room, 30)
    await tabs[0].page.context.set_offline(False)
    await slows(await leader([frozen, *tabs]))
    await says(ben, room, 40)
    await show_what_is_stored([frozen, *tabs], database_url, 50)
    node.kill()
    await says(ben, room, 50)
    await node.start_and_wait()
    await says(ben, room, 60)
    await show_what_is_stored([frozen, *tabs], database_url, 70)


async def test_all_tabs_show_the_logged_in_user(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """Logging out in one tab logs out all, and all show the user who logs in next."""
    node = await start_node("a1")
    ana, _ = await stage.enters("ana", "ben")
    room = await stage.share(ana, name="kitchen")
    one = await open_window(node, ana, f"/c/{room}")
    two = await opens_tab(one, f"/c/{room}")
    await two.is_live()
    await one.page.get_by_role("button", name="Your account").click()
    await one.page.get_by_role("menuitem", name="Log out").click()
    for tab in (one, two):
        await tab.page.get_by_role("button", name="Log in").wait_for()
    await two.signs_up("chloe", "correct horse battery")
    await expect(one.page.get_by_role("button", name="Your account")).to_contain_text("chloe", timeout=LIMIT)
    await one.is_live()
    assert (one.loads, two.loads) == (1, 1)
