"""`…/notifications`, `…/receipts`, and blocks."""

from aiohttp import web

from chat.attention.blocks import block, list_blocks, unblock
from chat.attention.here import Here
from chat.attention.notice import NoticePatch
from chat.attention.notices import change_notice
from chat.attention.receipts import list_receipts
from chat.log.endpoints import LOG
from chat.shared.endpoints import (
    POOL,
    SETTINGS,
    answer_json,
    path_id,
    read_model,
    require_changer,
    require_identity,
)

HERE = web.AppKey("here", Here)


async def put_notifications(request: web.Request) -> web.Response:
    """What I want to be told of in this conversation."""
    member = await require_changer(request)
    patch = await read_model(request, NoticePatch)
    conversation_id = path_id(request, "conversation")
    notice = await change_notice(request.app[LOG], member.user_id, conversation_id, patch)
    return answer_json({"conversation": conversation_id} | notice.to_json())


async def get_receipts(request: web.Request) -> web.Response:
    """How far the others have read."""
    member = await require_identity(request)
    most, conversation_id = request.app[SETTINGS].receipts_most, path_id(request, "conversation")
    receipts = await list_receipts(request.app[POOL], member.user_id, conversation_id, most)
    return answer_json({"receipts": [{"user": user, "seq": seq} for user, seq in receipts]})


async def get_blocks(request: web.Request) -> web.Response:
    """Whom I have blocked."""
    member = await require_identity(request)
    return answer_json({"blocked": await list_blocks(request.app[POOL], member.user_id)})


async def put_block(request: web.Request) -> web.Response:
    """I want to have nothing to do with this person."""
    member = await require_changer(request)
    most = request.app[SETTINGS].blocks_per_person
    await block(request.app[LOG], member.user_id, path_id(request, "user"), most)
    return web.Response(status=204)


async def delete_block(request: web.Request) -> web.Response:
    """I have changed my mind."""
    member = await require_changer(request)
    await unblock(request.app[LOG], member.user_id, path_id(request, "user"))
    return web.Response(status=204)
