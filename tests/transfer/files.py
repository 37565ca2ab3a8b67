"""Files to import, and commands in processes of their own."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from chat.transfer.commands import ExportOptions, ImportOptions, export_file, import_file
from chat.transfer.recognize import ForeignOptions
from chat.transfer.records import ImportCounts, Item, MessageRecord
from chat.transfer.sources import open_source

Json = dict[str, Any]


def write_lines(path: Path, *lines: Json | bytes) -> Path:
    """Write a file of lines."""
    encoded = [line if isinstance(line, bytes) else orjson.dumps(line) for line in lines]
    path.write_bytes(b"\n".join(encoded) + b"\n")
    return path


def read_lines(path: Path) -> list[Json]:
    """Return the lines of an export after its head."""
    head, *lines = map(orjson.loads, path.read_bytes().splitlines())
    assert head["type"] == "tandem"
    return lines


async def imports(database_url: str, path: Path, **options: Any) -> int:
    """Run an import; return the exit code."""
    return await asyncio.to_thread(import_file, database_url, ImportOptions(path, **options))


async def exports(database_url: str, path: Path, **wanted: Any) -> list[Json]:
    """Run an export; return what it wrote."""
    await asyncio.to_thread(export_file, database_url, ExportOptions(path, **wanted))
    return read_lines(path)


def write_people(path: Path, **names: str) -> Path:
    """Write which account here is which user of the source, by id or name there."""
    path.write_text("".join(f"{there},{here}\n" for there, here in names.items()))
    return path


def big(number: int) -> list[Json]:
    """Write an export with one long conversation."""
    head = {"type": "tandem", "version": 1, "source": "abc", "scope": "everything", "at": "2024-01-01T00:00:00.000Z"}
    talk = [
        {"type": "message", "conversation": 7, "author": "ana", "client_id": f"m{n}", "body": f"line {n}"}
        | {"created_at": "2024-01-01T00:00:00.000Z"}
        for n in range(number)
    ]
    user = {"type": "user", "name": "ana", "display_name": "Ana"}
    room = {"type": "conversation", "id": 7, "kind": "channel", "name": "long"}
    return [head, user, room, *talk, {"type": "member", "conversation": 7, "user": "ana", "role": "owner"}]


def reads(path: Path, zone: str = "UTC", **options: Any) -> tuple[list[Item], ImportCounts]:
    """Return the items of a source, and their counts, without a database."""
    items: list[Item] = []
    counts = ImportCounts()
    for item in open_source(path, None, False, foreign=ForeignOptions(ZoneInfo(zone), **options)).read(lambda _: None):
        items.append(item)
        counts.add(item)
    return items, counts


def messages_in(items: Iterable[Item]) -> list[MessageRecord]:
    """Return the messages."""
    return [one for one in items if isinstance(one, MessageRecord)]


def bodies_in(items: Iterable[Item]) -> list[str]:
    """Return the texts of the messages."""
    return [one.body for one in messages_in(items)]
