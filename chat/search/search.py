"""`GET /api/chat/search`: a page of messages that match a query, the newest first, among those the user may read."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import orjson
import psycopg
from aiohttp import web

from chat.messages.history import read_messages
from chat.model.message import Message, shorten
from chat.search.highlight import Budget, highlight
from chat.search.lexemes import (
    SearchRange,
    conversation_range,
    encode_rest,
    encode_what,
    encode_when,
    encode_where,
    log_range,
)
from chat.search.query import FIRST, LAST, SearchQuery, invalid_field, parse_day, parse_query
from chat.shared.appearance import look_key
from chat.shared.postgres import Connection, Pool
from chat.shared.sql import load
from chat.shared.web import LARGEST_ID, POOL, answer_json, parse_count, require_identity

queries = load(__file__)
PAGE, PAGE_MOST = 20, 100
WORK_AT_ONCE = 5_000  # of highlighting, about 5 ms, between yields to the loop

# Each conversation is one more list for the index to follow at every match. That costs as much as to drop ten matches.
LIST_COST, COST_MOST, KEYED_MOST = 10, 100, 256
ANYTHING = "!'@'"  # no message has this key, and the index finds that out at once

# Messages of one conversation to check one by one. They fill a page for a word that every tenth message has, or a
# phrase.
NEWEST, NEWEST_FOR_PHRASE, SPARSE = 256, 8192, 20
Row = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class SearchScope:
    """The bounds of a search. `head`: the end of the log; `days`: the stretch of the log with the requested days.

    `whole`: all messages have the keys of all windows; `authors`: None for all; `messages`: their number in these
    conversations; `after`, `before`: the moments between which they were posted; `former`: some messages have the terms
    of before migration 0170.
    """

    head: int
    whole: bool
    days: tuple[int, int]
    authors: list[int] | None
    conversations: list[int]
    messages: int
    after: datetime = FIRST
    before: datetime = LAST
    former: bool = False

    def keyed(self) -> list[int]:
        """Return the conversations to ask the index for. If empty, matches are filtered by conversation instead."""
        number = len(self.conversations)
        worth = self.messages * min(number * LIST_COST, COST_MOST) < self.head
        return self.conversations if worth and number <= KEYED_MOST else []

    def newest(self, query: SearchQuery) -> int:
        """Return how many of a conversation's newest messages to check one by one.

        For phrases, the index reads all other messages with these words: where there are many, checking each is faster.
        """
        phrase = any(len(one.terms) > 1 for one in query.wanted)
        return NEWEST_FOR_PHRASE if phrase and self.messages * SPARSE < self.head else NEWEST

    def range(self, query: SearchQuery) -> SearchRange:
        """Return the range to search: one conversation by its seqs, unless the search starts before its end."""
        if len(self.conversations) == 1 and self.whole and self.before == LAST:
            return conversation_range(self.conversations[0], self.messages)
        return log_range(*(self.days if self.whole and query.timed else (1, self.head)), self.whole)


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A query, the ids of an author and a conversation, and the place at which the previous page ended.

    `zone` is the name of the time zone of its days; None for that of the user's profile, else UTC. `only`: the
    conversations of a limited API key; None for all.
    """

    query: SearchQuery
    author: int | None = None
    conversation: int | None = None
    below: tuple[str, int] | None = None
    limit: int = PAGE
    zone: str | None = None
    only: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class SearchResults:
    """Messages, and the place at which the next page continues, with its mark."""

    messages: list[Message]
    next: str | None

    async def encode(self, query: SearchQuery) -> bytes:
        """Return `{results:[{message, highlight}], next}`; `next` is null on the last page.

        Highlighting yields to the loop in between, and stops once the budget of the response is used up. Beyond a
        megabyte of text and data, each message is cut to 200 characters, without data.
        """
        budget, results = Budget(), []
        rest = budget.left - WORK_AT_ONCE
        for message, short in zip(self.messages, shorten(self.messages), strict=True):
            shown = highlight(message.body, query.wanted, budget)
            results.append({"message": orjson.Fragment(short.encode()), "highlight": shown})
            if budget.left < rest:
                rest = budget.left - WORK_AT_ONCE
                await asyncio.sleep(0)
        return orjson.dumps({"results": results, "next": self.next})


async def find(pool: Pool, user_id: int, request: SearchRequest) -> SearchResults:
    """Return a page of results. Messages that the user may not read are not found, without an error."""
    async with pool.connection() as connection:
        return await find_on(connection, user_id, request)


async def find_on(connection: Connection, user_id: int, request: SearchRequest) -> SearchResults:
    """Do what `find` does, in three or four round trips."""
    scope = await read_scope(connection, user_id, request)
    if not scope.conversations or scope.authors == []:
        return SearchResults([], None)
    places = scope.range(request.query)
    rows = await find_places(connection, request, scope, places)
    page = rows[: request.limit]
    messages = await read_results(connection, [(conversation_id, seq) for _, conversation_id, seq in page])
    return SearchResults(messages, f"{places.mark}{page[-1][0]}" if len(rows) > request.limit else None)


