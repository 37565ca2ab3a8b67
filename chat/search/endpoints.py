"""`GET /api/chat/search`."""

import re

from aiohttp import web

from chat.search.query import parse_day, parse_question, wrong
from chat.search.search import SearchRequest, find
from chat.shared.web import LARGEST_ID, POOL, answer_json, parse_count, require_identity

QUERY_MOST = 256
PLACE = re.compile(r"([ps])([0-9]{1,15})")
PAGE, PAGE_MOST = 20, 100


async def get_search(request: web.Request) -> web.Response:
    """A page of what was said, the newest first, with where the words stand in it."""
    member = await require_identity(request)
    asked = parse_asked(request)
    found = await find(request.app[POOL], member.user_id, asked)
    return answer_json(await found.encode(asked.question))


def parse_asked(request: web.Request) -> SearchRequest:
    """The query's fields; raises `Invalid`, also when nothing is asked.

    `before` is a day, a moment, or the `next` of the page before; it may stand twice to be both.
    """
    question, below = parse_question(parse_text(request)), None
    for text in request.query.getall("after", []):
        question.after = max(question.after, parse_day(text, "after"))
    for text in request.query.getall("before", []):
        if (place := PLACE.fullmatch(text)) is not None:
            below = place[1], int(place[2])
        else:
            question.before = min(question.before, parse_day(text, "before"))
    author, conversation = parse_id(request, "from"), parse_id(request, "conversation")
    if not question.asks and author is None:
        raise wrong("q", "something to look for")
    limit = parse_count(request, "limit", default=PAGE, least=1, most=PAGE_MOST)
    return SearchRequest(question, author, conversation, below, limit)


def parse_text(request: web.Request) -> str:
    """What was typed; raises `Invalid`."""
    text = request.query.get("q", "")
    if len(text) > QUERY_MOST or "\0" in text:
        raise wrong("q", f"at most {QUERY_MOST} characters, none of them NUL")
    return text


def parse_id(request: web.Request, name: str) -> int | None:
    """An id, if there is one."""
    return parse_count(request, name, default=0, most=LARGEST_ID) if name in request.query else None
