"""Handlers of `/api/users/me/…` for the caller's second factors. Every change needs a recent proof."""

from typing import Any

from aiohttp import web

from chat.accounts import passkeys
from chat.accounts.models import read_user
from chat.accounts.passkeys import Challenge, Challenges, RelyingParty
from chat.accounts.second_factors import FirstCode, NewPasskey, PasskeyChange, SecondFactors, begin_totp, describe_totp
from chat.shared.errors import ApiError
from chat.shared.web import (
    IDENTITIES,
    POOL,
    RATES,
    actor_of,
    answer_json,
    path_id,
    public_origin,
    read_model,
    require_identity,
    require_recent_proof,
)

FACTORS = web.AppKey("factors", SecondFactors)
CHALLENGES = web.AppKey("challenges", Challenges)


class SecondFactorRequired(ApiError):
    """The password is right. Continue with POST /api/sessions/second, this `challenge` and one of the `methods`."""

    status, code = 401, "second_factor_required"

    def __init__(self, challenge: str, methods: list[str], passkey: dict[str, Any] | None) -> None:
        super().__init__()
        self._more = {"challenge": challenge, "methods": methods} | ({"passkey": passkey} if passkey else {})

    def to_problem(self) -> dict[str, Any]:
        """Return the problem document with what the second step needs."""
        return super().to_problem() | self._more


def relying_party(request: web.Request) -> RelyingParty:
    """Return this server as passkeys know it."""
    origin = public_origin(request)
    return RelyingParty(origin.host, str(origin)) if origin else RelyingParty("", "")


async def require_second_step(request: web.Request, user_id: int, password_digests: list[bytes]) -> None:
    """Raise `SecondFactorRequired` if this user has a second factor; the password was right."""
    factors = await request.app[FACTORS].of_user(user_id)
    if not (methods := factors.methods):
        return
    challenge = await request.app[CHALLENGES].issue("second", user_id, password_digests=password_digests)
    options = await options_for(request, challenge) if factors.passkeys else None
    raise SecondFactorRequired(challenge.token, methods, options)


async def options_for(request: web.Request, challenge: Challenge, *, verify_user: bool = False) -> dict[str, Any]:
    """Return the options with which a browser signs this challenge."""
    async with request.app[POOL].connection() as connection:
        return await passkeys.request_options(connection, relying_party(request), challenge, verify_user=verify_user)


async def get_factors(request: web.Request) -> web.Response:
    """List the caller's second factors."""
    member = await require_identity(request)
    return answer_json((await request.app[FACTORS].of_user(member.user_id)).to_json())


async def post_totp(request: web.Request) -> web.Response:
    """Start to set up an authenticator app. PUT confirms it with a code; only then is it required."""
    member = await require_recent_proof(request)
    async with request.app[POOL].connection() as connection:
        secret = await begin_totp(connection, member.user_id)
    return answer_json(describe_totp(secret, member.name, relying_party(request).host), 201)


async def put_totp(request: web.Request) -> web.Response:
    """Confirm the authenticator app with a first code. The first second factor comes with recovery codes."""
    member = await require_recent_proof(request)
    form = await read_model(request, FirstCode)
    await request.app[RATES].second.acquire(str(member.user_id))
    codes = await request.app[FACTORS].confirm_authenticator(actor_of(request, member), member.user_id, form.totp)
    request.app[IDENTITIES].forget_user(member.user_id)
    return answer_json({"recovery_codes": codes})


async def delete_totp(request: web.Request) -> web.Response:
    """Remove the authenticator app. Removing the last second factor removes the recovery codes."""
    member = await require_recent_proof(request)
    await request.app[FACTORS].remove_authenticator(actor_of(request, member), member.user_id)
    request.app[IDENTITIES].forget_user(member.user_id)
    return web.Response(status=204)


async def post_passkey_options(request: web.Request) -> web.Response:
    """Return the options with which the browser creates a passkey."""
    member = await require_recent_proof(request)
    challenge = await request.app[CHALLENGES].issue("passkey", member.user_id, member.session_id)
    user = await read_user(request.app[POOL], member.user_id)
    async with request.app[POOL].connection() as connection:
        options = await passkeys.creation_options(
            connection, relying_party(request), (user.id, user.name, user.display_name), challenge
        )
    return answer_json({"challenge": challenge.token, "options": options})


async def post_passkey(request: web.Request) -> web.Response:
    """Add a passkey. The first second factor comes with recovery codes."""
    member = await require_recent_proof(request)
    form = await read_model(request, NewPasskey)
    challenges = request.app[CHALLENGES]
    challenge = await challenges.attempt(form.challenge, "passkey", member.session_id)
    actor = actor_of(request, member)
    made, codes = await request.app[FACTORS].add_passkey(actor, relying_party(request), challenge, form)
    await challenges.redeem(challenge)
    request.app[IDENTITIES].forget_user(member.user_id)
    return answer_json({"passkey": made.to_json(), "recovery_codes": codes}, 201)


async def patch_passkey(request: web.Request) -> web.Response:
    """Rename a passkey."""
    member = await require_identity(request)
    form, passkey_id = await read_model(request, PasskeyChange), path_id(request, "passkey")
    async with request.app[POOL].connection() as connection:
        await passkeys.rename(connection, member.user_id, passkey_id, form.name)
    return web.Response(status=204)


async def delete_passkey(request: web.Request) -> web.Response:
    """Remove a passkey. Removing the last second factor removes the recovery codes."""
    member = await require_recent_proof(request)
    actor = actor_of(request, member)
    await request.app[FACTORS].remove_passkey(actor, member.user_id, path_id(request, "passkey"))
    request.app[IDENTITIES].forget_user(member.user_id)
    return web.Response(status=204)


async def post_recovery_codes(request: web.Request) -> web.Response:
    """Replace the recovery codes. The new ones are shown only once."""
    member = await require_recent_proof(request)
    codes = await request.app[FACTORS].renew_codes(actor_of(request, member), member.user_id)
    return answer_json({"recovery_codes": codes}, 201)
