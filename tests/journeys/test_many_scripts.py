"""Thousands of real messages in many languages and scripts are shown correctly."""

from collections import defaultdict
from pathlib import Path

from tests.cast import Cast
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import Window
from tests.promises.conftest import StartNode
from tests.transfer.corpus import corpus_lines
from tests.transfer.files import imports, write_lines
from tests.waiting import eventually

SCRIPTS = (
    "bengali",
    "chinese",
    "german",
    "hebrew",
    "hindi",
    "japanese",
    "korean",
    "persian",
    "russian",
    "tamil",
    "thai",
)
RIGHT_TO_LEFT = {"hebrew", "persian", "urdu"}
WHOLE = "russian"
DIRECTION = "rows => rows.map(row => getComputedStyle(row).direction)"


async def test_every_script_is_shown_unchanged(
    database_url: str, stage: Cast, start_node: StartNode, open_window: OpenWindow, tmp_path: Path
) -> None:
    """The newest page of each conversation is right letter for letter, and one conversation from its end to its
    beginning."""
    node = await start_node("a1")
    (ana,) = await stage.enters("ana", role="admin")
    said = defaultdict(list)
    for line in corpus_lines():
        said[line["conversation"]].append(line["body"].strip())  # Markdown shows no white space around a paragraph
    assert sum(map(len, said.values())) > 5_000
    assert await imports(database_url, write_lines(tmp_path / "corpus.jsonl", *corpus_lines())) == 0
    window = await open_window(node, ana)
    await window.is_live()
    for language in (*SCRIPTS, WHOLE):
        await window.chooses(language)
        await eventually(lambda: window.seen(), 30)
        seen = await window.seen()
        assert [text for _, text in seen] == said[language][-len(seen) :]
        assert [seq for seq, _ in seen] == list(range(len(said[language]) - len(seen) + 1, len(said[language]) + 1))
        assert ("rtl" in await directions(window)) == (language in RIGHT_TO_LEFT)
    await eventually(lambda: is_whole(window, len(said[WHOLE])), 30)
    assert [text for _, text in await window.seen()] == said[WHOLE]
    assert window.errors == []


async def directions(window: Window) -> list[str]:
    """Return the text direction of each message."""
    found: list[str] = await window.page.locator("[role=log] article p[dir=auto]").evaluate_all(DIRECTION)
    return found


async def is_whole(window: Window, count: int) -> bool:
    """Scroll up; return whether all are there."""
    await window.page.get_by_role("log").evaluate("log => log.scrollTo(0, 0)")
    return len(await window.seen()) >= count
