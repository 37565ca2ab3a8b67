"""`GET …/conversations/{c}/messages/{seq}/delivery/{user}`."""

from aiohttp import web

from chat.delivery.trace import Evidence, trace
from chat.shared.audit import record
from chat.shared.endpoints import POOL, actor_of, answer_json, path_id, require_identity
from chat.shared.membership import require_member
from chat.shared.problems import AdminsOnly

EVIDENCE: web.AppKey[Evidence] = web.AppKey("evidence")


async def get_delivery(request: web.Request) -> web.Response:
    """Why somebody did or did not get it; for admins of the server, who need not be in the conversation. Direct
    messages too, for no text is shown; who looks is written down, as he sees what devices somebody has."""
    member, pool = await require_identity(request), request.app[POOL]
    conversation_id, seq, user_id = (path_id(request, name) for name in ("conversation", "seq", "user"))
    if member.role != "admin":
        await require_member(pool, member.user_id, conversation_id)
        raise AdminsOnly
    traced = await trace(pool, request.app[EVIDENCE], conversation_id, seq, user_id)
    async with pool.connection() as connection:
        place = {"conversation": conversation_id, "seq": seq}
        await record(connection, actor_of(request, member), "delivery.look", user_id, **place)
    return answer_json(traced)
