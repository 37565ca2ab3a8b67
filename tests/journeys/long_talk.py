"""A conversation of a hundred thousand messages, and what a page shows of it."""

from typing import Any

import psycopg

from tests.cast import Person
from tests.journeys.pages.base import Window

MANY = 100_000
MOST_ROWS = 460  # 400 messages are kept, and a page more for a moment
FILL = """
insert into messages (conversation_id, seq, position, author_id, client_id, body, created_at)
select %(room)s, n, 0, case when n %% 7 < 4 then %(ben)s else %(ana)s end, 'c' || n,
       'message ' || n || repeat(' and more', (n %% 23)::int), now() - make_interval(secs => (%(many)s - n) * 40)
from generate_series(1, %(many)s) n
"""

# The message in the middle of the screen, and its place.
LOOKED_AT = """() => {
    const log = document.querySelector('[role=log]'), box = log.getBoundingClientRect();
    const below = one => one.getBoundingClientRect().top > box.top + box.height / 2;
    const row = [...log.querySelectorAll('article[data-seq]')].find(below);
    return [Number(row.dataset.seq), Math.round(row.getBoundingClientRect().top)];
}"""

# As painted: between two frames a page may have added rows and not yet scrolled.
PLACE = """async seq => {
    await new Promise(painted => requestAnimationFrame(() => setTimeout(painted)));
    return Math.round(document.querySelector(`article[data-seq='${seq}']`).getBoundingClientRect().top);
}"""
LOADED = "rows => [rows.length, Number(rows.at(0)?.dataset.seq), Number(rows.at(-1)?.dataset.seq)]"

# The text that copying from one message to another puts on the clipboard.
COPIED = """([from, to]) => {
    const text = seq => document.querySelector(`article[data-seq='${seq}'] [data-testid=text]`);
    getSelection().setBaseAndExtent(text(from), 0, text(to), text(to).childNodes.length);
    const clipboardData = new DataTransfer();
    const event = new ClipboardEvent('copy', { clipboardData, bubbles: true, cancelable: true });
    text(from).dispatchEvent(event);
    return clipboardData.getData('text/plain');
}"""
FOCUSED = "Number(document.activeElement.dataset.seq ?? 0)"
FONTS = "document.fonts.ready.then(() => true)"  # until they are there, every row may change its height

# The browser reports tasks that block the page for more than 50 ms.
WATCH_TASKS = """
    window.tasks = [];
    new PerformanceObserver(list => window.tasks.push(...list.getEntries().map(one => one.duration)))
        .observe({ type: 'longtask' });
    setTimeout(() => { for (const until = performance.now() + 80; performance.now() < until;); });
"""


async def fill(database_url: str, room: int, ana: Person, ben: Person, read: int = MANY) -> None:
    """Fill the conversation with weeks of messages, which ana has read up to `read`."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute(FILL, {"room": room, "ana": ana.id, "ben": ben.id, "many": MANY})
        await connection.execute("update conversations set last_seq = %s where id = %s", [MANY, room])
        await connection.execute("update memberships set read_seq = %s where conversation_id = %s", [read, room])


async def loaded(window: Window) -> tuple[int, int, int]:
    """Return how many messages are in the page, with the first and the last of them."""
    rows = window.page.get_by_role("log", name="Messages in").locator("article[data-seq]")
    count, first, last = await rows.evaluate_all(LOADED)
    return count, first, last


async def looked_at(window: Window) -> tuple[int, int]:
    """Return the message in the middle of the screen, and its distance from the top."""
    seq, top = await window.page.evaluate(LOOKED_AT)
    return seq, top


async def place_of(window: Window, seq: int) -> int:
    """Return a message's distance from the top of the screen."""
    top: int = await window.page.evaluate(PLACE, seq)
    return top


async def scrolls_to(window: Window, top: int) -> None:
    """Scroll as the scroll bar does."""
    await window.page.get_by_role("log", name="Messages in").evaluate(f"log => log.scrollTo(0, {top})")


async def focused(window: Window) -> int:
    """Return the message that has the focus; 0 for none."""
    seq: int = await window.page.evaluate(FOCUSED)
    return seq


async def copied(window: Window, first: int, last: int) -> str:
    """Return the text that copying from one message to another gives."""
    text: str = await window.page.evaluate(COPIED, [first, last])
    return text


async def tasks(window: Window) -> list[float]:
    """Return the duration of each long task, in milliseconds."""
    found: list[Any] = await window.page.evaluate("window.tasks")
    return [float(one) for one in found]
