"""Exports of everything or of one conversation: JSON lines, in an order that can be imported again."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

import orjson
import psycopg
from psycopg import AsyncServerCursor

from chat.model.types import format_time
from chat.shared.postgres import Connection
from chat.shared.sql import load
from chat.transfer.records import VERSION
from chat.transfer.text import digest

queries = load(__file__)
PAGE = 2_000
MAX_CACHED = 100_000
Row = tuple[Any, ...]
Parameters = Sequence[Any] | Mapping[str, Any] | None


class ExportReader:
    """Reads from one snapshot of the database, through server-side cursors, a page at a time.

    `with_files`: records say where the archive has the bytes of files, avatars and custom emoji.
    """

    def __init__(self, connection: Connection, with_files: bool = False) -> None:
        self._connection, self.with_files = connection, with_files
        self._numbers = count(1)
        self._cursors: list[AsyncServerCursor[Row]] = []

    async def pages(self, query: bytes, parameters: Parameters) -> AsyncIterator[list[Row]]:
        """Yield the rows of a query, up to 2,000 at a time."""
        cursor = self._connection.cursor(name=f"export_{next(self._numbers)}")
        self._cursors.append(cursor)
        await cursor.execute(query, parameters)
        while rows := await cursor.fetchmany(PAGE):
            yield rows
        self._cursors.remove(cursor)
        await cursor.close()

    async def close(self) -> None:
        """Close cursors that were not read to their end."""
        for cursor in self._cursors:
            await cursor.close()

    async def one(self, query: bytes, parameters: Parameters = None) -> Row | None:
        """Return the first row, if any."""
        return await (await self._connection.execute(query, parameters)).fetchone()

    async def read_names(self, user_ids: Sequence[int]) -> list[tuple[int, str]]:
        """Return `(id, name)` of the users that exist."""
        rows = await (await self._connection.execute(queries.read_names, [list(user_ids)])).fetchall()
        return [(row[0], row[1]) for row in rows]


@asynccontextmanager
async def open_reader(database_url: str, with_files: bool = False) -> AsyncIterator[ExportReader]:
    """Yield a reader on a connection of its own: an export may take longer than any other query."""
    # Nothing is prepared: a pooler may hand this session to another client.
    opening = psycopg.AsyncConnection.connect(database_url, autocommit=True, connect_timeout=5, prepare_threshold=None)
    async with await opening as connection:
        await connection.execute(queries.set_timeouts)
        await connection.execute(queries.begin_snapshot)
        reader = ExportReader(connection, with_files)
        try:
            yield reader
        finally:
            await reader.close()


class Names:
    """Names of users by id, cached. Unknown ones are read together."""

    def __init__(self, reader: ExportReader) -> None:
        self._reader = reader
        self._names: dict[int, str] = {}

    def __getitem__(self, user_id: int) -> str:
        return self._names[user_id]

    async def load(self, user_ids: Iterable[int | None]) -> None:
        """Load the names of these users."""
        missing = {id_ for id_ in user_ids if id_ is not None and id_ not in self._names}
        if not missing:
            return
        if len(self._names) > MAX_CACHED:
            self._names.clear()
        self._names |= dict(await self._reader.read_names(sorted(missing)))


@dataclass(frozen=True, slots=True)
class ExportMark:
    """The state of an export: all conversations before this one are done, and its messages up to this seq."""

    conversation: int = 0
    seq: int = 0


@dataclass(frozen=True, slots=True)
class ExportPiece:
    """Lines, the number of messages among them, and the mark to resume from after them."""

    lines: bytes
    messages: int
    mark: ExportMark


class Export:
    """An export in pieces. `only`: one conversation instead of everything."""

    def __init__(self, reader: ExportReader, only: int | None) -> None:
        self._reader, self._only, self._names = reader, only, Names(reader)

    async def count(self) -> int:
        """Return the number of messages."""
        row = await self._reader.one(queries.count_everything, {"only": self._only})
        return int(row[0]) if row else 0

    async def pieces(self, mark: ExportMark) -> AsyncIterator[ExportPiece]:
        """Yield pieces, from the start or from a mark."""
        if mark == ExportMark():
            yield ExportPiece(
                await header_line(self._reader, "everything" if self._only is None else "conversation"), 0, mark
            )
            async for rows in self._reader.pages(queries.list_users, {"only": self._only}):
                yield ExportPiece(b"".join(user_line(row, self._reader.with_files) for row in rows), 0, mark)
            if self._only is None:
                async for rows in self._reader.pages(queries.list_blocks, None):
                    yield ExportPiece(b"".join(encode("block", user=row[0], blocked=row[1]) for row in rows), 0, mark)
                async for rows in self._reader.pages(queries.list_emoji, None):
                    yield ExportPiece(b"".join(emoji_line(row, self._reader.with_files) for row in rows), 0, mark)
        parameters = {"first": mark.conversation, "only": self._only}
        async for rows in self._reader.pages(queries.list_conversations, parameters):
            await self._names.load(user for row in rows for user in (row[6], *users_of(row[5])))
            for row in rows:
                async for piece in self._conversation(row, mark):
                    yield piece

    async def _conversation(self, row: Row, mark: ExportMark) -> AsyncIterator[ExportPiece]:
        id_, seq = row[0], mark.seq if row[0] == mark.conversation else 0
        if not seq:
            yield ExportPiece(conversation_line(row, self._names), 0, ExportMark(id_))
        async for piece in messages_of(self._reader, self._names, id_, seq, None):
            yield piece
        yield ExportPiece(await other_lines(self._reader, self._names, id_, None), 0, ExportMark(id_ + 1))


async def header_line(reader: ExportReader, scope: str) -> bytes:
    """Return the first line, which describes the file."""
    row = await reader.one(queries.read_source)
    return encode("tandem", version=VERSION, source=source_of(row), scope=scope, at=datetime.now(UTC))


def source_of(row: Row | None) -> str:
    """Return the short name of a database, from its row of `read_source`."""
    system, _, database = str(row[0] if row else "").split("/")
    return digest(system, database)


async def read_origin(connection: Connection) -> str:
    """Return the origin that an import gives to exports of this database."""
    return f"tandem:{source_of(await (await connection.execute(queries.read_source)).fetchone())}"


async def messages_of(
    reader: ExportReader, names: Names, conversation: int, after: int, author: int | None
) -> AsyncIterator[ExportPiece]:
    """Yield the messages of a conversation after a seq, by one author if given."""
    async for rows in message_rows(reader, names, conversation, after, author):
        lines = b"".join(message_line(conversation, row, names, reader.with_files) for row in rows)
        yield ExportPiece(lines, len(rows), ExportMark(conversation, rows[-1][0]))


async def message_rows(
    reader: ExportReader, names: Names, conversation: int, after: int, author: int | None
) -> AsyncIterator[list[Row]]:
    """Yield pages of message rows after a seq, of one author if given. The users they name are loaded."""
    parameters = {"conversation": conversation, "after": after, "author": author}
    async for rows in reader.pages(queries.list_messages, parameters):
        await names.load(user for row in rows for user in users_in(row))
        yield rows


async def other_lines(reader: ExportReader, names: Names, conversation: int, user: int | None) -> bytes:
    """Return all other records of a conversation, or only one user's if given.

    Users do not learn why and by whom they were banned: only owners and admins of the conversation see that.
    """
    parameters, lines = {"conversation": conversation, "user": user}, []
    async for author, client_id, by in rows_of(reader, names, queries.list_pins, parameters, (0, 2)):
        message = ref(author, client_id, names)
        lines.append(encode("pin", conversation=conversation, message=message, user=names[by]))
    async for row in rows_of(reader, names, queries.list_members, parameters, (0, 3)):
        lines.append(member_line(conversation, row, names))
    async for one, *refs in rows_of(reader, names, queries.list_follows, parameters, (0, 1, 3)):
        thread, read = ref(refs[0], refs[1], names), ref(refs[2], refs[3], names)
        lines.append(encode("follow", conversation=conversation, user=names[one], thread=thread, read=read))
    async for one, by, reason, at in rows_of(reader, names, queries.list_bans, parameters, (0, 1)):
        source = {} if user else {"by": names[by], "reason": reason}
        lines.append(encode("ban", conversation=conversation, user=names[one], **source, at=at))
    return b"".join(lines)


async def rows_of(
    reader: ExportReader, names: Names, query: bytes, parameters: dict[str, int | None], users: tuple[int, ...]
) -> AsyncIterator[Row]:
    """Yield the rows of a query. The users in the given columns are loaded."""
    async for rows in reader.pages(query, parameters):
        await names.load(row[column] for row in rows for column in users)
        for row in rows:
            yield row


def member_line(conversation: int, row: Row, names: Names) -> bytes:
    """Return the record of a member, without default values."""
    user, role, joined_at, author, client_id, level, chosen, muted_until = row
    fields = {"role": role if role != "member" else "", "joined_at": joined_at, "read": ref(author, client_id, names)}
    level = level if chosen or level != "all" else ""
    return encode("member", conversation=conversation, user=names[user], **fields, level=level, muted_until=muted_until)


# Lines: database rows as records (records.py).


def encode(type_: str, **fields: object) -> bytes:
    """Return one line. Empty fields are left out, as records expect. Times are formatted as in the API."""
    filled = {
        name: format_time(value) if isinstance(value, datetime) else value
        for name, value in fields.items()
        if value or name == "body"
    }
    return orjson.dumps({"type": type_} | filled) + b"\n"


def user_line(row: Row, with_files: bool = False) -> bytes:
    """Return the record of an account, without its password."""
    id_, name, display_name, role, about, time_zone, receipts, created_at, disabled_at, email, avatar, *chosen = row
    fields = {"about": about, "time_zone": time_zone, "created_at": created_at, "disabled_at": disabled_at}
    fields |= dict(zip(("language", "notify", "keywords"), chosen, strict=True))
    picture = {"name": "avatar.webp", "path": avatar_path(id_)} if avatar and with_files else None
    first = {"id": str(id_), "name": name.lower(), "display_name": display_name, "email": email, "avatar": picture}
    line = encode("user", **first, role=role if role != "member" else "", **fields)
    return line if receipts else line[:-2] + b',"receipts":false}\n'


def emoji_line(row: Row, with_files: bool) -> bytes:
    """Return the record of a custom emoji."""
    name, user, created_at = row
    picture = {"name": f"{name}.webp"} | ({"path": emoji_path(name)} if with_files else {})
    return encode("emoji", name=name, picture=picture, user=user, created_at=created_at)


def emoji_path(name: str) -> str:
    """Return the place of the picture of a custom emoji in an archive."""
    return f"emoji/{name}.webp"


def avatar_path(user_id: int) -> str:
    """Return the place of an avatar in an archive."""
    return f"avatars/{user_id}.webp"


def file_path(conversation: int, seq: int, number: int) -> str:
    """Return the place of a message's file in an archive, the same after an import into an empty server."""
    return f"files/{conversation}/{seq}-{number}"


