"""Real input: a corpus of dialogue through the real API, and back byte for byte."""

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import Any

import orjson

from chat.importing.command import Options, import_file
from tests.cast import Cast
from tests.importing.corpus import corpus_lines
from tests.verbs import pages, sees
from tests.waiting import eventually


async def test_thousands_of_messages_in_many_scripts_come_back_as_they_were(cast: Cast, tmp_path: Path) -> None:
    """Every line is a message, in the file's order, the same in the history and in the stream."""
    (ana,) = await cast.enters("ana", role="admin")
    lines = list(corpus_lines())
    assert len(lines) > 5_000
    assert len({line["conversation"] for line in lines}) > 20
    file = tmp_path / "corpus.jsonl"
    file.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    cursor = (await sees(ana))["cursor"]
    assert await asyncio.to_thread(import_file, Options(file, ana.at, None, False, ana.token, "", "")) == 0

    said = defaultdict(list)
    for line in lines:
        said[line["conversation"]].append(line["body"])
    rooms = {one["name"]: one["id"] for one in (await sees(ana))["conversations"]}
    history = {name: await whole_history(ana, rooms[name]) for name in said}
    assert {name: [message["body"] for message in found] for name, found in history.items()} == said

    ear = await ana.listens(after=cursor)
    await eventually(lambda: len(ear.events) > len(lines) and len(ear.messages()) == len(lines), limit=60)
    streamed = defaultdict(list)
    for message in ear.messages():
        streamed[message["conversation"]].append(message)
    assert {name: streamed[rooms[name]] for name in said} == history


async def whole_history(person: Any, room: int) -> list[dict[str, Any]]:
    """Page by page, from the beginning."""
    found: list[dict[str, Any]] = []
    while True:
        page = await pages(person, room, f"after={len(found)}&limit=200")
        found += page["messages"]
        if not page["has_after"]:
            return found
