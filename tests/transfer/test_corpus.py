"""Real input: a corpus of dialogue is imported, and history has it letter for letter."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.cast import Cast, Person
from tests.search.asking import finds, indexed
from tests.transfer.corpus import corpus_lines
from tests.transfer.files import imports, write_lines
from tests.verbs import begins, pages, sees


@pytest.mark.timeout(300)  # the whole corpus is indexed: 20 s of the processor
async def test_thousands_of_messages_in_many_scripts_stay_unchanged(
    cast: Cast, database_url: str, tmp_path: Path
) -> None:
    """Every line is a message, in the file's order; all count as read, and are found."""
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


async def test_the_corpus_through_the_api(cast: Cast) -> None:
    """The same dialogue is posted in batches, as an integration does."""
    (ana,) = await cast.enters("ana")
    said = defaultdict(list)
    for line in corpus_lines():
        said[line["conversation"]].append(line["body"])
    for name, bodies in said.items():
        room = await begins(ana, "channel", name)
        for start in range(0, len(bodies), 500):
            await posts(ana, room, bodies[start : start + 500], start)
        assert [message["body"] for message in await whole_history(ana, room)] == bodies


async def posts(person: Person, room: int, bodies: list[str], first: int) -> None:
    """Post one batch of new messages."""
    drafts = [{"conversation": room, "body": body, "client_id": f"{first + n}"} for n, body in enumerate(bodies)]
    _, said = await person.call("POST", "/api/chat/messages", {"messages": drafts})
    assert {one["status"] for one in said["results"]} == {201}


async def whole_history(person: Any, room: int) -> list[dict[str, Any]]:
    """Return the history, page by page from the beginning."""
    found: list[dict[str, Any]] = []
    while True:
        page = await pages(person, room, f"after={len(found)}&limit=200")
        found += page["messages"]
        if not page["has_after"]:
            return found
