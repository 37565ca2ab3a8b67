"""Passkeys (WebAuthn): key pairs whose private half never leaves the user's device; and the challenges that they sign.

The `webauthn` library is imported where it is used: it takes 0.15 s, and a node that starts does not wait for it.
"""

import base64
import binascii
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import orjson

from chat.shared.errors import ApiError, NotFound
from chat.shared.identity import hash_token
from chat.shared.postgres import Connection, Pool
from chat.shared.sql import load

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

queries = load(__file__)
CHALLENGE_SECONDS = 300
MOST = 20  # of a user
CREDENTIAL_BYTES = 1023  # the longest id that WebAuthn allows
Json = dict[str, Any]
Purpose = Literal["second", "login", "proof", "passkey"]


# Challenges: one-time tokens that tie the steps of logging in, of a proof or of a new passkey together.
#
# The token is also what a passkey signs: 256 random bits in base64url, stored hashed, valid for 5 minutes.


class BadChallenge(ApiError):
    """This took too long or too many attempts. Start again."""

    status, code = 401, "bad_challenge"


@dataclass(frozen=True, slots=True)
class Challenge:
    """An issued challenge. `password_digests` are of the password hashes that were right at the first step."""

    token: str
    user_id: int | None = None
    session_id: int | None = None
    password_digests: Sequence[bytes] | None = None

    @property
    def signed(self) -> bytes:
        """Return the bytes that a passkey signs."""
        return base64.urlsafe_b64decode(self.token + "=" * (-len(self.token) % 4))


class Challenges:
    """Issues and redeems challenges."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def issue(
        self,
        purpose: Purpose,
        user_id: int | None = None,
        session_id: int | None = None,
        password_digests: Sequence[bytes] | None = None,
    ) -> Challenge:
        """Store a new challenge. Some expired ones are deleted, so that the table stays small."""
        one = Challenge(secrets.token_urlsafe(32), user_id, session_id, password_digests)
        issued = {
            "digest": hash_token(one.token),
            "purpose": purpose,
            "user_id": user_id,
            "session_id": session_id,
            "password_digests": None if password_digests is None else list(password_digests),
            "seconds": CHALLENGE_SECONDS,
        }
        async with self._pool.connection() as connection:
            await connection.execute(queries.delete_expired)
            await connection.execute(queries.insert_challenge, issued)
        return one

    async def attempt(self, token: str, purpose: Purpose, session_id: int | None = None) -> Challenge:
        """Return the challenge and count an attempt at it; raise `BadChallenge`."""
        asked = {"digest": hash_token(token), "purpose": purpose, "session_id": session_id}
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.count_attempt, asked)).fetchone()
        if row is None:
            raise BadChallenge
        return Challenge(token, row[0], session_id, row[1])

    async def redeem(self, challenge: Challenge) -> None:
        """Delete a challenge that was met. Raise `BadChallenge` if another request has just done so."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(queries.delete_challenge, [hash_token(challenge.token)])
            if not await cursor.fetchone():
                raise BadChallenge


# Passkeys.


class BadPasskey(ApiError):
    """This passkey was not accepted. Try again, or use another way to log in."""

    status, code = 403, "bad_passkey"


class TooManyPasskeys(ApiError):
    """You have as many passkeys as one account may have. Remove one first."""

    status, code = 409, "too_many_passkeys"


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """This server as passkeys know it: `host` without a port, `origin` as the browser's address bar shows it."""

    host: str
    origin: str


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its user sees it."""

    id: int
    name: str
    created_at: str
    last_used_at: str | None

    def to_json(self) -> Json:
        return {"id": self.id, "name": self.name, "created_at": self.created_at, "last_used_at": self.last_used_at}


async def list_passkeys(connection: Connection, user_id: int) -> list[Passkey]:
    """Return the user's passkeys, the oldest first."""
    return [Passkey(*row) for row in await (await connection.execute(queries.list_passkeys, [user_id])).fetchall()]


