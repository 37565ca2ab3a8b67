"""Ana and Ben in two windows: the server is killed while they write, and neither has to reload."""

import asyncio
from functools import partial
from typing import Any

import psycopg

from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import Window
from tests.promises.conftest import StartNode
from tests.waiting import eventually

PASSWORD = "correct horse battery"
HELLO = ["Shall we cook?", "Да, 料理しよう 🥨"]
AND_ON = [f"and {n}" for n in range(10)]
LIMIT = 30.0


async def test_users_write_while_the_server_is_killed(
    start_node: StartNode, open_window: OpenWindow, database_url: str
) -> None:
    """No message of either is lost or doubled in either window, compared with the database."""
    node = await start_node("a1")
    ana, ben = await in_the_kitchen(await open_window(node), await open_window(node))
    loads = ana.loads, ben.loads
    await ben.types("I think that we")
    for words in AND_ON:
        await ana.says(words)
        if words == AND_ON[4]:
            node.kill()
    await ana.is_cut_off()
    await ben.says(await ben.draft() + " need more butter")
    await ana.types("half a sent")
    await node.start_and_wait()
    await asyncio.gather(ana.is_live(), ben.is_live())
    await ana.says(await ana.draft() + "ence, and its end")
    ends = ["I think that we need more butter", "half a sentence, and its end"]
    await show_the_same(ana, ben, sorted([*HELLO, *AND_ON, *ends]), database_url)
    assert [text for _, text in await ana.seen() if text in AND_ON] == AND_ON
    assert (ana.loads, ben.loads) == loads


async def in_the_kitchen(ana: Window, ben: Window) -> tuple[Window, Window]:
    """Sign both up in a channel, where each sees the other's messages."""
    await ana.signs_up("ana", PASSWORD)
    await ben.signs_up("ben", PASSWORD)
    await ana.creates_channel("kitchen")
    await ben.joins_channel("kitchen")
    for speaker, listener, words in ((ana, ben, HELLO[0]), (ben, ana, HELLO[1])):
        await speaker.says(words)
        await shows(listener, words)
    return ana, ben


async def show_the_same(ana: Window, ben: Window, said: list[str], database_url: str) -> None:
    """Wait until both windows have everything, each message once, in the stored order."""
    for window in (ana, ben):
        await eventually(partial(has_all, window, len(said)), LIMIT)
    stored = await messages(database_url)
    assert sorted(text for _, text in stored) == said
    assert await ana.seen() == await ben.seen() == stored
    assert ana.errors == ben.errors == []


async def test_logging_in_later_shows_everything(start_node: StartNode, open_window: OpenWindow) -> None:
    """A wrong password is refused plainly; the right one shows the conversation, in another browser too."""
    node = await start_node("a1")
    ana = await open_window(node)
    await ana.signs_up("ana", PASSWORD)
    await ana.creates_channel("kitchen")
    await ana.says("for later")
    await shows(ana, "for later")
    again = await open_window(node)
    await again.logs_in("ana", "not her password")
    await again.page.get_by_role("alert").wait_for()
    await again.logs_in("ana", PASSWORD)
    await again.is_live()
    await again.reads("kitchen")
    await shows(again, "for later")


async def shows(window: Window, text: str) -> None:
    """Wait until the last message of the window, sent and stored, is this one."""
    await eventually(lambda: ends_with(window, text), LIMIT)


async def ends_with(window: Window, text: str) -> bool:
    """Return whether it is the last one now."""
    seen = await window.seen()
    return bool(seen) and seen[-1][0] is not None and seen[-1][1] == text


async def has_all(window: Window, count: int) -> bool:
    """Return whether there are so many messages, all of them sent."""
    seen = await window.seen()
    return len(seen) >= count and all(seq is not None for seq, _ in seen)


async def messages(database_url: str) -> list[tuple[Any, ...]]:
    """Return what is stored: `(seq, body)` in order."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        return await (await connection.execute("select seq, body from messages order by seq")).fetchall()
