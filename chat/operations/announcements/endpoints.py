"""`/api/announcement`: what stands above all conversations."""

from aiohttp import web

from chat.log.append import LOG
from chat.operations.announcements.announce import Said, announce, read_current, take_back
from chat.shared.endpoints import (
    POOL,
    actor_of,
    answer_json,
    check_admin,
    read_model,
    require_changer,
    require_identity,
)


async def get_announcement(request: web.Request) -> web.Response:
    """`{announcement}`, null when there is none; for everybody."""
    await require_identity(request)
    return answer_json({"announcement": await read_current(request.app[POOL])})


async def put_announcement(request: web.Request) -> web.Response:
    """Say something to everybody; for admins."""
    member = check_admin(await require_changer(request))
    said = await read_model(request, Said)
    made = await announce(request.app[LOG], actor_of(request, member), said.body)
    return answer_json({"announcement": made}, 201)


async def delete_announcement(request: web.Request) -> web.Response:
    """Take it back; for admins."""
    member = check_admin(await require_changer(request))
    await take_back(request.app[LOG], actor_of(request, member))
    return web.Response(status=204)
