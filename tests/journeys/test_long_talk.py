"""A hundred thousand messages: the page stays small, keeps its place, and every message can be reached."""

import uuid

from playwright.async_api import expect

from tests.cast import Cast, Person
from tests.journeys.browsers import OpenWindow
from tests.journeys.long_talk import (
    FONTS,
    MANY,
    MOST_ROWS,
    WATCH_TASKS,
    copied,
    fill,
    focused,
    loaded,
    looked_at,
    place_of,
    scrolls_to,
    tasks,
)
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.chat import message
from tests.promises.conftest import StartNode
from tests.verbs import CONVERSATIONS
from tests.waiting import breathe, eventually

PIECE, PIECES, PAUSE = 10, 60, 0.06  # 10,000 messages a minute, for nearly four seconds
BANNER = 40  # pixels, when it has slid in


async def at_the_middle(
    stage: Cast, start_node: StartNode, open_window: OpenWindow, database_url: str
) -> tuple[Window, Person, int]:
    """Ana follows a link into the past of her conversation with Ben."""
    node = await start_node("a1")
    ana, ben = await stage.enters("ana", "ben")
    ana.at = ben.at = node.url
    room = await stage.share(ana, ben, name="kitchen")
    await fill(database_url, room, ana, ben)
    window = await open_window(node, ana, f"/c/{room}/50000")
    await expect(message(window, 50_000)).to_be_in_viewport(timeout=LIMIT)
    await window.page.evaluate(FONTS)
    await window.is_live()
    await expect(window.page.get_by_test_id("connection-banner")).to_have_count(0)
    return window, ben, room


async def test_the_page_keeps_its_place(
    stage: Cast, start_node: StartNode, open_window: OpenWindow, database_url: str
) -> None:
    """Older pages, reactions and pins arrive above, thousands of messages from either end, and the place stays."""
    window, ben, room = await at_the_middle(stage, start_node, open_window, database_url)
    for _ in range(12):
        _, first, _ = await loaded(window)
        await scrolls_to(window, 300)
        seq, top = await looked_at(window)

        async def has_more(first: int = first) -> bool:
            return (await loaded(window))[1] < first

        await eventually(has_more, 30)
        assert abs(await place_of(window, seq) - top) <= 2
        assert (await loaded(window))[0] <= MOST_ROWS
    seq, top = await looked_at(window)
    far = seq - 20 - (seq - 20) % 7  # one of Ben's, above the screen
    above = f"{CONVERSATIONS}/{room}/messages/{far}"
    assert (await ben.call("PUT", f"{above}/reactions/🎉"))[0] == 204
    await message(window, far).get_by_role("button", name="🎉 1: Ben").wait_for()
    assert (await ben.call("PUT", f"{CONVERSATIONS}/{room}/pins/{far}"))[0] == 204
    await message(window, far).get_by_text("Pinned").wait_for()
    assert abs(await place_of(window, seq) - top) <= 2
    assert window.errors == []


async def test_a_banner_moves_nothing(
    stage: Cast, start_node: StartNode, open_window: OpenWindow, database_url: str
) -> None:
    """The banner of a lost connection appears and disappears, and moves nothing."""
    window, _, _ = await at_the_middle(stage, start_node, open_window, database_url)
    seq, top = await looked_at(window)
    banner = window.page.get_by_test_id("connection-banner")
    await window.page.context.set_offline(True)
    await expect(banner).to_have_js_property("offsetHeight", BANNER, timeout=LIMIT)
    assert abs(await place_of(window, seq) - top) <= 2
    await window.page.context.set_offline(False)
    await expect(banner).to_have_count(0, timeout=LIMIT)
    assert abs(await place_of(window, seq) - top) <= 2


async def test_every_message_can_be_reached(
    stage: Cast, start_node: StartNode, open_window: OpenWindow, database_url: str
) -> None:
    """Keys and links reach every message, there and back, and copies are plain text."""
    window, _, room = await at_the_middle(stage, start_node, open_window, database_url)
    keys, log = window.page.keyboard, window.page.get_by_role("log", name="Messages in")
    await log.focus()
    for key, seq in (("Home", 1), ("End", MANY)):
        await keys.press(key)
        await expect(message(window, seq)).to_be_focused(timeout=LIMIT)
        await expect(message(window, seq)).to_be_in_viewport(timeout=LIMIT)
    for key, less in (("ArrowUp", True), ("PageUp", True), ("PageUp", True), ("ArrowDown", False)):
        before = await focused(window)
        await keys.press(key)
        assert 0 < await focused(window) < before if less else await focused(window) == before + 1
    await window.page.evaluate(f"history.pushState(null, '', '/c/{room}/777'); dispatchEvent(new Event('popstate'))")
    await expect(message(window, 777)).to_be_in_viewport(timeout=LIMIT)
    await window.page.go_back()
    await expect(message(window, 50_000)).to_be_in_viewport(timeout=LIMIT)
    await window.page.get_by_role("button", name="Jump to newest").click()
    await expect(message(window, MANY)).to_be_in_viewport(timeout=LIMIT)
    text = await copied(window, MANY - 1, MANY)
    assert f"message {MANY - 1}" in text
    assert text.endswith(f"message {MANY}" + " and more" * (MANY % 23))
    assert ("Reply" in text, window.errors) == (False, [])


async def test_ten_thousand_messages_a_minute_keep_the_page_small_and_fast(
    stage: Cast, start_node: StartNode, open_window: OpenWindow, database_url: str
) -> None:
    """For four seconds, the page follows to the last message and drops as many as arrive."""
    window, ben, room = await at_the_middle(stage, start_node, open_window, database_url)
    await window.page.get_by_role("button", name="Jump to newest").click()
    await expect(message(window, MANY)).to_be_in_viewport(timeout=LIMIT)
    await window.page.evaluate(WATCH_TASKS)
    await eventually(lambda: tasks(window), 30)  # one that is long on purpose: the browser reports it
    for piece in range(PIECES):
        said = [
            {"conversation": room, "body": f"{piece}.{n} of many", "client_id": uuid.uuid4().hex} for n in range(PIECE)
        ]
        status, _ = await ben.call("POST", "/api/chat/messages", {"messages": said})
        assert status == 200
        await breathe(PAUSE)
    last = MANY + PIECE * PIECES
    await expect(message(window, last)).to_be_in_viewport(timeout=LIMIT)
    count, first, newest = await loaded(window)
    assert (count, newest) == (newest - first + 1, last)
    assert count <= MOST_ROWS
    long = (await tasks(window))[1:]
    print(f"{PIECE * PIECES} messages: {len(long)} tasks over 50 ms, the longest {max(long, default=0):.0f} ms")
    assert window.errors == []
