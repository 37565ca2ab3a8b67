"""Handlers for admins: API keys, and another user's sessions, role, and whether the account is disabled."""

from aiohttp import web

from chat.accounts.admin import Disabling, RoleForm, set_disabled, set_role
from chat.accounts.api_keys import PAGE, KeyForm, create_key, list_keys, revoke_key
from chat.accounts.endpoints import SESSIONS, answer_ended, describe_sessions
from chat.accounts.models import read_user
from chat.log.append import LOG
from chat.shared.audit import record
from chat.shared.web import (
    LARGEST_ID,
    POOL,
    actor_of,
    answer_json,
    parse_count,
    path_id,
    read_model,
    require_admin,
    require_recent_proof,
)


async def get_sessions(request: web.Request) -> web.Response:
    """List a user's sessions. Admins only; recorded in the audit log, as sessions show addresses."""
    member = await require_admin(request)
    user = await read_user(request.app[POOL], path_id(request, "user"))
    async with request.app[POOL].connection() as connection:
        await record(connection, actor_of(request, member), "login.look", user.id)
    return answer_json(await describe_sessions(request, user.id, member.session_id))


async def delete_session(request: web.Request) -> web.Response:
    """End one of a user's sessions, or `all`. Admins only; needs a recent proof."""
    await require_admin(request)
    member = await require_recent_proof(request)
    actor, sessions = actor_of(request, member), request.app[SESSIONS]
    user = await read_user(request.app[POOL], path_id(request, "user"))
    if request.match_info["session"] == "all":
        return answer_ended(request, await sessions.end_all(actor, user.id, "admin"))
    return answer_ended(request, await sessions.end(actor, user.id, path_id(request, "session"), "admin"))


async def put_role(request: web.Request) -> web.Response:
    """Make a user an admin, or a member again. Admins only; needs a recent proof.

    The sessions of a former admin end.
    """
    await require_admin(request)
    member = await require_recent_proof(request)
    form, user_id = await read_model(request, RoleForm), path_id(request, "user")
    return answer_ended(request, await set_role(request.app[LOG], actor_of(request, member), user_id, form.role))


async def put_disabled(request: web.Request) -> web.Response:
    """Disable an account, or enable it again. Admins only; needs a recent proof."""
    await require_admin(request)
    member = await require_recent_proof(request)
    form, user_id = await read_model(request, Disabling), path_id(request, "user")
    return answer_ended(
        request, await set_disabled(request.app[LOG], actor_of(request, member), user_id, form.disabled)
    )


# API keys.


async def post_key(request: web.Request) -> web.Response:
    """Make an API key with a bot of its own. `secret` is shown once. Admins only; needs a recent proof."""
    await require_admin(request)
    member = await require_recent_proof(request)
    form = await read_model(request, KeyForm)
    key, secret = await create_key(request.app[LOG], actor_of(request, member), form)
    return answer_json({"key": key.to_json(), "secret": secret}, 201)


async def get_keys(request: web.Request) -> web.Response:
    """List the API keys that are not revoked, the newest first. Admins only."""
    await require_admin(request)
    before = parse_count(request, "before", default=LARGEST_ID, least=1, most=LARGEST_ID)
    keys = await list_keys(request.app[POOL], before)
    return answer_json({"keys": [key.to_json() for key in keys], "next": keys[-1].id if len(keys) == PAGE else None})


async def delete_key(request: web.Request) -> web.Response:
    """Revoke an API key: its streams and sockets end on every node. Admins only; needs a recent proof."""
    await require_admin(request)
    member = await require_recent_proof(request)
    ended = await revoke_key(request.app[LOG], actor_of(request, member), path_id(request, "key"))
    return answer_ended(request, ended)
