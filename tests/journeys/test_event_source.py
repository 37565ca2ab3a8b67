"""The smallest client: `new EventSource('/api/chat/stream')` with `onmessage` receives every message."""

import psycopg

from tests.cast import Cast, Person
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import Window
from tests.promises.conftest import StartNode
from tests.waiting import eventually

SEED = """() => {
    window.heard = [];
    window.source = new EventSource('/api/chat/stream');
    source.onmessage = event => heard.push(JSON.parse(event.data));
}"""
PROBE = "() => source.readyState === EventSource.OPEN"
LIMIT = 30.0


async def test_only_onmessage_receives_every_message(
    stage: Cast, start_node: StartNode, open_window: OpenWindow, database_url: str
) -> None:
    """Every message arrives once and in order, in all conversations, although the server is killed and restarted."""
    node = await start_node("a1")
    ana, ben = await stage.enters("ana", "ben")
    ana.at = node.url
    rooms = [await stage.share(ana, ben), await stage.share(ana, ben)]
    window = await open_window(node, ben, "/health/live")
    await window.page.evaluate(SEED)
    await eventually(lambda: window.page.evaluate(PROBE), LIMIT)
    await talks(ana, rooms, "before")
    await eventually(lambda: has_heard(window, 40), LIMIT)
    node.kill()
    await node.start_and_wait()
    await talks(ana, rooms, "while you were away, or just back")
    await eventually(lambda: has_heard(window, 80), LIMIT)
    await eventually(lambda: window.page.evaluate(PROBE), LIMIT)
    await talks(ana, rooms, "after")
    await eventually(lambda: has_heard(window, 120), LIMIT)
    heard = await window.page.evaluate("() => heard.map(m => [m.conversation, m.seq, m.author, m.body])")
    assert heard == await messages(database_url)
    await window.page.evaluate("() => source.close()")


async def talks(person: Person, rooms: list[int], what: str) -> None:
    """Post twenty messages in each conversation, in turn."""
    for n in range(20):
        for room in rooms:
            await person.says(room, f"{n} {what}\n«ligne» 行 🥨")


async def has_heard(window: Window, count: int) -> bool:
    """Return whether so many messages have arrived."""
    return bool(await window.page.evaluate("() => heard.length") >= count)


async def messages(database_url: str) -> list[list[object]]:
    """Return the stored messages in the order of their commits."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        rows = await connection.execute("select conversation_id, seq, author_id, body from messages order by position")
        return [list(row) for row in await rows.fetchall()]
