"""`…/messages/{seq}/reactions/{emoji}`."""

from aiohttp import web

from chat.log.append import LOG
from chat.messages.reactions.emoji import parse_emoji
from chat.messages.reactions.react import react, unreact
from chat.messages.reactions.reaction import Reaction
from chat.shared.endpoints import SETTINGS, path_id, require_changer


async def put_reaction(request: web.Request) -> web.Response:
    """Mine is there."""
    member = await require_changer(request)
    most = request.app[SETTINGS].reactions_per_message
    await react(request.app[LOG], most, path_reaction(request, member.user_id))
    return web.Response(status=204)


async def delete_reaction(request: web.Request) -> web.Response:
    """Mine is not there."""
    member = await require_changer(request)
    await unreact(request.app[LOG], path_reaction(request, member.user_id))
    return web.Response(status=204)


def path_reaction(request: web.Request, user_id: int) -> Reaction:
    """The emoji, in its one spelling, under the message; raises `NotFound`, `Invalid`."""
    place = path_id(request, "conversation"), path_id(request, "seq")
    return Reaction(*place, parse_emoji(request.match_info["emoji"]), user_id)
