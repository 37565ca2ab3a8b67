"""What `tandem export` does, and what is seen of it."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from rich.progress import MofNCompleteColumn, TaskID

from chat.exchange.bars import bars
from chat.exchange.export.file import write_export, write_person
from chat.exchange.export.reader import Asked, Reader, reading
from chat.exchange.trouble import NobodyThere
from chat.shared.sql import load

queries = load(__file__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command was asked for: one conversation, one person's own data, or everything."""

    path: Path
    conversation: str | None = None
    person: str | None = None


def export_file(database_url: str, wanted: Wanted) -> None:
    """Export it and say how much it was. Raises `ExchangeTrouble`."""
    messages = asyncio.run(write(database_url, wanted))
    print(f"{messages:,} messages in {wanted.path}, {wanted.path.stat().st_size:,} bytes")


async def write(database_url: str, wanted: Wanted) -> int:
    """How many messages there were."""
    with bars(wanted.path.name, MofNCompleteColumn()) as progress:
        bar = progress.add_task("messages", total=None)
        async with reading(database_url) as reader:
            if wanted.person is not None:
                user_id = await find(reader, queries.find_person, [wanted.person], f"person called {wanted.person}")
                return await write_person(reader, wanted.path, user_id, lambda number: progress.advance(bar, number))
            only = await find_conversation(reader, wanted.conversation)
            return await write_export(
                reader,
                wanted.path,
                only,
                lambda total, done: progress.update(TaskID(bar), total=total, completed=done),
                lambda number: progress.advance(bar, number),
            )


async def find_conversation(reader: Reader, what: str | None) -> int | None:
    """By its id, or the name of a channel; raises `NobodyThere`."""
    if what is None:
        return None
    return await find(reader, queries.find_channel, {"what": what.lstrip("#")}, f"conversation {what}")


async def find(reader: Reader, query: bytes, asked: Asked, what: str) -> int:
    """An id; raises `NobodyThere`."""
    row = await reader.one(query, asked)
    if row is None:
        raise NobodyThere(what)
    return int(row[0])
