"""An admin at the dashboard: a node dies, she acts, and everything she does is recorded."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Locator, Page, expect

from chat.client.node_process import NodeProcess
from chat.local.engine import ValkeyEngine
from tests.cast import Cast, Person
from tests.journeys.axe import is_clean_in_both_themes
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.presence.presence_client import open_presence, opens_presence
from tests.promises.conftest import StartNode
from tests.verbs import begins

QUICK = {"PRESENCE_LINGER": "2", "NODE_LEASE": "2"}
PASSWORD = "correct horse battery"


async def enters(stage: Cast, node: NodeProcess, *names: str, role: str = "member") -> list[Person]:
    """Sign up users whose calls go to this node."""
    people = await stage.enters(*names, role=role)
    for person in people:
        person.at = node.url
    return people


def node_card(window: Window, name: str) -> Locator:
    """Return what the overview shows of a node."""
    return window.page.get_by_role("article", name=f"Node {name}")


async def figure(window: Window, name: str, value: str) -> None:
    """Wait until the overview shows this figure."""
    await expect(window.page.locator(f"[data-figure={name}]")).to_have_text(value, timeout=LIMIT)


@asynccontextmanager
async def present(*people: Person) -> AsyncIterator[None]:
    """Open a socket for all of them."""
    watchers = [await opens_presence(person) for person in people]
    yield
    await asyncio.gather(*(one.leaves() for one in watchers))


async def test_a_node_dies(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """A dead node's card counts down and disappears. Its users are reaped or have moved, and the figures are right all
    the time."""
    one, two = await asyncio.gather(start_node("a1", **QUICK), start_node("b1", **QUICK))
    (ada,) = await enters(stage, one, "ada", role="admin")
    ben, chloe = await enters(stage, two, "ben", "chloe")
    await stage.share(ben, chloe, name="kitchen")
    board = await open_window(one, ada, "/dashboard")
    async with present(ben, chloe):
        await figure(board, "people", "3")
        await expect(node_card(board, "b1")).to_contain_text("Up")
        await expect(board.page.get_by_text("kitchen")).to_be_visible(timeout=LIMIT)
        await is_clean_in_both_themes(board.page)
        two.kill()
        chloe.at = one.url
        async with open_presence(chloe):
            await expect(node_card(board, "b1")).to_contain_text("Counts as dead in", timeout=LIMIT)
            await expect(node_card(board, "b1")).to_have_count(0, timeout=LIMIT)
            await figure(board, "people", "2")
            await figure(board, "online", "2")
            await figure(board, "reaped", "2")  # chloe's earlier socket among them
            await figure(board, "ghosts", "0")
    assert board.errors == []


async def announces(page: Page, words: str) -> None:
    """Post an announcement."""
    await page.get_by_role("button", name="Announce").click()
    await page.get_by_label("Message", exact=True).fill(words)
    await page.get_by_role("button", name="Announce to everyone").click()


async def reads_once(window: Window, words: str) -> None:
    """Assert that the announcement is above the conversations, and that it stays away once dismissed."""
    said = window.page.get_by_role("region", name="Announcement")
    await expect(said).to_contain_text(words, timeout=LIMIT)
    await said.get_by_role("button", name="Dismiss").click()
    await window.page.reload()
    await window.is_live()
    await expect(said).to_have_count(0)


async def test_admin_actions_are_recorded(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """She looks at evidence, ends a session, and announces; each of these is in the activity log."""
    node = await start_node("a1", **QUICK)
    (ada,) = await enters(stage, node, "ada", role="admin")
    (ben,) = await enters(stage, node, "ben")
    room = await stage.share(ada, ben, name="kitchen")
    bens = await open_window(node, ben, f"/c/{room}")
    await bens.is_live()
    board = await open_window(node, ada, "/dashboard/people")
    page = board.page
    await announces(page, "Back in five minutes")
    await reads_once(bens, "Back in five minutes")
    await page.get_by_role("button").filter(has_text="@ben").click()
    evidence = page.get_by_role("dialog", name="Ben")
    await expect(evidence).to_contain_text("1 of 1 connected devices in use.", timeout=LIMIT)
    await is_clean_in_both_themes(page)
    await evidence.get_by_role("button", name="End session test").click()
    await page.get_by_role("button", name="End session", exact=True).click()
    await bens.page.get_by_role("button", name="Log in").wait_for()
    await page.get_by_role("dialog", name="Ben").get_by_role("button", name="Close").click()
    await page.get_by_role("link", name="Activity log").click()
    for action in ("Session ended", "Presence details viewed", "Announcement published"):
        await expect(page.get_by_role("main").get_by_text(action).first).to_be_visible(timeout=LIMIT)
    await is_clean_in_both_themes(page)
    assert board.errors == bens.errors == []


async def test_the_dashboard_is_for_admins(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """A visitor logs in and is where the link led; a member is told that the page is for admins."""
    node = await start_node("a1", **QUICK)
    (ben,) = await enters(stage, node, "ben")
    bens = await open_window(node, ben, "/dashboard")
    await expect(bens.page.get_by_role("heading", name="The dashboard is for admins")).to_be_visible(timeout=LIMIT)
    stranger = await open_window(node, None, "/dashboard/audit")
    await stranger.page.get_by_role("button", name="Sign up").click()
    await stranger.page.get_by_label("Username", exact=True).fill("zoe")
    await stranger.page.get_by_label("Password").fill(PASSWORD)
    await stranger.page.get_by_role("button", name="Sign up").click()
    await expect(stranger.page.get_by_role("heading", name="The dashboard is for admins")).to_be_visible(timeout=LIMIT)


async def test_without_redis_the_last_figures_stay(
    start_node: StartNode, open_window: OpenWindow, stage: Cast, own_valkey: ValkeyEngine
) -> None:
    """Without Redis the last figures stay and are marked as old; later they are current again."""
    node = await start_node("a1", **QUICK, REDIS_URL=own_valkey.url)
    (ada,) = await enters(stage, node, "ada", role="admin")
    board = await open_window(node, ada, "/dashboard")
    await figure(board, "people", "1")
    own_valkey.kill()
    await expect(board.page.get_by_text("Can't reach the registry (Redis)")).to_be_visible(timeout=LIMIT)
    await expect(board.page.get_by_test_id("live")).to_have_text("Not live")
    await figure(board, "people", "1")
    own_valkey.start()
    await expect(board.page.get_by_test_id("live")).to_have_text("Live", timeout=LIMIT)
    await figure(board, "people", "1")


async def test_an_admin_reads_the_figures_of_the_team(
    start_node: StartNode, open_window: OpenWindow, stage: Cast
) -> None:
    """She reaches them with the keyboard, under an address of their own. Only public channels are named."""
    node = await start_node("a1", **QUICK)
    (ada,) = await enters(stage, node, "ada", role="admin")
    (ben,) = await enters(stage, node, "ben")
    kitchen, attic = await stage.share(ada, ben, name="kitchen"), await begins(ben, "channel", "attic", private=True)
    for room, text in ((kitchen, "soup"), (kitchen, "salad"), (attic, "cake")):
        await ben.says(room, text)
    board = await open_window(node, ada, "/dashboard")
    page = board.page
    await page.get_by_role("link", name="Team", exact=True).focus()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{node.url}/dashboard/team")
    for name, value in (("day", "2"), ("people", "2"), ("total", "3"), ("messages", "about 3"), ("files", "0")):
        await figure(board, name, value)
    channels = page.get_by_role("list", name="Most active channels")
    await expect(channels.get_by_role("listitem")).to_contain_text(["kitchen", "Private channels, groups and direct"])
    await expect(channels.get_by_role("link", name="kitchen")).to_have_attribute("href", f"/c/{kitchen}")
    await expect(page.get_by_text("attic")).to_have_count(0)
    await is_clean_in_both_themes(page)
    await page.reload()
    await figure(board, "total", "3")
    await page.get_by_role("link", name="Show all integrations").click()
    await expect(page).to_have_url(f"{node.url}/people/hooks")
    assert board.errors == []


async def test_figures_have_a_glossary(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """The meaning of a figure appears under the pointer, at the focus and after a press. Escape closes it."""
    node = await start_node("a1", **QUICK)
    (ada,) = await enters(stage, node, "ada", role="admin")
    board = await open_window(node, ada, "/dashboard")
    page, lag = board.page, board.page.get_by_role("button", name="Loop lag")
    meaning = page.get_by_role("tooltip").filter(has_text="How long the node was late for its own work.")
    await lag.hover()
    await expect(meaning).to_be_visible()
    await meaning.hover()
    await expect(meaning).to_be_visible()
    await page.get_by_role("heading", name="Nodes").hover()
    await expect(meaning).to_be_hidden()
    await page.get_by_role("button", name="Memory").focus()
    await page.keyboard.press("Tab")
    await expect(lag).to_be_focused()
    await expect(meaning).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(meaning).to_be_hidden()
    await lag.click()
    await page.get_by_role("heading", name="Nodes").hover()
    await expect(meaning).to_be_visible()
    await is_clean_in_both_themes(page)
    await page.get_by_role("heading", name="Nodes").click()
    await expect(meaning).to_be_hidden()
    await expect(lag).to_have_accessible_description(re.compile("late for its own work"))
    assert board.errors == []