async def read_scope(connection: Connection, user_id: int, request: SearchRequest) -> SearchScope:
    """Resolve the names and the days, and return the bounds of the search; raise `Invalid` for an unknown time zone.

    PostgreSQL, which every node shares, knows the time zones.
    """
    query, conversation_id = request.query, request.conversation
    fields = {
        "user": user_id,
        "names": [name.lower() for name in query.names],
        "places": [look_key(name) for name in query.conversations],
        "named": bool(query.conversations) or conversation_id is not None,
        "ids": [] if conversation_id is None else [conversation_id],
        "timed": query.timed,
        "after": query.after,
        "before": query.before,
        "after_day": query.after_day,
        "before_day": query.before_day,
        "zone": request.zone,
        "only": None if request.only is None else list(request.only),
    }
    try:
        row = await (await connection.execute(queries.read_scope, fields)).fetchone()
    except psycopg.errors.InvalidParameterValue:
        raise invalid_field("zone", "must be one like Europe/Berlin") from None
    assert row is not None
    head, whole, former, first, last, after, before, named, conversations, messages = row
    times = after.astimezone(UTC), before.astimezone(UTC)
    authors = [*named, *([] if request.author is None else [request.author])]
    wanted_authors = authors if query.names or request.author is not None else None
    return SearchScope(head, whole, (first or 1, last or 0), wanted_authors, conversations, messages, *times, former)


async def find_places(
    connection: Connection, request: SearchRequest, scope: SearchScope, places: SearchRange
) -> list[Row]:
    """Return `(place, conversation, seq)`, the newest first: one more than the page holds, if there are more."""
    found: list[Row] = []
    for query, fields in queries_for(request, scope, places):
        found += await (await connection.execute(query, fields, binary=True)).fetchall()
        if len(found) > request.limit:
            break
    return found[: request.limit + 1]


def queries_for(
    request: SearchRequest, scope: SearchScope, places: SearchRange
) -> Iterator[tuple[bytes, dict[str, object]]]:
    """Yield the queries to run, one after the other, until the page is full."""
    below = request.below[1] if request.below and request.below[0] == places.mark else places.last + 1
    fields = encode_fields(request, scope, places)
    if places.own:
        newest = scope.newest(request.query)
        yield queries.find_newest, fields | {"begin": below, "newest": newest}
        below -= newest
    if below > places.first:
        yield queries.find_places, fields | {"begin": below}


async def read_results(connection: Connection, places: Sequence[tuple[int, int]]) -> list[Message]:
    """Return the messages at these places, in this order, without those that have been deleted meanwhile."""
    messages = await read_messages(connection, places) if places else {}
    return [message for place in places if (message := messages.get(place)) and not message.deleted]


def encode_fields(request: SearchRequest, scope: SearchScope, places: SearchRange) -> dict[str, object]:
    """Return the parameters of the queries."""
    query = request.query
    what, when = encode_what(query, scope.authors or [], scope.former), encode_when(scope.after, scope.before)
    where = encode_where([] if places.own else scope.keyed() if what or when else scope.conversations)
    return {
        "own": places.own,
        "prefix": places.prefix,
        "whole": places.whole or ANYTHING,
        "first": places.first,
        "width": 1 << places.narrow,
        "widest": places.wide,
        "what": what or ANYTHING,
        "where": where or ANYTHING,
        "when": when or ANYTHING,
        "rest": encode_rest(query, scope.former),
        "after": scope.after,
        "before": scope.before,
        "conversations": scope.conversations,
        "limit": request.limit + 1,
    }


# The endpoint.

QUERY_MOST = 256
CURSOR = re.compile(r"([ps])([0-9]{1,15})")
ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}")


async def get_search(request: web.Request) -> web.Response:
    """Search messages: a page, the newest first, with the matches highlighted.

    Days begin in the time zone `zone`, by default that of your profile.
    """
    member = await require_identity(request)
    search = replace(parse_request(request), only=member.only)
    found = await find(request.app[POOL], member.user_id, search)
    return answer_json(await found.encode(search.query))


def parse_request(request: web.Request) -> SearchRequest:
    """Parse the query parameters; raise `Invalid`, also if there is nothing to search for.

    `before` is a day, a time, or the `next` of the previous page. It may occur twice, to give both.
    """
    query, below = read_query(request.query.get("q", "")), None
    for text in request.query.getall("after", []):
        query.begin(parse_day(text, "after"))
    for text in request.query.getall("before", []):
        if (place := read_place(text)) is not None:
            below = place
        else:
            query.end(parse_day(text, "before"))
    author, conversation = parse_id(request, "from"), parse_id(request, "conversation")
    limit = parse_count(request, "limit", default=PAGE, least=1, most=PAGE_MOST)
    return check_search(SearchRequest(query, author, conversation, below, limit, parse_zone(request)))


def read_query(text: str) -> SearchQuery:
    """Parse the text of a search; raise `Invalid`, also if it is too long or contains NUL."""
    if len(text) > QUERY_MOST or "\0" in text:
        raise invalid_field("q", f"at most {QUERY_MOST} characters, none of them NUL")
    return parse_query(text)


def read_place(text: str) -> tuple[str, int] | None:
    """Return where a page starts, by the `next` of the page before; None for another text."""
    match = CURSOR.fullmatch(text)
    return None if match is None else (match[1], int(match[2]))


def check_search(search: SearchRequest) -> SearchRequest:
    """Return the search; raise `Invalid` if there is nothing to search for."""
    if not search.query.any and search.author is None:
        raise invalid_field("q", "must not be empty")
    return search


def parse_zone(request: web.Request) -> str | None:
    """Return the name of a time zone, or None if it is missing; raise `Invalid` for text that cannot be one."""
    name = request.query.get("zone")
    if name is not None and not ZONE.fullmatch(name):
        raise invalid_field("zone", "must be one like Europe/Berlin")
    return name


def parse_id(request: web.Request, name: str) -> int | None:
    """Return the id, or None if it is missing."""
    return parse_count(request, name, default=0, most=LARGEST_ID) if name in request.query else None
