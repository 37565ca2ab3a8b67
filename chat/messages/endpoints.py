"""`…/messages`: post one, post many, read back."""

from aiohttp import web

from chat.messages.draft import Draft
from chat.messages.post import Post, Posted, Posts
from chat.shared.endpoints import RATES, answer_json, path_id, read_model, require_identity

POSTS = web.AppKey("posts", Posts)


async def post_message(request: web.Request) -> web.Response:
    """Refuse it, or make it durable; the log tells everyone."""
    member = await require_identity(request)
    request.app[RATES].post.spend(member.user_id)
    draft = await read_model(request, Draft)
    posted = await request.app[POSTS].post(Post(path_id(request, "conversation"), member.user_id, draft))
    return answer_posted(posted)


def answer_posted(posted: Posted) -> web.Response:
    """201 for a new message, 200 for one that an earlier try has made."""
    return answer_json(b'{"message":%b}' % posted.message, 201 if posted.fresh else 200)
