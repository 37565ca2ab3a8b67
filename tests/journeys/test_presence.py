"""Three windows on two nodes: online members, typing, leaving, and who may no longer see it."""

import asyncio
import re

from playwright.async_api import expect

from chat.client.node_process import NodeProcess
from chat.local.engine import ValkeyEngine
from tests.cast import Cast, Person
from tests.journeys.browsers import OpenWindow
from tests.journeys.buffering_proxy import holding_proxy
from tests.journeys.glimpses import Glimpses, chooses_status, keys, opens_settings, says_of_presence, shows_typing
from tests.journeys.pages.base import LIMIT, Window
from tests.promises.conftest import StartNode
from tests.waiting import eventually

PASSWORD = "correct horse battery"

# Open streams and sockets of the user's other sessions.
OPEN_ELSEWHERE = """async () => (await (await fetch('/api/sessions')).json()).sessions
    .filter(one => !one.current).map(one => [one.streams, one.sockets])"""

# The moment decides whether the stream stopped, or a new one was never ready.
HELD_BACK = re.compile("Your network (is delaying|stopped delivering) live updates.")
QUICK = {"PRESENCE_LINGER": "2", "NODE_LEASE": "2"}


async def two_nodes(start_node: StartNode, linger: str = "2") -> tuple[NodeProcess, NodeProcess]:
    """Two nodes with a short linger, unless the test chooses another one."""
    settings = QUICK | {"PRESENCE_LINGER": linger}
    one, two = await asyncio.gather(start_node("a1", **settings), start_node("b1", **settings))
    return one, two


async def looks(open_window: OpenWindow, node: NodeProcess, person: Person, room: int) -> Glimpses:
    """Open a window on the channel, with the list of online members."""
    window = await open_window(node, person)
    glimpses = Glimpses(window)
    await window.opens(f"/c/{room}")
    await window.is_live()
    await glimpses.looks_who_is_here()
    return glimpses


async def test_typing_appears_and_vanishes_by_itself(
    start_node: StartNode, open_window: OpenWindow, stage: Cast
) -> None:
    """Typing shows in both other windows, on either node; a pause ends it, and so does sending."""
    one, two = await two_nodes(start_node)
    ana, ben, chloe = await stage.enters("ana", "ben", "chloe")
    path = f"/c/{await stage.share(ana, ben, chloe, name='kitchen')}"
    windows = [await open_window(*seat, path) for seat in ((one, ana), (two, ben), (one, chloe))]
    for window in windows:
        await window.is_live()
    anas, bens, chloes = windows
    await keys(bens, "I")  # by now all windows are connected
    await shows_typing(anas, "Ben is typing…")
    await shows_typing(anas, "")
    await keys(bens, " think")
    await asyncio.gather(*(shows_typing(window, "Ben is typing…") for window in (anas, chloes)))
    await shows_typing(bens, "")
    await expect(anas.page.get_by_role("navigation").get_by_text("Ben is typing…")).to_be_attached()
    await bens.page.get_by_label("Message", exact=True).press("Enter")
    await asyncio.gather(*(shows_typing(window, "") for window in (anas, chloes)))


