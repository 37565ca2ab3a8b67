"""`…/messages`: post one, post many, read back."""

from aiohttp import web

from chat.accounts.endpoints import HERE
from chat.messages.batch import post_batch
from chat.messages.commit import Posted
from chat.messages.draft import Draft, DraftBatch, Post
from chat.messages.history import read_message, read_page
from chat.messages.post import Posts
from chat.messages.window import Window, after, around, before, newest
from chat.shared.endpoints import (
    LARGEST_ID,
    POOL,
    RATES,
    SETTINGS,
    WROTE,
    actor_of,
    answer_json,
    parse_count,
    path_id,
    read_model,
    require_identity,
)
from chat.shared.problems import Invalid

POSTS = web.AppKey("posts", Posts)

DIRECTIONS = {"before": before, "after": after, "around": around}

PAGE, PAGE_MOST = 50, 200


async def post_message(request: web.Request) -> web.Response:
    """Refuse it, or make it durable; the log tells everyone."""
    member = await require_identity(request)
    draft = await read_model(request, Draft)
    conversation_id = path_id(request, "conversation")
    here = await request.app[HERE].find(conversation_id, member.user_id, draft.body)
    posted = await request.app[POSTS].submit(Post(conversation_id, member.user_id, draft, here=here))
    request[WROTE] = posted.frame
    return answer_posted(posted)


def answer_posted(posted: Posted) -> web.Response:
    """201 for a new message, 200 for one that an earlier try has made."""
    return answer_json(b'{"message":%b}' % posted.message, 201 if posted.fresh else 200)


async def post_messages(request: web.Request) -> web.Response:
    """Many at once; one that is refused does not touch the others."""
    member = await require_identity(request)
    settings = request.app[SETTINGS]
    batch = await read_model(request, DraftBatch, settings.max_batch_bytes)
    if len(batch.messages) > settings.max_batch_messages:
        raise Invalid(errors=[{"field": "messages", "detail": f"at most {settings.max_batch_messages} at once"}])
    request.app[RATES].batch.spend(member.user_id, len(batch.messages) - 1)
    parts = request.app[POOL], request.app[POSTS], request.app[HERE]
    return answer_json(await post_batch(*parts, member, actor_of(request, member), batch.messages))


async def get_messages(request: web.Request) -> web.Response:
    """A page of history; without a direction the newest."""
    member = await require_identity(request)
    window, conversation_id = parse_window(request), path_id(request, "conversation")
    page = await read_page(request.app[POOL], member.user_id, conversation_id, window)
    return answer_json(page.encode())


def parse_window(request: web.Request) -> Window:
    """`?before=|after=|around=` and `?limit=`; raises `Invalid` on more than one direction."""
    limit = parse_count(request, "limit", default=PAGE, least=1, most=PAGE_MOST)
    named = [name for name in DIRECTIONS if name in request.query]
    if len(named) > 1:
        raise Invalid(errors=[{"field": name, "detail": "one direction at a time"} for name in named])
    if not named:
        return newest(limit)
    seq = parse_count(request, named[0], default=0, most=LARGEST_ID)
    return DIRECTIONS[named[0]](seq, limit)


async def get_message(request: web.Request) -> web.Response:
    """One message."""
    member = await require_identity(request)
    ids = path_id(request, "conversation"), path_id(request, "seq")
    message = await read_message(request.app[POOL], member.user_id, *ids)
    return answer_json(b'{"message":%b}' % message.encode())
