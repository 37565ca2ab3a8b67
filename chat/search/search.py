"""Finding: a page of messages that answer a question, the newest first, out of what somebody may read."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson

from chat.messages.history import read_messages
from chat.model.message import Message
from chat.search.highlight import Budget, highlight
from chat.search.lexemes import Line, encode_rest, encode_what, encode_when, encode_where, log_line, own_line
from chat.search.query import LAST, SearchQuery
from chat.shared.postgres import Connection, Pool
from chat.shared.sql import load

queries = load(__file__)

WORK_AT_ONCE = 5_000  # of highlighting, about 5 ms, before other tasks of the node run

# A conversation is one more list for the index to follow at every hit, which costs as much as to throw ten hits away.
LIST_COST, COST_MOST, KEYED_MOST = 10, 100, 256

ANYTHING = "!'@'"  # no message has this key; the index does not go through all messages for it

# Of one conversation: so many it takes to fill a page with a word that every tenth message has, or with a phrase.
NEWEST, NEWEST_FOR_PHRASE, SPARSE = 256, 8192, 20

Row = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class SearchScope:
    """Where to look. `head`: the log's end; `days`: the stretch of it in which those are that are asked for; `whole`:
    is everything found by all its keys? `authors`: None for everybody; `said`: how much, in all these places."""

    head: int
    whole: bool
    days: tuple[int, int]
    authors: list[int] | None
    conversations: list[int]
    said: int

    def keyed(self) -> list[int]:
        """The conversations that the index is to be asked for; none: what it finds is checked for them."""
        number = len(self.conversations)
        worth = self.said * min(number * LIST_COST, COST_MOST) < self.head
        return self.conversations if worth and number <= KEYED_MOST else []

    def newest(self, question: SearchQuery) -> int:
        """How many of a conversation's newest messages are looked at one by one. The index reads all that is said
        elsewhere between two of them of each word of a phrase: where that is much, looking at each is faster."""
        phrase = any(len(one.terms) > 1 for one in question.wanted)
        return NEWEST_FOR_PHRASE if phrase and self.said * SPARSE < self.head else NEWEST

    def line(self, question: SearchQuery) -> Line:
        """Along which to look: one conversation by its own numbers, unless its end is not where to begin."""
        if len(self.conversations) == 1 and self.whole and question.before == LAST:
            return own_line(self.conversations[0], self.said)
        return log_line(*(self.days if self.whole and question.timed else (1, self.head)), self.whole)


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A question beside its fields: ids of an author and a conversation, and the place that a page went down to, with
    the mark of its line."""

    question: SearchQuery
    author: int | None = None
    conversation: int | None = None
    below: tuple[str, int] | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class SearchResults:
    """Messages, and the place below which the next page goes on, with the mark of its line."""

    messages: list[Message]
    next: str | None

    async def encode(self, question: SearchQuery) -> bytes:
        """Return `{results:[{message, highlight}], next}`; `next` is null on the last page.

        Highlighting yields to the loop in between, and is left out once its budget for the answer is used up.
        """
        budget, results = Budget(), []
        rest = budget.left - WORK_AT_ONCE
        for message in self.messages:
            shown = highlight(message.body, question.wanted, budget)
            results.append({"message": orjson.Fragment(message.encode()), "highlight": shown})
            if budget.left < rest:
                rest = budget.left - WORK_AT_ONCE
                await asyncio.sleep(0)
        return orjson.dumps({"results": results, "next": self.next})


async def find(pool: Pool, user_id: int, asked: SearchRequest) -> SearchResults:
    """The page. What is neither readable nor there is not found, and that is no error."""
    async with pool.connection() as connection:
        return await find_on(connection, user_id, asked)


async def find_on(connection: Connection, user_id: int, asked: SearchRequest) -> SearchResults:
    """As `find`, in three or four round trips."""
    scope = await read_scope(connection, user_id, asked)
    if not scope.conversations or scope.authors == []:
        return SearchResults([], None)
    line = scope.line(asked.question)
    rows = await find_places(connection, asked, scope, line)
    page = rows[: asked.limit]
    messages = await read_results(connection, [(conversation_id, seq) for _, conversation_id, seq in page])
    return SearchResults(messages, f"{line.mark}{page[-1][0]}" if len(rows) > asked.limit else None)


async def read_scope(connection: Connection, user_id: int, asked: SearchRequest) -> SearchScope:
    """Names become ids."""
    question, one = asked.question, asked.conversation
    fields = {
        "user": user_id,
        "names": [name.lower() for name in question.names],
        "places": [name.lower() for name in question.places],
        "named": bool(question.places) or one is not None,
        "ids": [] if one is None else [one],
        "timed": question.timed,
        "after": question.after,
        "before": question.before,
    }
    row = await (await connection.execute(queries.read_scope, fields)).fetchone()
    assert row is not None
    head, whole, first, last, named, conversations, said = row
    authors = [*named, *([] if asked.author is None else [asked.author])]
    whose = authors if question.names or asked.author is not None else None
    return SearchScope(head, whole, (first or 1, last or 0), whose, conversations, said)


async def find_places(connection: Connection, asked: SearchRequest, scope: SearchScope, line: Line) -> list[Row]:
    """`(place, conversation, seq)`, the newest first: one more than the page holds, if there are more."""
    found: list[Row] = []
    for query, fields in steps(asked, scope, line):
        found += await (await connection.execute(query, fields, binary=True)).fetchall()
        if len(found) > asked.limit:
            break
    return found[: asked.limit + 1]


def steps(asked: SearchRequest, scope: SearchScope, line: Line) -> Iterator[tuple[bytes, dict[str, object]]]:
    """What to ask the database, one after the other, until the page is full."""
    begin = asked.below[1] if asked.below and asked.below[0] == line.mark else line.last + 1
    fields = encode_fields(asked, scope, line)
    if line.own:
        newest = scope.newest(asked.question)
        yield queries.find_newest, fields | {"begin": begin, "newest": newest}
        begin -= newest
    if begin > line.first:
        yield queries.find_places, fields | {"begin": begin}


async def read_results(connection: Connection, places: Sequence[tuple[int, int]]) -> list[Message]:
    """Return the messages at these places, in this order, without those that have been deleted meanwhile."""
    messages = await read_messages(connection, places) if places else {}
    return [message for place in places if (message := messages.get(place)) and not message.deleted]


def encode_fields(asked: SearchRequest, scope: SearchScope, line: Line) -> dict[str, object]:
    """The question as the index is asked."""
    question = asked.question
    what, when = encode_what(question, scope.authors or []), encode_when(question)
    where = encode_where([] if line.own else scope.keyed() if what or when else scope.conversations)
    return {
        "own": line.own,
        "prefix": line.prefix,
        "whole": line.whole or ANYTHING,
        "first": line.first,
        "width": 1 << line.narrow,
        "widest": line.wide,
        "what": what or ANYTHING,
        "where": where or ANYTHING,
        "when": when or ANYTHING,
        "rest": encode_rest(question),
        "after": question.after,
        "before": question.before,
        "conversations": scope.conversations,
        "limit": asked.limit + 1,
    }