async def test_closing_the_lid_shows_offline_once(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """After the linger, other windows see the user offline exactly once."""
    one, two = await two_nodes(start_node)
    ana, ben = await stage.enters("ana", "ben")
    room = await stage.share(ana, ben, name="kitchen")
    bens = await open_window(two, ben, f"/c/{room}")
    await bens.is_live()
    anas = await looks(open_window, one, ana, room)
    await anas.shows(ben, "online")
    await bens.page.context.close()
    await anas.shows(ben, "offline")
    again = await open_window(one, ben, f"/c/{room}")
    await anas.shows(ben, "online")
    assert anas.statuses[ben.id] == ["online", "offline", "online"]
    assert again.errors == anas.window.errors == []


async def test_a_reload_shows_nothing(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """A reload shows no other window a change; the next news is a status that is set later."""
    one, two = await two_nodes(start_node, linger="10")
    ana, ben = await stage.enters("ana", "ben")
    room = await stage.share(ana, ben, name="kitchen")
    bens = await open_window(two, ben, f"/c/{room}")
    await bens.is_live()
    anas = await looks(open_window, one, ana, room)
    await anas.shows(ben, "online")
    for _ in range(3):
        await bens.page.reload()
        await bens.is_live()
    await chooses_status(bens, "Do not disturb")
    await anas.shows(ben, "dnd")
    assert [status for status in anas.statuses[ben.id] if status != "online"] == ["dnd"]


async def test_ending_a_session_logs_the_other_browser_out(start_node: StartNode, open_window: OpenWindow) -> None:
    """The list shows the session as connected. It ends on another node, without a reload; the window that ended it
    stays."""
    one, two = await two_nodes(start_node)
    here, there = await open_window(one), await open_window(two)
    await here.signs_up("ana", PASSWORD)
    await there.logs_in("ana", PASSWORD)
    await there.is_live()
    await says_of_presence(there, "sure")
    loads = there.loads
    await opens_settings(here)
    await here.page.get_by_role("link", name="Sessions").click()
    rows = here.page.get_by_role("region", name="Active sessions").get_by_role("article")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("This device")
    await expect(rows.last).to_contain_text("Connected now")
    assert await here.page.evaluate(OPEN_ELSEWHERE) == [[1, 1]]
    await rows.last.get_by_role("button", name="Log out").click()
    await expect(rows).to_have_count(1)
    await there.page.get_by_role("button", name="Log in").wait_for()
    assert there.loads == loads
    await here.is_live()


async def test_a_buffering_proxy_is_noticed_by_the_witness(
    start_node: StartNode, open_window: OpenWindow, stage: Cast
) -> None:
    """The socket knows of entries that the stream does not bring: the app says so, polls, and recovers with the
    proxy."""
    one, two = await two_nodes(start_node)
    ana, ben = await stage.enters("ana", "ben")
    room = await stage.share(ana, ben, name="kitchen")
    ben.at = two.url
    async with holding_proxy(one.url) as proxy:
        anas = await open_window(one, ana)
        window = Window(anas.page, proxy.url)
        glimpses = Glimpses(window)
        await window.opens(f"/c/{room}")
        await window.is_live()
        await glimpses.looks_who_is_here()
        await glimpses.shows(ana, "online")  # the presence socket is open
        proxy.flows.clear()
        await ben.says(room, "held back?")
        await eventually(lambda: ends_with(window, "held back?"), 30)
        await expect(window.page.get_by_test_id("connection")).to_have_text("Checking", timeout=LIMIT)
        await expect(window.page.get_by_text(HELD_BACK)).to_be_visible()
        proxy.flows.set()
        await window.is_live()
        await ben.says(room, "whole again")
        await eventually(lambda: ends_with(window, "whole again"), 30)


async def test_presence_without_redis_is_called_degraded(
    start_node: StartNode, open_window: OpenWindow, stage: Cast, own_valkey: ValkeyEngine
) -> None:
    """Without the registry no user is shown as surely online; later all are as before."""
    node = await start_node("a1", **QUICK, REDIS_URL=own_valkey.url)
    ana, ben = await stage.enters("ana", "ben")
    room = await stage.share(ana, ben, name="kitchen")
    bens = await open_window(node, ben, f"/c/{room}")
    await bens.is_live()
    anas = await looks(open_window, node, ana, room)
    await anas.shows(ben, "online")
    own_valkey.kill()
    await says_of_presence(anas.window, "degraded")
    await anas.shows(ben, "unknown")
    own_valkey.start()
    await says_of_presence(anas.window, "sure")
    await anas.shows(ben, "online")


async def ends_with(window: Window, text: str) -> bool:
    """Return whether it is the last message in the window."""
    seen = await window.seen()
    return bool(seen) and seen[-1][1] == text
