"""Writing exports to files, and a user's own data.

An export file is complete or absent. Until it is complete, it is called `….part`, and `….part.json` records its state.
"""

import os
import shutil
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import SpooledTemporaryFile

import orjson

from chat.files.models import File, Span, StorageAway
from chat.files.uploads import Uploads
from chat.shared.sql import load
from chat.transfer.errors import FileTaken, NothingToExport
from chat.transfer.exporter import (
    Export,
    ExportMark,
    ExportReader,
    Names,
    Row,
    avatar_path,
    conversation_line,
    emoji_path,
    encode,
    file_path,
    header_line,
    message_line,
    message_rows,
    messages_of,
    other_lines,
    ref,
    user_line,
    users_of,
)

queries = load(__file__)
Progress = Callable[[int], None]  # gets numbers of messages
SPOOL = 8 * 1024 * 1024  # bytes of one file in memory


class PartialExport:
    """The unfinished file. It is resumed only if `what` is exported is the same."""

    def __init__(self, path: Path, what: str) -> None:
        self._path, self._what = path, what
        self._part, self._state_file = path.with_name(path.name + ".part"), path.with_name(path.name + ".part.json")
        self.mark, self.messages, self._size = ExportMark(), 0, 0
        if path.exists():
            raise FileTaken(path)
        if self._part.exists() and self._state_file.exists():
            self._resume(orjson.loads(self._state_file.read_bytes()))

    def _resume(self, state: dict[str, object]) -> None:
        if state["what"] != self._what:
            raise FileTaken(self._part)
        self.mark, self._size = ExportMark(**state["mark"]), int(str(state["size"]))  # type: ignore[arg-type]
        self.messages = int(str(state["messages"]))

    def __enter__(self) -> "PartialExport":
        self._file = self._part.open("r+b" if self._size else "wb")
        self._file.truncate(self._size)
        self._file.seek(self._size)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        if kind is None:
            self._part.rename(self._path)
            self._state_file.unlink(missing_ok=True)

    def write(self, lines: bytes, messages: int, mark: ExportMark) -> None:
        """Write lines, then record the new state. After a kill in between, the same bytes are written again."""
        self._file.write(lines)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._size += len(lines)
        self.messages += messages
        self.mark = mark
        state = {"what": self._what, "mark": asdict(mark), "size": self._size, "messages": self.messages}
        fresh = self._state_file.with_suffix(".new")
        fresh.write_bytes(orjson.dumps(state))
        fresh.rename(self._state_file)


async def write_export(
    reader: ExportReader, path: Path, only: int | None, on_start: Callable[[int, int], None], on_progress: Progress
) -> int:
    """Export everything or one conversation. Return the number of messages.

    `on_start` gets the total number of messages and the number already exported, `on_progress` each number added.
    """
    export = Export(reader, only)
    with PartialExport(path, f"conversation {only}" if only else "everything") as draft:
        on_start(await export.count(), draft.messages)
        async for piece in export.pieces(draft.mark):
            draft.write(piece.lines, piece.messages, piece.mark)
            on_progress(piece.messages)
    return draft.messages


async def write_archive(
    reader: ExportReader,
    uploads: Uploads,
    path: Path,
    only: int | None,
    on_start: Callable[[int, int], None],
    on_progress: Progress,
) -> tuple[int, int]:
    """Export to a ZIP with the lines and the bytes of files, avatars and custom emoji.

    Return the numbers of messages and of files whose bytes are missing. After a kill, the ZIP begins again.
    """
    lines, draft = archive_parts(path)
    messages = await write_export(reader, lines, only, on_start, on_progress)
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        first = member("export.jsonl", zipfile.ZIP_DEFLATED)
        with lines.open("rb") as source, archive.open(first, "w", force_zip64=True) as to:
            shutil.copyfileobj(source, to)
        missing = await pack_files(reader, uploads, archive, only)
    draft.rename(path)
    lines.unlink()
    return messages, missing


def archive_parts(path: Path) -> tuple[Path, Path]:
    """Return where the lines and the ZIP are until it is complete. Raise `FileTaken` if it exists."""
    if path.exists():
        raise FileTaken(path)
    lines = path.with_name(path.name + ".jsonl")
    lines.unlink(missing_ok=True)
    return lines, path.with_name(path.name + ".part")


async def pack_files(reader: ExportReader, uploads: Uploads, archive: zipfile.ZipFile, only: int | None) -> int:
    """Add avatars, custom emoji and files to the archive. Return the number of files whose bytes are missing."""
    missing = 0
    async for rows in reader.pages(queries.list_avatars, {"only": only}):
        for user_id, picture in rows:
            archive.writestr(member(avatar_path(user_id)), bytes(picture))
    if only is None:
        async for rows in reader.pages(queries.list_emoji_pictures, None):
            for name, picture in rows:
                archive.writestr(member(emoji_path(name)), bytes(picture))
    async for rows in reader.pages(queries.list_files, {"only": only}):
        for conversation, seq, number, id_, name, size in rows:
            file = File(id_, 0, name, size, size, "", None, None, False, True)
            packed = await pack(archive, file_path(conversation, seq, number), uploads.read(file, Span(0, size)), size)
            missing += not packed
    return missing


async def pack(archive: zipfile.ZipFile, name: str, blocks: AsyncIterator[bytes], size: int) -> bool:
    """Add a file to the archive. Return whether the store had all its bytes; a part is not added."""
    with SpooledTemporaryFile(max_size=SPOOL) as draft:
        try:
            async for block in blocks:
                draft.write(block)
        except StorageAway:
            return False
        if draft.tell() != size:
            return False
        draft.seek(0)
        with archive.open(member(name), "w", force_zip64=True) as to:
            shutil.copyfileobj(draft, to)
    return True


