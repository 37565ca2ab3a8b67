"""Real input: a corpus of dialogue comes in, and is the same in the history, letter for letter."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.cast import Cast
from tests.exchange.corpus import corpus_lines
from tests.exchange.files import imports, write_lines
from tests.search.asking import finds, indexed
from tests.verbs import pages, sees


async def test_thousands_of_messages_in_many_scripts_come_back_as_they_were(
    cast: Cast, database_url: str, tmp_path: Path
) -> None:
    """Every line is a message, in the file's order; all of it counts as read, and is found."""
    (ana,) = await cast.enters("ana", role="admin")
    lines = list(corpus_lines())
    assert len(lines) > 5_000
    assert len({line["conversation"] for line in lines}) > 20
    assert await imports(database_url, write_lines(tmp_path / "corpus.jsonl", *lines)) == 0
    said = defaultdict(list)
    for line in lines:
        said[line["conversation"]].append(line["body"])
    mine = (await sees(ana))["conversations"]
    assert {one["unread"] for one in mine} == {0}
    rooms = {one["name"]: one["id"] for one in mine}
    for name, bodies in said.items():
        assert [message["body"] for message in await whole_history(ana, rooms[name])] == bodies
    await indexed(database_url)
    assert await finds(ana, '"Что такое" in:russian')


async def whole_history(person: Any, room: int) -> list[dict[str, Any]]:
    """Page by page, from the beginning."""
    found: list[dict[str, Any]] = []
    while True:
        page = await pages(person, room, f"after={len(found)}&limit=200")
        found += page["messages"]
        if not page["has_after"]:
            return found
