"""What a reader sees of messages that look odd: everything that was typed, each in its own row, at its own place."""

from typing import Any

from playwright.async_api import FloatRect, Locator, expect

from tests.cast import Cast
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.chat import enter, message, uses
from tests.promises.conftest import StartNode
from tests.verbs import begins
from tests.waiting import eventually

# What is typed, and what the page shows of it.
ODD = (
    ("5. no\n7. yes", "5. no\n7. yes"),
    ("2024. was good\n1986. too", "2024. was good\n1986. too"),
    ("¯\\_(ツ)_/¯", "¯\\_(ツ)_/¯"),
    ("\\\\server\\share", "\\\\server\\share"),
    ("> shall we close on friday?\nno, monday is better", "shall we close on friday?\n\nno, monday is better"),
    ("| a | b |\n|---|---|\n| c | d |\nafter the table", "a\tb\nc\td\n\nafter the table"),
    ("see https://e.example/x: it works", "see https://e.example/x: it works"),
    ("https://deploy@git.example/repo.git", "https://deploy@git.example/repo.git"),
    ("http://xn--80ak6aa92e.com/", "http://xn--80ak6aa92e.com/"),
    ("__init__ and 2*3*4", "__init__ and 2*3*4"),
    ("+ cheap\n- slow", "+ cheap\n- slow"),
    ("- one\n  - two\n    still two", "one\ntwo\nstill two"),
)
STACKED = "Z" + "\u0301\u0300\u0302\u0308\u030a\u0331" * 50
TEXTS = "rows => rows.map(row => row.querySelector('[data-testid=text]').innerText.trim())"
LINKS = "row => [...row.querySelectorAll('[data-testid=text] a')].map(link => [link.textContent, link.href])"
HEIGHT = "row => Math.round(row.getBoundingClientRect().height)"
# Presses a button, and returns by how many whole pixels its row moved until the page was painted again.
# Presses a button once the row has kept its place for 30 frames: late parts of the page, such as counts, are there.
PRESS = """async (row, label) => {
    const top = () => row.getBoundingClientRect().top;
    let before = top();
    for (let still = 0; still < 30; before = top()) {
        await new Promise(requestAnimationFrame);
        still = top() === before ? still + 1 : 0;
    }
    [...row.querySelectorAll('button')].find(button => button.textContent.trim() === label).click();
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    return Math.trunc(top() - before);
}"""
LONG = "\n\n".join(f"line {n}" for n in range(1, 401))
# What the browser's own search does: it selects the words and scrolls all boxes around them, also clipped ones.
FIND = """row => {
    const found = [...row.querySelectorAll('p')].find(one => one.textContent === 'line 321');
    getSelection().selectAllChildren(found);
    found.scrollIntoView({ block: 'center' });
}"""
FOUND = "getSelection().getRangeAt(0).getBoundingClientRect().top"


