"""`…/conversations/{c}/authors`."""

from aiohttp import web

from chat.importing.author import AuthorNames
from chat.importing.authors import bring_authors
from chat.log.endpoints import LOG
from chat.shared.endpoints import RATES, SETTINGS, actor_of, answer_json, path_id, read_model, require_identity


async def put_authors(request: web.Request) -> web.Response:
    """`{ids}`: the accounts that stand for these names, all of them members now."""
    member = await require_identity(request)
    request.app[RATES].change.spend(member.user_id)
    asked = await read_model(request, AuthorNames)
    conversation_id = path_id(request, "conversation")
    who = (member, actor_of(request, member))
    ids = await bring_authors(request.app[LOG], request.app[SETTINGS], *who, conversation_id, asked.names)
    return answer_json({"ids": ids})
