"""`DELETE /api/users/me`."""

from aiohttp import web

from chat.accounts.endpoints import let_go
from chat.erasure.erase import Messages, begin_erasure
from chat.log.endpoints import LOG
from chat.shared.endpoints import actor_of, require_recent_proof
from chat.shared.problems import Invalid

CHOICES: dict[str, Messages] = {"keep": "keep", "erase": "erase"}


async def delete_me(request: web.Request) -> web.Response:
    """Delete the caller's account. Needs a recent proof.

    All sessions end. The name becomes "Deleted user"; private data and files that no message carries are deleted.
    `messages`: `keep` (default) leaves messages as they are, `erase` empties them.
    """
    member = await require_recent_proof(request)
    messages = CHOICES.get(request.query.get("messages", "keep"))
    if messages is None:
        raise Invalid(errors=[{"field": "messages", "detail": "keep or erase"}])
    actor = actor_of(request, member)
    return let_go(request, await begin_erasure(request.app[LOG], actor, member.user_id, messages))
