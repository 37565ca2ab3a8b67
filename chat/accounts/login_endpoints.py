"""Handlers of second steps, passkey log-ins, proofs and password resets."""

from aiohttp import web

from chat.accounts import passkeys
from chat.accounts.accounts import BadCredentials
from chat.accounts.endpoints import (
    ACCOUNTS,
    answer_ended,
    answer_signed_in,
    device_of,
    require_passwords,
    reset_login_limits,
)
from chat.accounts.factor_endpoints import CHALLENGES, FACTORS, options_for, relying_party
from chat.accounts.models import read_user
from chat.accounts.oidc_endpoints import OIDC_ACCOUNTS
from chat.accounts.passkeys import BadPasskey
from chat.accounts.passwords import NewPassword, ResetForm, create_reset, use_reset
from chat.accounts.second_factors import PasskeyLogIn, Proof, SecondStep
from chat.log.append import LOG
from chat.shared.audit import Actor, record
from chat.shared.errors import NotFound
from chat.shared.identity import Member
from chat.shared.sql import load
from chat.shared.web import (
    IDENTITIES,
    POOL,
    RATES,
    SETTINGS,
    TYPED_NAME,
    actor_of,
    answer_json,
    client_address,
    path_id,
    read_model,
    require_admin,
    require_identity,
    require_recent_proof,
)

queries = load(__file__)


async def post_second(request: web.Request) -> web.Response:
    """Complete a log-in with a second factor."""
    require_passwords(request)
    form = await read_model(request, SecondStep)
    rates, challenges, accounts = request.app[RATES], request.app[CHALLENGES], request.app[ACCOUNTS]
    await rates.login_address.acquire(client_address(request))
    challenge = await challenges.attempt(form.challenge, "second")
    user = await read_user(request.app[POOL], challenge.user_id or 0)
    request[TYPED_NAME] = user.name
    actor = Actor(user.id, client_address(request))
    await rates.second.acquire(str(user.id))
    method = await request.app[FACTORS].prove(relying_party(request), challenge, user.id, form)
    await challenges.redeem(challenge)
    signed_in = await accounts.open_session(user, challenge.password_digests, device_of(request, form.device))
    await rates.second.refill(str(user.id))
    await reset_login_limits(request, user.name)
    if method == "recovery_code":
        async with request.app[POOL].connection() as connection:
            await record(connection, actor, "mfa.recovered", user.id)
    return await answer_signed_in(request, signed_in)


async def post_login_options(request: web.Request) -> web.Response:
    """Return the options with which a browser logs in with any passkey of this server."""
    require_passwords(request)
    await request.app[RATES].login_address.acquire(client_address(request))
    challenge = await request.app[CHALLENGES].issue("login")
    options = await options_for(request, challenge, verify_user=True)
    return answer_json({"challenge": challenge.token, "options": options})


async def post_login(request: web.Request) -> web.Response:
    """Log in with a passkey alone. The device checks its user by PIN, fingerprint or face."""
    require_passwords(request)
    form = await read_model(request, PasskeyLogIn)
    await request.app[RATES].login_address.acquire(client_address(request))
    challenges, accounts = request.app[CHALLENGES], request.app[ACCOUNTS]
    challenge = await challenges.attempt(form.challenge, "login")
    async with request.app[POOL].connection() as connection:
        user_id = await passkeys.use(connection, relying_party(request), challenge, form.passkey, verify_user=True)
    await challenges.redeem(challenge)
    user = await read_user(request.app[POOL], user_id)
    try:
        signed_in = await accounts.open_session(user, None, device_of(request, form.device))
    except BadCredentials:
        raise BadPasskey from None
    await reset_login_limits(request, user.name)
    return await answer_signed_in(request, signed_in)


async def get_proof(request: web.Request) -> web.Response:
    """Return for how many more seconds this session may make sensitive changes, and how it can prove itself."""
    member = await require_identity(request)
    left = await request.app[IDENTITIES].proof_left(member.session_id)
    factors = await request.app[FACTORS].of_user(member.user_id)
    async with request.app[POOL].connection() as connection:
        row = await (await connection.execute(queries.has_password, [member.user_id])).fetchone()
    methods = ["password"] if row and row[0] and request.app[SETTINGS].password_login else []
    methods += [one for one in factors.methods if one != "recovery_code"]
    if OIDC_ACCOUNTS in request.app and await request.app[OIDC_ACCOUNTS].has_link(member.user_id):
        methods.append("oidc")
    return answer_json({"seconds_left": int(left), "methods": methods})


async def post_proof_options(request: web.Request) -> web.Response:
    """Return the options with which a passkey proves who you are."""
    member = await require_identity(request)
    if not (await request.app[FACTORS].of_user(member.user_id)).passkeys:
        raise NotFound
    challenge = await request.app[CHALLENGES].issue("proof", member.user_id, member.session_id)
    return answer_json({"challenge": challenge.token, "options": await options_for(request, challenge)})


async def post_proof(request: web.Request) -> web.Response:
    """Prove who you are. Sensitive changes in this session need no new proof for 10 minutes."""
    member = await require_identity(request)
    form = await read_model(request, Proof)
    if form.password is not None:
        await prove_password(request, member, form.password)
    else:
        await prove_factor(request, member, form)
    await request.app[IDENTITIES].note_proof(member.session_id)
    return web.Response(status=204)


async def prove_password(request: web.Request, member: Member, password: str) -> None:
    """Check the password; raise `WrongPassword`, `PasswordLoginOff`, or `RateLimited` like a log-in."""
    require_passwords(request)
    key, session = (member.name, client_address(request)), f"session {member.session_id}"
    await request.app[RATES].acquire_login(*key, device=session)
    await request.app[ACCOUNTS].check_password(member.user_id, password)
    await request.app[RATES].refill_login(*key, device=session)


async def prove_factor(request: web.Request, member: Member, form: Proof) -> None:
    """Check the second factor.

    Raise `BadCode`, `BadPasskey` or `BadChallenge`, or `RateLimited` like the second step of a log-in.
    """
    challenges, second = request.app[CHALLENGES], request.app[RATES].second
    await second.acquire(str(member.user_id))
    challenge = await challenges.attempt(form.challenge, "proof", member.session_id) if form.challenge else None
    await request.app[FACTORS].prove(relying_party(request), challenge, member.user_id, form)
    if challenge:
        await challenges.redeem(challenge)
    await second.refill(str(member.user_id))


# Password resets.


async def post_reset(request: web.Request) -> web.Response:
    """Create a one-time link with which a user sets a new password. Admins only; needs a recent proof.

    The link is `path` at this server's address. It is shown once, works once and expires after 24 hours.
    """
    await require_admin(request)
    member = await require_recent_proof(request)
    require_passwords(request)
    form, user_id = await read_model(request, ResetForm), path_id(request, "user")
    actor = actor_of(request, member)
    reset = await create_reset(request.app[POOL], actor, user_id, second_factors=form.also_second_factors)
    return answer_json(reset.to_json(), 201)


async def post_new_password(request: web.Request) -> web.Response:
    """Set a new password with the token of a reset link. All sessions of the account end."""
    require_passwords(request)
    address = client_address(request)
    await request.app[RATES].login_address.acquire(address)
    form = await read_model(request, NewPassword)
    app = request.app
    return answer_ended(request, await use_reset(app[LOG], app[POOL], app[ACCOUNTS].hasher, address, form))
