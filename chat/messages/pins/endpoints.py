"""`…/conversations/{c}/pins`."""

import orjson
from aiohttp import web

from chat.log.append import LOG
from chat.messages.pins.pin import list_pins, pin_message, unpin_message
from chat.shared.endpoints import POOL, SETTINGS, answer_json, path_id, require_changer, require_identity


async def get_pins(request: web.Request) -> web.Response:
    """All of them, the latest first."""
    member = await require_identity(request)
    pins = await list_pins(request.app[POOL], member.user_id, path_id(request, "conversation"))
    shown = [{"user": user, "message": orjson.Fragment(message.encode())} for user, message in pins]
    return answer_json({"pins": shown})


async def put_pin(request: web.Request) -> web.Response:
    """It is pinned."""
    member = await require_changer(request)
    place = path_id(request, "conversation"), path_id(request, "seq")
    await pin_message(request.app[LOG], request.app[SETTINGS].pins_per_conversation, member.user_id, *place)
    return web.Response(status=204)


async def delete_pin(request: web.Request) -> web.Response:
    """It is not pinned."""
    member = await require_changer(request)
    place = path_id(request, "conversation"), path_id(request, "seq")
    await unpin_message(request.app[LOG], member.user_id, *place)
    return web.Response(status=204)