async def creation_options(
    connection: Connection, party: RelyingParty, user: tuple[int, str, str], challenge: Challenge
) -> Json:
    """Return the options of `navigator.credentials.create`. `user`: id, name and display name.

    Raise `TooManyPasskeys`.
    """
    import webauthn
    from webauthn.helpers import structs

    known = await read_descriptors(connection, user[0])
    if len(known) >= MOST:
        raise TooManyPasskeys
    wanted = structs.AuthenticatorSelectionCriteria(
        resident_key=structs.ResidentKeyRequirement.REQUIRED,
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    options = webauthn.generate_registration_options(
        rp_id=party.host,
        rp_name="Tandem",
        user_id=str(user[0]).encode(),
        user_name=user[1],
        user_display_name=user[2],
        challenge=challenge.signed,
        exclude_credentials=known,
        authenticator_selection=wanted,
    )
    return dict(orjson.loads(webauthn.options_to_json(options)))


async def request_options(
    connection: Connection, party: RelyingParty, challenge: Challenge, *, verify_user: bool = False
) -> Json:
    """Return the options of `navigator.credentials.get`: for the user's passkeys, or for any if no user is known yet.

    `verify_user`: the device has to check a PIN, a finger or a face.
    """
    import webauthn
    from webauthn.helpers import structs

    need = structs.UserVerificationRequirement
    options = webauthn.generate_authentication_options(
        rp_id=party.host,
        challenge=challenge.signed,
        allow_credentials=await read_descriptors(connection, challenge.user_id) if challenge.user_id else None,
        user_verification=need.REQUIRED if verify_user else need.PREFERRED,
    )
    return dict(orjson.loads(webauthn.options_to_json(options)))


async def read_descriptors(connection: Connection, user_id: int) -> "list[PublicKeyCredentialDescriptor]":
    """Return the user's passkeys as WebAuthn describes them."""
    from webauthn.helpers import structs

    rows = await (await connection.execute(queries.read_descriptors, [user_id])).fetchall()
    known = {one.value: one for one in structs.AuthenticatorTransport}
    return [
        structs.PublicKeyCredentialDescriptor(
            id=bytes(credential_id), transports=[known[one] for one in transports if one in known] or None
        )
        for credential_id, transports in rows
    ]


async def store_new(
    connection: Connection, party: RelyingParty, challenge: Challenge, credential: Json, name: str
) -> Passkey:
    """Store a new passkey of the challenge's user; raise `BadPasskey`."""
    import webauthn

    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge.signed,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except Exception:  # the library lets its parsers' errors through
        raise BadPasskey from None
    new = {
        "user_id": challenge.user_id,
        "credential_id": made.credential_id,
        "public_key": made.credential_public_key,
        "sign_count": made.sign_count,
        "transports": read_transports(credential),
        "name": name,
    }
    row = await (await connection.execute(queries.insert_passkey, new)).fetchone()
    if row is None:
        raise BadPasskey
    return Passkey(*row)


def read_transports(credential: Json) -> list[str]:
    """Return the transports by which the browser says the passkey can be reached; hints only."""
    response = credential.get("response")
    given = response.get("transports") if isinstance(response, dict) else None
    return [one for one in given if isinstance(one, str) and len(one) < 20][:8] if isinstance(given, list) else []


async def use(
    connection: Connection, party: RelyingParty, challenge: Challenge, credential: Json, *, verify_user: bool = False
) -> int:
    """Return the user whose passkey signed this challenge; raise `BadPasskey`."""
    import webauthn

    asked = {"credential_id": read_id(credential), "user_id": challenge.user_id}
    row = await (await connection.execute(queries.find_passkey, asked)).fetchone()
    if row is None:
        raise BadPasskey
    passkey_id, user_id, public_key, sign_count = row
    try:
        signed = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge.signed,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=bytes(public_key),
            credential_current_sign_count=sign_count,
            require_user_verification=verify_user,
        )
    except Exception:  # as above
        raise BadPasskey from None
    await connection.execute(queries.note_use, [signed.new_sign_count, passkey_id])
    return int(user_id)


def read_id(credential: Json) -> bytes:
    """Return the credential's id; raise `BadPasskey`."""
    text = credential.get("id")
    try:
        if isinstance(text, str) and len(text) < CREDENTIAL_BYTES * 4 / 3 + 4:
            return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        pass
    raise BadPasskey


async def rename(connection: Connection, user_id: int, passkey_id: int, name: str) -> None:
    """Rename one of the user's passkeys; raise `NotFound`."""
    if not await (await connection.execute(queries.rename_passkey, [name, user_id, passkey_id])).fetchone():
        raise NotFound


async def remove(connection: Connection, user_id: int, passkey_id: int) -> None:
    """Remove one of the user's passkeys; raise `NotFound`."""
    if not await (await connection.execute(queries.delete_passkey, [user_id, passkey_id])).fetchone():
        raise NotFound
