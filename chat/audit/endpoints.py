"""`GET /api/chat/audit`, and `…/conversations/{c}/audit`."""

from aiohttp import web

from chat.audit.reading import list_notes
from chat.conversations.rights import require_runner
from chat.shared.endpoints import LARGEST_ID, POOL, answer_json, parse_count, path_id, require_identity
from chat.shared.membership import require_member
from chat.shared.problems import AdminsOnly


async def get_audit(request: web.Request) -> web.Response:
    """All of it, for admins of the server."""
    member = await require_identity(request)
    if member.role != "admin":
        raise AdminsOnly
    return answer_json(await list_notes(request.app[POOL], None, parse_before(request)))


async def get_conversation_audit(request: web.Request) -> web.Response:
    """What concerns one conversation, for those who run it."""
    member = await require_identity(request)
    conversation_id = path_id(request, "conversation")
    require_runner((await require_member(request.app[POOL], member.user_id, conversation_id)).role)
    return answer_json(await list_notes(request.app[POOL], conversation_id, parse_before(request)))


def parse_before(request: web.Request) -> int:
    """`next` of the page before."""
    return parse_count(request, "before", default=LARGEST_ID, most=LARGEST_ID)
