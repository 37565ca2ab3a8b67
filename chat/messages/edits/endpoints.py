"""`PATCH` and `DELETE …/messages/{seq}`, and `…/messages/{seq}/edits`."""

from aiohttp import web

from chat.log.append import LOG
from chat.messages.draft import Correction
from chat.messages.edits.delete import delete_message
from chat.messages.edits.edit import edit_message
from chat.messages.edits.kept import PAGE, list_edits
from chat.shared.endpoints import (
    LARGEST_ID,
    POOL,
    SETTINGS,
    answer_json,
    parse_count,
    path_id,
    read_model,
    require_changer,
    require_identity,
)


async def patch_message(request: web.Request) -> web.Response:
    """Say this instead, and carry no more than these."""
    member = await require_changer(request)
    correction = await read_model(request, Correction)
    place, seconds = path_message(request), request.app[SETTINGS].edit_seconds
    message = await edit_message(request.app[LOG], seconds, member.user_id, *place, correction)
    return answer_json(b'{"message":%b}' % message.encode())


async def remove_message(request: web.Request) -> web.Response:
    """Take it back; a tombstone stays."""
    member = await require_changer(request)
    await delete_message(request.app[LOG], member.user_id, *path_message(request))
    return web.Response(status=204)


async def get_edits(request: web.Request) -> web.Response:
    """What stood there before, the latest first; `next` stands when there are more."""
    member = await require_identity(request)
    before = parse_count(request, "before", default=LARGEST_ID, most=LARGEST_ID)
    edits = await list_edits(request.app[POOL], member, *path_message(request), before)
    more = {"next": edits[PAGE - 1].number} if len(edits) > PAGE else {}
    return answer_json({"edits": [edit.to_json() for edit in edits[:PAGE]]} | more)


def path_message(request: web.Request) -> tuple[int, int]:
    """The conversation, and the message in it."""
    return path_id(request, "conversation"), path_id(request, "seq")
