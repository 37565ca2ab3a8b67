"""`GET /api/chat/search`."""

import re

from aiohttp import web

from chat.search.query import SearchQuery, invalid_field, parse_day, parse_query
from chat.search.search import SearchRequest, find
from chat.shared.web import LARGEST_ID, POOL, answer_json, parse_count, require_identity

QUERY_MOST = 256
CURSOR = re.compile(r"([ps])([0-9]{1,15})")
ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}")
PAGE, PAGE_MOST = 20, 100


async def get_search(request: web.Request) -> web.Response:
    """Search messages: a page, the newest first, with the matches highlighted.

    Days begin in the time zone `zone`, by default that of your profile.
    """
    member = await require_identity(request)
    search = parse_request(request)
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
