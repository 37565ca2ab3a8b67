"""`/api/sessions/current/proof`: re-authentication before a sensitive change."""

from aiohttp import web

from chat.accounts.endpoints import ACCOUNTS
from chat.accounts.factors.proofs import Proof, note_proof
from chat.shared.endpoints import (
    IDENTITIES,
    POOL,
    RATES,
    answer_json,
    client_address,
    read_model,
    require_changer,
    require_identity,
)


async def get_proof(request: web.Request) -> web.Response:
    """Return for how many more seconds this session may make sensitive changes."""
    member = await require_identity(request)
    left = await request.app[IDENTITIES].proof_left(member.session_id)
    return answer_json({"seconds_left": int(left)})


async def post_proof(request: web.Request) -> web.Response:
    """Prove who you are. Sensitive changes in this session need no new proof for 10 minutes."""
    member = await require_changer(request)
    form = await read_model(request, Proof)
    key, session = (member.name, client_address(request)), f"session {member.session_id}"
    await request.app[RATES].spend_login(*key, device=session)
    await request.app[ACCOUNTS].check_password(member.user_id, form.password)
    await request.app[RATES].refill_login(*key, device=session)
    async with request.app[POOL].connection() as connection:
        await note_proof(connection, member.session_id)
    return web.Response(status=204)
