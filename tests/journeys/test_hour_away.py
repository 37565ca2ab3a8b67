"""Ben is away for an hour while the others do everything that can be done; then his screen equals a fresh load."""

from typing import Any

import psycopg

from tests.cast import Cast, Person
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import Window
from tests.journeys.pages.chat import enter, shown
from tests.journeys.pages.panels import opens_details
from tests.promises.conftest import StartNode
from tests.verbs import (
    CONVERSATIONS,
    answers,
    begins,
    deletes,
    edits,
    marks_read,
    pins,
    reacts,
    removes_member,
    sets_member,
    tries,
)
from tests.waiting import eventually

# All that a page shows, without parts that depend on the clock or the pointer.
SCREEN = """() => {
    const text = one => one?.innerText.replace(/\\s+/g, ' ').trim() ?? null;
    const all = (where, what) => [...document.querySelectorAll(where)].map(what);
    return {
        title: document.title,
        places: all('nav[aria-label=Conversations] a',
            one => [...one.querySelectorAll('.title, .badge, .quiet')].map(text).join(' | ')).sort(),
        heading: text(document.querySelector('h1')),
        topic: text(document.querySelector('main header p')),
        details: all('aside .what p:not(.acts)', text),
        members: all('aside [aria-label=Members] li',
            one => text(one.querySelector('bdi')) + (one.innerText.match(/Owner|Admin/)?.[0] ?? '')),
        badges: all('.sidebar .threads', text),
        writing: document.querySelectorAll('textarea[name=message]').length,
        closed: text(document.querySelector('.closed')),
    };
}"""


async def test_everything_that_happened_is_on_the_screen(
    stage: Cast, start_node: StartNode, open_window: OpenWindow, database_url: str
) -> None:
    """Messages and all actions on them, members, roles, conversations, and settings of his other devices are up to
    date."""
    node = await start_node("a1")
    ana, ben, chloe, dora = await enter(stage, node, "ana", "ben", "chloe", "dora")
    room = await begins(ana, "channel", "kitchen", ben, chloe, dora)
    old, gone, quiet = [await begins(ana, "channel", name, ben) for name in ("attic", "cellar", "garden")]
    for n in range(1, 9):
        await (ben if n == 2 else ana).says(room, f"number {n}")
    await reacts(chloe, room, 5, "🎉")
    await pins(ana, room, 6)
    window = await open_window(node, ben, f"/c/{room}")
    await window.is_live()
    await opens_details(window)
    await eventually(lambda: says(window, "Dora"), 30)
    await window.page.context.set_offline(True)
    await window.is_cut_off()
    await an_hour_of_everything(ana, ben, chloe, dora, room, old, gone, quiet)
    await an_hour_passes(database_url)
    await window.page.context.set_offline(False)
    await window.is_live()
    await eventually(lambda: says(window, "the last word"), 30)
    fresh = await open_window(node, ben, f"/c/{room}/details")
    await fresh.is_live()
    await eventually(lambda: says(fresh, "the last word"), 30)
    await eventually(lambda: alike(window, fresh), 30)
    seen = await screen(window)
    assert seen["heading"] == "pantry"
    assert seen["closed"] == "Only owners and admins can post here."
    assert seen["members"] == ["AnaOwner", "ChloéAdmin", "Ben"]
    assert [place.split(" | ")[0] for place in seen["places"]] == ["Ana", "balcony", "garden", "pantry"]
    assert window.loads == 1
    assert window.errors == fresh.errors == []


async def an_hour_of_everything(
    ana: Person, ben: Person, chloe: Person, dora: Person, room: int, old: int, gone: int, quiet: int
) -> None:
    """Cause every kind of entry that Ben receives."""
    await edits(ana, room, 1, "number **one**")
    await deletes(ana, room, 3)
    await reacts(chloe, room, 4, "👍")
    await reacts(chloe, room, 5, "🎉", on=False)
    await pins(ana, room, 6, on=False)
    await pins(chloe, room, 7)
    await answers(chloe, room, 2, "in the thread")
    await marks_read(dora, room, 8)
    await ana.says(room, "@ben look")
    await ana.says(quiet, "@ben here, too")
    await begins(ana, "direct", "", ben)
    await begins(ana, "channel", "balcony", ben)
    for person, path, change in (
        (ana, f"{CONVERSATIONS}/{room}", {"name": "pantry", "topic": "What is left", "read_only": True, "slow": 30}),
        (ana, f"{CONVERSATIONS}/{old}", {"archived": True}),
        (chloe, "/api/users/me", {"display_name": "Chloé"}),
    ):
        assert (await tries(person, "PATCH", path, change))[0] == 200
    await removes_member(ana, gone, ben)
    await removes_member(ana, room, dora)
    await sets_member(ana, room, chloe, "admin")
    assert (await tries(ben, "PUT", f"{CONVERSATIONS}/{quiet}/notifications", {"level": "nothing"}))[0] == 200
    assert (await tries(ben, "PUT", f"/api/users/{dora.id}/block"))[0] == 204
    await ana.says(room, "the last word")


async def an_hour_passes(database_url: str) -> None:
    """Move everything in the log, and every message, an hour back."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute("update log set at = at - interval '1 hour'")
        await connection.execute("update messages set created_at = created_at - interval '1 hour'")


async def screen(window: Window) -> dict[str, Any]:
    """Return what the page shows."""
    found: dict[str, Any] = await window.page.evaluate(SCREEN)
    return found | {"messages": await shown(window)}


async def says(window: Window, text: str) -> bool:
    """Return whether the text is there."""
    return await window.page.get_by_text(text, exact=True).count() > 0


async def alike(window: Window, other: Window) -> bool:
    """Return whether both show the same."""
    return await screen(window) == await screen(other)