async def test_a_reader_sees_what_was_typed(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """Numbers, backslashes, lines after quotes and tables, addresses, and channels by any name.

    Stacked accents stay in their row: not one pixel outside of it changes when they go.
    """
    node = await start_node("a1")
    ana, ben = await enter(stage, node, "ana", "ben")
    room = await begins(ana, "channel", "team", ben)
    other = await begins(ana, "channel", "team x", ben)
    hindi = await begins(ana, "channel", "हिन्दी", ben)
    for typed, _ in ODD:
        await ben.says(room, typed)
    await ben.says(room, "#team x, #हिन्दी and #TEAM")
    window = await open_window(node, ana, f"/c/{room}")
    await message(window, len(ODD) + 1).wait_for()
    rows = window.page.get_by_role("log", name="Messages in").locator("article[data-seq]")
    assert await rows.evaluate_all(TEXTS) == [shown for _, shown in ODD] + ["#team x, #हिन्दी and #TEAM"]
    assert await links(message(window, 7)) == [["https://e.example/x", "https://e.example/x"]]
    assert await links(message(window, 8)) == []
    named = [["#team x", f"/c/{other}"], ["#हिन्दी", f"/c/{hindi}"], ["#TEAM", f"/c/{room}"]]
    assert await links(message(window, len(ODD) + 1)) == [[name, node.url + path] for name, path in named]
    for text in ("above", STACKED, "below"):
        await ana.says(hindi, text)
    await window.chooses("हिन्दी")
    await message(window, 3).wait_for()
    await window.page.evaluate("document.fonts.ready")
    before = [await picture(window, seq) for seq in (1, 2, 3)]
    await message(window, 2).evaluate("row => row.style.visibility = 'hidden'")
    after = [await picture(window, seq) for seq in (1, 2, 3)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, True]
    assert window.errors == []


async def links(row: Locator) -> Any:
    """Return text and address of each link in a message."""
    return await row.evaluate(LINKS)


async def picture(window: Window, seq: int) -> bytes:
    """Return a picture of the row, with whatever other rows paint over it."""
    box = await message(window, seq).bounding_box()
    assert box
    clip: FloatRect = {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}
    return await window.page.screenshot(clip=clip, animations="disabled")


async def test_a_long_message_is_folded(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """Its beginning shows; the button or a key opens it without moving it, and it stays open for this reader.

    The browser's own search opens it where the word is, and a link in it that gets the focus does too.
    """
    node = await start_node("a1")
    ana, ben = await enter(stage, node, "ana", "ben")
    room = await begins(ana, "channel", "kitchen", ben)
    hall = await begins(ana, "channel", "hall", ben)
    await ana.says(hall, LONG)
    await ana.says(hall, LONG + "\n\nhttps://e.example/last")
    for text in (*["before"] * 12, LONG, "after"):
        await ana.says(room, text)
    window = await open_window(node, ana, f"/c/{room}")
    row, page = message(window, 13), window.page
    more = row.get_by_role("button", name="Show more")
    await more.wait_for()
    assert await row.evaluate(HEIGHT) < 500
    await page.evaluate("document.fonts.ready")
    assert await row.evaluate(PRESS, "Show more") == 0
    less = row.get_by_role("button", name="Show less")
    await expect(less).to_have_attribute("aria-expanded", "true", timeout=LIMIT)
    assert await row.evaluate(HEIGHT) > 5_000
    await window.chooses("hall")
    for seq in (1, 2):
        await message(window, seq).get_by_role("button", name="Show more").wait_for()
    await message(window, 1).evaluate(FIND)
    await message(window, 1).get_by_role("button", name="Show less").wait_for()
    await eventually(lambda: is_on_screen(window), 30)
    link = message(window, 2).get_by_role("link", name="https://e.example/last")
    await link.focus()
    await message(window, 2).get_by_role("button", name="Show less").wait_for()
    await expect(link).to_be_in_viewport(timeout=LIMIT)
    await window.chooses("kitchen")
    await expect(less).to_be_attached(timeout=LIMIT)
    await row.focus()
    await page.keyboard.press("o")
    await expect(more).to_be_in_viewport(timeout=LIMIT)
    assert await row.evaluate(HEIGHT) < 500
    assert window.errors == []


async def is_on_screen(window: Window) -> bool:
    """Return whether the selected words are on the screen."""
    return bool(56 < await window.page.evaluate(FOUND) < 700)


async def test_the_editor_says_whom_an_edit_mentions(
    stage: Cast, start_node: StartNode, open_window: OpenWindow
) -> None:
    """A name that is added reaches no one, and one that is removed is no longer mentioned: both are said."""
    node = await start_node("a1")
    ana, ben, _ = await enter(stage, node, "ana", "ben", "chloe")
    room = await begins(ana, "channel", "kitchen", ben)
    await ana.says(room, "@ben, please")
    window = await open_window(node, ana, f"/c/{room}")
    await message(window, 1).wait_for()
    await uses(window, 1, "Edit")
    note = window.page.get_by_text("Editing doesn't notify")
    await expect(note).to_have_count(0)
    await window.rewrites("@ben, @chloe, please")
    await expect(note).to_have_text("Editing doesn't notify @chloe. Send a new message instead.", timeout=LIMIT)
    await window.rewrites("> @chloe said\n\nplease")
    await expect(note).to_have_count(0)
    await expect(window.page.get_by_text("Saving removes the mention of @ben.")).to_be_visible(timeout=LIMIT)
    await window.page.get_by_role("textbox", name="Edit message").press("Enter")
    await expect(message(window, 1).get_by_test_id("text")).to_contain_text("@chloe said", timeout=LIMIT)
    await expect(message(window, 1).get_by_role("button", name="@")).to_have_count(0)
