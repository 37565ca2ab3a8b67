"""Finding: a page of messages that answer a question, the newest first, out of what somebody may read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from chat.messages.message import Message
from chat.search.highlight import highlight
from chat.search.lexemes import encode_rest, encode_what, encode_when, encode_where
from chat.search.question import Question
from chat.search.windows import windows_below
from chat.shared.postgres import Connection, Pool
from chat.shared.queries import load

queries = load(__file__)
# In the index each conversation is one key more to look up; who is in more than these sees much of what there is.
KEYED_MOST = 64


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to look: `head` is the log's end; `authors` is None for everybody."""

    head: int
    authors: list[int] | None
    conversations: list[int]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question beside its fields: ids of an author and a conversation, and the position that a page went down to."""

    question: Question
    author: int | None = None
    conversation: int | None = None
    below: int | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Found:
    """Messages with their positions; `next` continues below."""

    messages: list[tuple[int, Message]]
    next: int | None

    def encode(self, question: Question) -> bytes:
        """`{results:[{message, highlight}], next}`; `next` is null on the last page."""
        results = [
            {"message": orjson.Fragment(message.encode()), "highlight": highlight(message.body, question.wanted)}
            for _, message in self.messages
        ]
        return orjson.dumps({"results": results, "next": None if self.next is None else f"p{self.next}"})


async def find(pool: Pool, user_id: int, asked: Asked) -> Found:
    """The page. What is neither readable nor there is not found, and that is no error."""
    async with pool.connection() as connection:
        scope = await read_scope(connection, user_id, asked)
        if not scope.conversations or scope.authors == []:
            return Found([], None)
        rows = await find_rows(connection, user_id, asked, scope)
    messages = [(row[0], Message(*row[1:])) for row in rows[: asked.limit]]
    more = messages[-1][0] if len(rows) > asked.limit else None
    return Found([(position, message) for position, message in messages if not message.deleted], more)


async def read_scope(connection: Connection, user_id: int, asked: Asked) -> Scope:
    """Names become ids."""
    question, one = asked.question, asked.conversation
    fields = {
        "user": user_id,
        "names": [name.lower() for name in question.names],
        "places": [name.lower() for name in question.places],
        "named": bool(question.places) or one is not None,
        "ids": [] if one is None else [one],
    }
    row = await (await connection.execute(queries.read_scope, fields)).fetchone()
    assert row is not None
    head, named, conversations = row
    authors = [*named, *([] if asked.author is None else [asked.author])]
    return Scope(head, authors if question.names or asked.author is not None else None, conversations)


async def find_rows(connection: Connection, user_id: int, asked: Asked, scope: Scope) -> Sequence[tuple[Any, ...]]:
    """One more than the page holds, if there are more."""
    fields = encode_fields(asked, scope)
    fields |= {"user": user_id, "conversations": scope.conversations, "limit": asked.limit + 1}
    return await (await connection.execute(queries.find_messages, fields, binary=True)).fetchall()


def encode_fields(asked: Asked, scope: Scope) -> dict[str, object]:
    """The question as the index is asked; where one side of it is open, another side stands in for it."""
    question = asked.question
    what = encode_what(question, scope.authors or [])
    where = encode_where(scope.conversations) if len(scope.conversations) <= KEYED_MOST else ""
    when = encode_when(question)
    some = what or where or when
    fields: dict[str, object] = {"what": what or some, "where": where or some, "when": when or some}
    for n, window in enumerate(windows_below(scope.head + 1 if asked.below is None else asked.below), 1):
        fields |= {f"below{n}": window.below, f"window{n}": window.key or some}
    return fields | {"rest": encode_rest(question), "after": question.after, "before": question.before}