def member(name: str, compression: int = zipfile.ZIP_STORED) -> zipfile.ZipInfo:
    """Return the entry of an archive: without a time, so that equal exports have equal bytes."""
    info = zipfile.ZipInfo(name)
    info.compress_type = compression
    info.external_attr = 0o600 << 16
    return info


async def write_user(reader: ExportReader, path: Path, user_id: int, on_progress: Progress) -> int:
    """Export a user's own data. Return the number of messages."""
    path.with_name(path.name + ".part.json").unlink(missing_ok=True)  # small, so it starts again
    with PartialExport(path, f"person {user_id}") as draft:
        async for lines, messages in user_lines(reader, user_id):
            draft.write(lines, messages, ExportMark())
            on_progress(messages)
    return draft.messages


# A user's own data: what the service stores about them and what they posted, nothing of others. Conversations that
# they may no longer read are included by id and kind only (`deploy/decisions/0043-reading-rule.md`).


async def user_lines(reader: ExportReader, user_id: int) -> AsyncIterator[tuple[bytes, int]]:
    """Yield lines, and the number of messages among them."""
    names = Names(reader)
    user = await reader.one(queries.read_user, [user_id])
    if user is None:
        raise NothingToExport("such user")
    yield await header_line(reader, "person") + user_line(user), 0
    yield await account_lines(reader, user_id), 0
    async for rows in reader.pages(queries.list_own_conversations, {"user": user_id}):
        await names.load(id_ for row in rows for id_ in (row[6], *users_of(row[5])))
        for *row, readable in rows:
            own = own_conversation if readable else left_conversation
            async for lines in own(reader, names, tuple(row), user_id):
                yield lines


async def own_conversation(
    reader: ExportReader, names: Names, row: Row, user_id: int
) -> AsyncIterator[tuple[bytes, int]]:
    """Yield what the user has posted, reacted to, pinned and saved in a conversation that they may read."""
    yield conversation_line(row, names), 0
    async for piece in messages_of(reader, names, row[0], 0, user_id):
        yield piece.lines, piece.messages
    async for lines in own_reactions(reader, names, row[0], user_id):
        yield lines, 0
    async for rows in reader.pages(queries.list_saved, {"conversation": row[0], "user": user_id}):
        await names.load(one[0] for one in rows)
        yield b"".join(saved_line(row[0], one, names) for one in rows), 0
    yield await other_lines(reader, names, row[0], user_id), 0


def saved_line(conversation: int, row: Row, names: Names) -> bytes:
    """Return the record of a message that the user has saved for later."""
    author, client_id, saved_at, done = row
    return encode(
        "saved", conversation=conversation, message=ref(author, client_id, names), saved_at=saved_at, done=done
    )


async def left_conversation(
    reader: ExportReader, names: Names, row: Row, user_id: int
) -> AsyncIterator[tuple[bytes, int]]:
    """Yield what the user has posted and reacted to in a conversation that they may no longer read.

    Actions of others there are left out, because they may have happened after the user left.
    """
    yield encode("conversation", id=row[0], kind=row[1]), 0
    async for rows in message_rows(reader, names, row[0], 0, user_id):
        yield b"".join(message_line(row[0], without_others(one, user_id), names) for one in rows), len(rows)
    async for lines in own_reactions(reader, names, row[0], user_id):
        yield lines, 0


def without_others(row: Row, user_id: int) -> Row:
    """Return the message without what others did to it: their reactions, and a deletion by another user."""
    fields = list(row)
    edits = fields[14] or []
    if fields[6] and edits and edits[-1][1] != user_id:
        fields[3], fields[6] = edits[-1][0], None
    fields[13], fields[14] = None, [edit for edit in edits if edit[1] == user_id]
    return tuple(fields)


async def own_reactions(reader: ExportReader, names: Names, conversation: int, user_id: int) -> AsyncIterator[bytes]:
    """Yield the user's reactions in a conversation."""
    async for rows in reader.pages(queries.list_reactions, {"conversation": conversation, "user": user_id}):
        await names.load(one[0] for one in rows)
        yield b"".join(
            encode("reaction", conversation=conversation, message=ref(one[0], one[1], names), emoji=one[2])
            for one in rows
        )


async def account_lines(reader: ExportReader, user_id: int) -> bytes:
    """Return sessions with addresses, the status, the sidebar, blocks, reminders, scheduled messages and reports."""
    lines = []
    async for rows in reader.pages(queries.list_sessions, [user_id]):
        for device, address, created_at, last_seen_at, expires_at, ended_at in rows:
            times = {"created_at": created_at, "last_seen_at": last_seen_at, "expires_at": expires_at}
            lines.append(encode("login", device=device, address=address, **times, ended_at=ended_at))
    if status := await reader.one(queries.read_status, [user_id]):
        lines.append(encode("status", mode=status[0], text=status[1], emoji=status[2]))
    if sidebar := await reader.one(queries.read_sidebar, [user_id]):
        lines.append(encode("sidebar", **sidebar[0]))
    async for rows in reader.pages(queries.list_own_blocks, [user_id]):
        lines += [encode("blocked", user=row[0], at=row[1]) for row in rows]
    async for rows in reader.pages(queries.list_own_reminders, [user_id]):
        lines += [encode("reminder", text=row[0], at=row[1], conversation=row[2], created_at=row[3]) for row in rows]
    async for rows in reader.pages(queries.list_own_scheduled, [user_id]):
        lines += [
            encode("scheduled", at=row[0], conversation=row[1], message=orjson.loads(row[2]), created_at=row[3])
            for row in rows
        ]
    async for rows in reader.pages(queries.list_own_reports, [user_id]):
        lines += [encode("report", conversation=row[0], reason=row[1], at=row[2], outcome=row[3]) for row in rows]
    return b"".join(lines)
