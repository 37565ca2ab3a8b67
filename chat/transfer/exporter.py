"""An export: everything, or one conversation, as lines in an order that can come in again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

from chat.exchange.export.lines import conversation_line, encode, message_line, people_in, people_of, ref, user_line
from chat.exchange.export.names import Names
from chat.exchange.export.reader import Reader, Row
from chat.exchange.record import VERSION
from chat.exchange.wording import digest
from chat.shared.sql import load

queries = load(__file__)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where an export has come to: all before this conversation, and of it the messages up to this seq."""

    conversation: int = 0
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines, how many messages are among them, and where one may go on behind them."""

    lines: bytes
    messages: int
    mark: Mark


class Export:
    """Pieces, from a mark on. `only`: the one conversation."""

    def __init__(self, reader: Reader, only: int | None) -> None:
        self._reader, self._only, self._names = reader, only, Names(reader)

    async def count(self) -> int:
        """How many messages there are."""
        row = await self._reader.one(queries.count_everything, {"only": self._only})
        return int(row[0]) if row else 0

    async def pieces(self, mark: Mark) -> AsyncIterator[Piece]:
        """From the beginning, or from where it stopped."""
        if mark == Mark():
            yield Piece(await head_line(self._reader, "everything" if self._only is None else "conversation"), 0, mark)
            async for rows in self._reader.pages(queries.list_users, {"only": self._only}):
                yield Piece(b"".join(map(user_line, rows)), 0, mark)
            if self._only is None:
                async for rows in self._reader.pages(queries.list_blocks, None):
                    yield Piece(b"".join(encode("block", user=row[0], blocked=row[1]) for row in rows), 0, mark)
        asked = {"first": mark.conversation, "only": self._only}
        async for rows in self._reader.pages(queries.list_conversations, asked):
            await self._names.know(user for row in rows for user in (row[6], *people_of(row[5])))
            for row in rows:
                async for piece in self._conversation(row, mark):
                    yield piece

    async def _conversation(self, row: Row, mark: Mark) -> AsyncIterator[Piece]:
        id_, seq = row[0], mark.seq if row[0] == mark.conversation else 0
        if not seq:
            yield Piece(conversation_line(row, self._names), 0, Mark(id_))
        async for piece in messages_of(self._reader, self._names, id_, seq, None):
            yield piece
        yield Piece(await rest_of(self._reader, self._names, id_, None), 0, Mark(id_ + 1))


async def head_line(reader: Reader, scope: str) -> bytes:
    """What the file is."""
    row = await reader.one(queries.read_source)
    system, _, database = str(row[0] if row else "").split("/")
    return encode("tandem", version=VERSION, source=digest(system, database), scope=scope, at=datetime.now(UTC))


async def messages_of(
    reader: Reader, names: Names, conversation: int, after: int, author: int | None
) -> AsyncIterator[Piece]:
    """Its messages after a seq; those of one author alone, if so."""
    async for rows in message_rows(reader, names, conversation, after, author):
        lines = b"".join(message_line(conversation, row, names) for row in rows)
        yield Piece(lines, len(rows), Mark(conversation, rows[-1][0]))


async def message_rows(
    reader: Reader, names: Names, conversation: int, after: int, author: int | None
) -> AsyncIterator[list[Row]]:
    """Yield pages of message rows after a seq, of one author if given; the users they name are known then."""
    asked = {"conversation": conversation, "after": after, "author": author}
    async for rows in reader.pages(queries.list_messages, asked):
        await names.know(user for row in rows for user in people_in(row))
        yield rows


async def rest_of(reader: Reader, names: Names, conversation: int, user: int | None) -> bytes:
    """What hangs on a conversation beside its messages; what is one user's alone, if so.

    Users do not learn why they were banned and by whom: that is for those who run the conversation.
    """
    asked, lines, place = {"conversation": conversation, "user": user}, [], {"conversation": conversation}
    async for author, client_id, by in rows_of(reader, names, queries.list_pins, asked, (0, 2)):
        lines.append(encode("pin", **place, message=ref(author, client_id, names), user=names[by]))
    async for row in rows_of(reader, names, queries.list_members, asked, (0, 3)):
        lines.append(member_line(conversation, row, names))
    async for one, *refs in rows_of(reader, names, queries.list_follows, asked, (0, 1, 3)):
        thread, read = ref(refs[0], refs[1], names), ref(refs[2], refs[3], names)
        lines.append(encode("follow", **place, user=names[one], thread=thread, read=read))
    async for one, by, reason, at in rows_of(reader, names, queries.list_bans, asked, (0, 1)):
        told = {} if user else {"by": names[by], "reason": reason}
        lines.append(encode("ban", **place, user=names[one], **told, at=at))
    return b"".join(lines)


async def rows_of(
    reader: Reader, names: Names, query: bytes, asked: dict[str, int | None], people: tuple[int, ...]
) -> AsyncIterator[Row]:
    """The rows of a query, of whose columns some are people; these are known when the row comes."""
    async for rows in reader.pages(query, asked):
        await names.know(row[column] for row in rows for column in people)
        for row in rows:
            yield row


def member_line(conversation: int, row: Row, names: Names) -> bytes:
    """Somebody in it; what is as usual is left out."""
    user, role, joined_at, author, client_id, level, muted_until = row
    fields = {"role": role if role != "member" else "", "joined_at": joined_at, "read": ref(author, client_id, names)}
    level = level if level != "all" else ""
    return encode("member", conversation=conversation, user=names[user], **fields, level=level, muted_until=muted_until)