def conversation_line(row: Row, names: Names) -> bytes:
    """Return the record of a conversation, with the users of a direct message."""
    id_, kind, name, topic, private, pair, created_by, created_at, archived_at, slow, read_only = row
    people = [names[user] for user in users_of(pair)]
    creator = names[created_by] if created_by else None
    fields = {"created_at": created_at, "archived_at": archived_at, "slow": slow, "read_only": read_only}
    shown = {"kind": kind, "name": name, "topic": topic, "private": private}
    return encode("conversation", id=id_, **shown, people=people, created_by=creator, **fields)


def users_of(pair: str | None) -> list[int]:
    """Return the two user ids of a direct message; one for notes to oneself."""
    return list(dict.fromkeys(map(int, pair.split(":")))) if pair else []


def message_line(conversation: int, row: Row, names: Names, with_files: bool = False) -> bytes:
    """Return the record of a message with its reactions, edits and files."""
    seq, author, client_id, body, created_at, edited_at, deleted_at, *refs = row[:11]
    mentions, everyone, reactions, edits, files, type_, data, state, previews = row[11:]
    return encode(
        "message",
        conversation=conversation,
        author=names[author],
        client_id=client_id,
        body=body,
        state=state,
        created_at=created_at,
        edited_at=edited_at,
        deleted_at=deleted_at,
        reply_to=ref(refs[0], refs[1], names),
        thread=ref(refs[2], refs[3], names),
        mentions=[names[user] for user in mentions or ()],
        mentions_all=everyone,
        reactions=[{"emoji": emoji, "users": [names[user] for user in users]} for emoji, users in reactions or ()],
        files=[
            {name: one[name] for name in ("name", "size", "type")}
            | ({"path": file_path(conversation, seq, number)} if with_files else {"id": one["id"]})
            for number, one in enumerate(files or ())
        ],
        edits=[{"body": text, "user": names[user], "at": at} for text, user, at in edits or ()],
        message_type=type_,
        data=orjson.Fragment(data) if data else None,
        previews=previews,
    )


def users_in(row: Row) -> list[int]:
    """Return all users that a message's row names."""
    reactions, edits = row[13] or (), row[14] or ()
    named = [row[1], row[7], row[9], *(row[11] or ())]
    return [*named, *(user for _, users in reactions for user in users), *(user for _, user, _ in edits)]


def ref(author: int | None, client_id: str | None, names: Names) -> dict[str, Any] | None:
    """Return a reference to a message that is valid in every database: its author and client id."""
    return None if author is None else {"author": names[author], "client_id": client_id}
