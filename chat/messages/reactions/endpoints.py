"""`…/messages/{seq}/reactions/{emoji}`."""

from aiohttp import web

from chat.log.endpoints import LOG
from chat.messages.reactions.emoji import parse_emoji
from chat.messages.reactions.react import react, unreact
from chat.shared.endpoints import SETTINGS, path_id, require_changer


async def put_reaction(request: web.Request) -> web.Response:
    """Mine is there."""
    member = await require_changer(request)
    most = request.app[SETTINGS].reactions_per_message
    await react(request.app[LOG], most, member.user_id, *path_reaction(request))
    return web.Response(status=204)


async def delete_reaction(request: web.Request) -> web.Response:
    """Mine is not there."""
    member = await require_changer(request)
    await unreact(request.app[LOG], member.user_id, *path_reaction(request))
    return web.Response(status=204)


def path_reaction(request: web.Request) -> tuple[int, int, str]:
    """The conversation, the message, and the emoji in its one spelling."""
    place = path_id(request, "conversation"), path_id(request, "seq")
    return *place, parse_emoji(request.match_info["emoji"])
