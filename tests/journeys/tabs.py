"""Several tabs of one browser: opened, closed, crashed, frozen, with a slow network."""

from collections.abc import Iterable
from contextlib import suppress
from functools import partial

import psycopg
from playwright.async_api import Error

from tests.cast import Person
from tests.journeys.pages.base import Window
from tests.waiting import eventually

LIMIT = 30.0

# Whether this tab has the leader's lock: a lock that it takes for a moment shows its client id.
LEADS = """navigator.locks.request(`who ${Math.random()}`, async mine => {
    const { held } = await navigator.locks.query();
    const me = held.find(one => one.name === mine.name).clientId;
    return held.some(one => /^tandem \\d+$/.test(one.name) && one.clientId === me);
})"""
SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}


async def opens_tab(window: Window, path: str) -> Window:
    """Open another tab of the same browser."""
    tab = Window(await window.page.context.new_page(), window.url)
    await tab.opens(path)
    return tab


async def opens_tabs(window: Window, path: str, count: int) -> list[Window]:
    """Open tabs until there are so many, all live. The given one leads, because it was first.

    One after the other, so that a slow machine has the whole limit for each.
    """
    await window.is_live()
    tabs = [window]
    while len(tabs) < count:
        tabs.append(await opens_tab(window, path))
        await tabs[-1].is_live()
    assert await leader(tabs) is window
    return tabs


async def leader(tabs: Iterable[Window]) -> Window:
    """Return the tab that has the stream."""
    (leading,) = [tab for tab in tabs if await tab.page.evaluate(LEADS)]
    return leading


async def connections(person: Person) -> tuple[int, int]:
    """Return how many streams and sockets this user has open, as the server counts them."""
    status, said = await person.call("GET", "/api/sessions")
    assert status == 200, said
    return sum(one["streams"] for one in said["sessions"]), sum(one["sockets"] for one in said["sessions"])


async def has_one_of_each(person: Person) -> None:
    """Wait until the server counts one stream and one socket."""

    async def one_each() -> bool:
        return await connections(person) == (1, 1)

    await eventually(one_each, LIMIT)


async def closes(tab: Window) -> None:
    """Close the tab, as its close button does."""
    await tab.page.close()


async def crashes(tab: Window) -> None:
    """Crash the tab's process, and close what is left of it."""
    with suppress(Error):
        await tab.page.goto("chrome://crash", timeout=5_000)
    await tab.page.close()


async def freezes(tab: Window, state: str = "frozen") -> None:
    """Freeze the tab, or (`active`) resume it."""
    devtools = await tab.page.context.new_cdp_session(tab.page)
    await devtools.send("Page.setWebLifecycleState", {"state": state})
    await devtools.detach()


async def slows(tab: Window) -> None:
    """Slow the network down from now on."""
    devtools = await tab.page.context.new_cdp_session(tab.page)
    await devtools.send("Network.enable")
    await devtools.send("Network.emulateNetworkConditions", SLOW_3G)


async def show_what_is_stored(tabs: Iterable[Window], database_url: str, count: int) -> None:
    """Wait until every tab shows exactly the stored messages, each once, in order."""
    for tab in tabs:
        await eventually(partial(has, tab, count), LIMIT)
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        stored = await (await connection.execute("select seq, body from messages order by seq")).fetchall()
    assert len(stored) == count
    for tab in tabs:
        assert await tab.seen() == stored
        assert tab.errors == []


async def has(tab: Window, count: int) -> bool:
    """Return whether it shows at least so many messages."""
    return len(await tab.seen()) >= count
