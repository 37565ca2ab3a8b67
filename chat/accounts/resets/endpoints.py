"""`POST /api/users/{user}/reset` and `POST /api/resets`."""

from aiohttp import web

from chat.accounts.endpoints import ACCOUNTS, let_go
from chat.accounts.resets.resets import NewPassword, ResetForm, make_reset, use_reset
from chat.log.endpoints import LOG
from chat.shared.endpoints import (
    POOL,
    RATES,
    actor_of,
    answer_json,
    client_address,
    path_id,
    read_model,
    require_admin,
    require_recent_proof,
)


async def post_reset(request: web.Request) -> web.Response:
    """Create a one-time link with which a user sets a new password. Admins only; needs a recent proof.

    The link is `path` at this server's address. It is shown once, works once and expires after 24 hours.
    """
    await require_admin(request)
    member = await require_recent_proof(request)
    form, user_id = await read_model(request, ResetForm), path_id(request, "user")
    actor = actor_of(request, member)
    reset = await make_reset(request.app[POOL], actor, user_id, second_factors=form.also_second_factors)
    return answer_json(reset.to_json(), 201)


async def post_new_password(request: web.Request) -> web.Response:
    """Set a new password with the token of a reset link. All sessions of the account end."""
    address = client_address(request)
    await request.app[RATES].login_address.spend(address)
    form = await read_model(request, NewPassword)
    app = request.app
    return let_go(request, await use_reset(app[LOG], app[POOL], app[ACCOUNTS].hasher, address, form))
