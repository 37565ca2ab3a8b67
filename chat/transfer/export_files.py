"""An export into a file that is whole or not there: until then it is `….part`, beside which stands how far it is."""

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from pathlib import Path

import orjson

from chat.shared.sql import load
from chat.transfer.errors import NobodyThere, OtherFile
from chat.transfer.exporter import (
    Export,
    ExportMark,
    ExportReader,
    Names,
    Row,
    conversation_line,
    encode,
    head_line,
    message_line,
    message_rows,
    messages_of,
    people_of,
    ref,
    rest_of,
    user_line,
)

queries = load(__file__)

Told = Callable[[int], None]  # how many messages more are written


class PartialExport:
    """The unfinished file; `what` is asked for says whether it may be gone on with."""

    def __init__(self, path: Path, what: str) -> None:
        self._path, self._what = path, what
        self._part, self._note = path.with_name(path.name + ".part"), path.with_name(path.name + ".part.json")
        self.mark, self.messages, self._size = ExportMark(), 0, 0
        if path.exists():
            raise OtherFile(path)
        if self._part.exists() and self._note.exists():
            self._go_on(orjson.loads(self._note.read_bytes()))

    def _go_on(self, noted: dict[str, object]) -> None:
        if noted["what"] != self._what:
            raise OtherFile(self._part)
        self.mark, self._size = ExportMark(**noted["mark"]), int(str(noted["size"]))  # type: ignore[arg-type]
        self.messages = int(str(noted["messages"]))

    def __enter__(self) -> "PartialExport":
        self._file = self._part.open("r+b" if self._size else "wb")
        self._file.truncate(self._size)
        self._file.seek(self._size)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        if kind is None:
            self._part.rename(self._path)
            self._note.unlink(missing_ok=True)

    def write(self, lines: bytes, messages: int, mark: ExportMark) -> None:
        """The lines, then how far they reach: a kill in between writes them once more, over the same bytes."""
        self._file.write(lines)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._size += len(lines)
        self.messages += messages
        self.mark = mark
        noted = {"what": self._what, "mark": asdict(mark), "size": self._size, "messages": self.messages}
        fresh = self._note.with_suffix(".new")
        fresh.write_bytes(orjson.dumps(noted))
        fresh.rename(self._note)


async def write_export(
    reader: ExportReader, path: Path, only: int | None, begin: Callable[[int, int], None], told: Told
) -> int:
    """Everything, or one conversation; how many messages it has. `begin` hears how many there will be and are."""
    export = Export(reader, only)
    with PartialExport(path, f"conversation {only}" if only else "everything") as draft:
        begin(await export.count(), draft.messages)
        async for piece in export.pieces(draft.mark):
            draft.write(piece.lines, piece.messages, piece.mark)
            told(piece.messages)
    return draft.messages


async def write_person(reader: ExportReader, path: Path, user_id: int, told: Told) -> int:
    """One person's own data."""
    path.with_name(path.name + ".part.json").unlink(missing_ok=True)  # little: it begins anew
    with PartialExport(path, f"person {user_id}") as draft:
        async for lines, messages in person_lines(reader, user_id):
            draft.write(lines, messages, ExportMark())
            told(messages)
    return draft.messages


# One user's own data: what the service knows of them, and all that they have posted; nothing of others. Conversations
# that the user may no longer read are told by id and kind (`deploy/decisions/0043-reading-rule.md`).


async def person_lines(reader: ExportReader, user_id: int) -> AsyncIterator[tuple[bytes, int]]:
    """Lines, and how many messages are among them."""
    names = Names(reader)
    user = await reader.one(queries.read_user, [user_id])
    if user is None:
        raise NobodyThere("such person")
    yield await head_line(reader, "person") + user_line(user), 0
    yield await about_person(reader, user_id), 0
    async for rows in reader.pages(queries.list_own_conversations, {"user": user_id}):
        await names.know(id_ for row in rows for id_ in (row[6], *people_of(row[5])))
        for *row, readable in rows:
            own = own_conversation if readable else left_conversation
            async for lines in own(reader, names, tuple(row), user_id):
                yield lines


async def own_conversation(
    reader: ExportReader, names: Names, row: Row, user_id: int
) -> AsyncIterator[tuple[bytes, int]]:
    """Yield what the user has posted, reacted to and pinned in a conversation that they may read."""
    yield conversation_line(row, names), 0
    async for piece in messages_of(reader, names, row[0], 0, user_id):
        yield piece.lines, piece.messages
    async for lines in own_reactions(reader, names, row[0], user_id):
        yield lines, 0
    yield await rest_of(reader, names, row[0], user_id), 0


async def left_conversation(
    reader: ExportReader, names: Names, row: Row, user_id: int
) -> AsyncIterator[tuple[bytes, int]]:
    """Yield what the user has posted and reacted to in a conversation that they may no longer read.

    Nothing that others did there is told, for it may have happened after the user left.
    """
    yield encode("conversation", id=row[0], kind=row[1]), 0
    async for rows in message_rows(reader, names, row[0], 0, user_id):
        yield b"".join(message_line(row[0], as_left(one, user_id), names) for one in rows), len(rows)
    async for lines in own_reactions(reader, names, row[0], user_id):
        yield lines, 0


def as_left(row: Row, user_id: int) -> Row:
    """Return the message without what others did to it: their reactions, and its deletion by one of them."""
    *fields, files = row
    edits = fields[14] or []
    if fields[6] and edits and edits[-1][1] != user_id:
        fields[3], fields[6] = edits[-1][0], None
    fields[13], fields[14] = None, [edit for edit in edits if edit[1] == user_id]
    return (*fields, files)


async def own_reactions(reader: ExportReader, names: Names, conversation: int, user_id: int) -> AsyncIterator[bytes]:
    """Yield the user's reactions in a conversation."""
    async for rows in reader.pages(queries.list_reactions, {"conversation": conversation, "user": user_id}):
        await names.know(one[0] for one in rows)
        yield b"".join(
            encode("reaction", conversation=conversation, message=ref(one[0], one[1], names), emoji=one[2])
            for one in rows
        )


async def about_person(reader: ExportReader, user_id: int) -> bytes:
    """Logins with their addresses, the status, blocks, reports."""
    lines = []
    async for rows in reader.pages(queries.list_logins, [user_id]):
        for device, address, created_at, last_seen_at, expires_at, ended_at in rows:
            times = {"created_at": created_at, "last_seen_at": last_seen_at, "expires_at": expires_at}
            lines.append(encode("login", device=device, address=address, **times, ended_at=ended_at))
    if status := await reader.one(queries.read_status, [user_id]):
        lines.append(encode("status", mode=status[0], text=status[1], emoji=status[2]))
    async for rows in reader.pages(queries.list_own_blocks, [user_id]):
        lines += [encode("blocked", user=row[0], at=row[1]) for row in rows]
    async for rows in reader.pages(queries.list_own_reports, [user_id]):
        lines += [encode("report", conversation=row[0], reason=row[1], at=row[2], outcome=row[3]) for row in rows]
    return b"".join(lines)
