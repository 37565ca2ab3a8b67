"""Finding: a page of messages that answer a question, the newest first, out of what somebody may read."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from chat.messages.commit import queries as message_queries
from chat.messages.message import Message
from chat.search.highlight import highlight
from chat.search.lexemes import encode_rest, encode_what, encode_when, encode_where
from chat.search.question import Question
from chat.search.windows import windows_below
from chat.shared.postgres import Connection, Pool
from chat.shared.queries import load

queries = load(__file__)
# A conversation is one more list for the index to follow at every hit, which costs as much as to throw ten hits away.
LIST_COST, COST_MOST, KEYED_MOST = 10, 100, 256


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to look. `head`: the log's end; `authors`: None for everybody; `said`: how much, in all these places."""

    head: int
    authors: list[int] | None
    conversations: list[int]
    said: int

    def keyed(self) -> list[int]:
        """The conversations that the index is to be asked for; none: what it finds is checked for them."""
        number = len(self.conversations)
        worth = self.said * min(number * LIST_COST, COST_MOST) < self.head
        return self.conversations if worth and number <= KEYED_MOST else []


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
    """Messages, and the position below which the next page goes on."""

    messages: list[Message]
    next: int | None

    def encode(self, question: Question) -> bytes:
        """`{results:[{message, highlight}], next}`; `next` is null on the last page."""
        results = [
            {"message": orjson.Fragment(message.encode()), "highlight": highlight(message.body, question.wanted)}
            for message in self.messages
        ]
        return orjson.dumps({"results": results, "next": None if self.next is None else f"p{self.next}"})


async def find(pool: Pool, user_id: int, asked: Asked) -> Found:
    """The page. What is neither readable nor there is not found, and that is no error."""
    async with pool.connection() as connection:
        return await find_on(connection, user_id, asked)


async def find_on(connection: Connection, user_id: int, asked: Asked) -> Found:
    """As `find`, in three round trips."""
    scope = await read_scope(connection, user_id, asked)
    if not scope.conversations or scope.authors == []:
        return Found([], None)
    rows = await find_places(connection, user_id, asked, scope)
    page = rows[: asked.limit]
    messages = await read_messages(connection, [(conversation_id, seq) for _, conversation_id, seq in page])
    return Found(messages, page[-1][0] if len(rows) > asked.limit else None)


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
    head, named, conversations, said = row
    authors = [*named, *([] if asked.author is None else [asked.author])]
    return Scope(head, authors if question.names or asked.author is not None else None, conversations, said)


async def find_places(connection: Connection, user_id: int, asked: Asked, scope: Scope) -> list[tuple[int, int, int]]:
    """`(position, conversation, seq)`, the newest first: one more than the page holds, if there are more."""
    fields = encode_fields(asked, scope)
    fields |= {"user": user_id, "conversations": scope.conversations, "limit": asked.limit + 1}
    rows = await (await connection.execute(queries.find_places, fields, binary=True)).fetchall()
    return [(row[0], row[1], row[2]) for row in rows]


async def read_messages(connection: Connection, places: Sequence[tuple[int, int]]) -> list[Message]:
    """Those that have not been deleted meanwhile, in the order of their places."""
    asked = [[place[0] for place in places], [place[1] for place in places]]
    rows = await (await connection.execute(message_queries.read_messages, asked, binary=True)).fetchall()
    messages = {(row[0], row[1]): Message(*row) for row in rows}
    return [message for place in places if (message := messages.get(place)) and not message.deleted]


def encode_fields(asked: Asked, scope: Scope) -> dict[str, object]:
    """The question as the index is asked; where one side of it is open, another side stands in for it."""
    question = asked.question
    what = encode_what(question, scope.authors or [])
    where = encode_where(scope.keyed())
    when = encode_when(question)
    some = what or where or when
    fields: dict[str, object] = {"what": what or some, "where": where or some, "when": when or some}
    for n, window in enumerate(windows_below(scope.head + 1 if asked.below is None else asked.below), 1):
        fields |= {f"below{n}": window.below, f"window{n}": window.key or some}
    return fields | {"rest": encode_rest(question), "after": question.after, "before": question.before}
