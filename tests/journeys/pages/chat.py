"""Actions of users on messages in a window, one verb each, by the names on the page."""

from functools import partial
from typing import Any

from playwright.async_api import Locator, expect

from chat.client.node_process import NodeProcess
from tests.cast import Cast, Person
from tests.journeys.pages.base import LIMIT, Window
from tests.waiting import eventually

# Each message as the page shows it: seq, text, reactions, and notes.
SHOWN = """rows => rows.map(row => [
    Number(row.dataset.seq),
    row.querySelector('[data-testid=text]')?.innerText ?? null,
    row.querySelector('[role=status], .note')?.textContent ?? null,
    [...row.querySelectorAll('[aria-label=Reactions] button')].map(one => one.textContent.trim()),
    row.textContent.includes('Pinned'),
    /\\d+ repl/.exec(row.textContent)?.[0] ?? null,
])"""


async def enter(stage: Cast, node: NodeProcess, *names: str) -> list[Person]:
    """Sign up users whose calls go to this node."""
    people = await stage.enters(*names)
    for person in people:
        person.at = node.url
    return people


def message(window: Window, seq: int) -> Locator:
    """Return the row of a message in the conversation, not in a panel."""
    return window.page.get_by_role("log", name="Messages in").locator(f"article[data-seq='{seq}']")


async def uses(window: Window, seq: int, tool: str) -> None:
    """Use a message's tool, with the pointer."""
    row = message(window, seq)
    await row.hover()
    tools = row.get_by_role("toolbar")
    if await tools.get_by_role("button", name=tool, exact=True).count() == 0:
        await tools.get_by_role("button", name="More actions").click()
        await tools.get_by_role("menuitem", name=tool, exact=True).click()
    else:
        await tools.get_by_role("button", name=tool, exact=True).click()


async def picks_emoji(window: Window, words: str) -> None:
    """Pick the first emoji that matches these words."""
    picker = window.page.get_by_role("dialog", name="Emoji")
    await picker.get_by_label("Find emoji").fill(words)
    await expect(picker.get_by_role("region", name="Found").get_by_role("button").first).to_be_visible(timeout=LIMIT)
    await picker.get_by_label("Find emoji").press("Enter")


async def replies_in_thread(window: Window, text: str) -> None:
    """Reply in the open thread."""
    field = window.page.get_by_label("Reply in thread", exact=True).and_(window.page.get_by_role("textbox"))
    await field.fill(text)
    await field.press("Enter")


async def shown(window: Window) -> list[Any]:
    """Return the conversation as the page shows it."""
    rows = window.page.get_by_role("log", name="Messages in").locator("article[data-seq]")
    found: list[Any] = await rows.evaluate_all(SHOWN)
    return found


async def show_alike(*windows: Window) -> None:
    """Wait until all windows show the same."""
    await eventually(partial(_alike, windows), 30)


async def _alike(windows: tuple[Window, ...]) -> bool:
    first, *others = [await shown(window) for window in windows]
    return bool(first) and all(other == first for other in others)
