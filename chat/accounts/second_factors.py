"""Second factors of a user: list, add, remove and prove them."""

import base64
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import pyotp
import segno
from pydantic import AfterValidator, Field, model_validator

from chat.accounts import passkeys
from chat.accounts.models import DeviceName, Form, GivenPassword
from chat.accounts.passkeys import Challenge, Passkey, RelyingParty
from chat.accounts.validation import DisplayName
from chat.log.append import Change, Log
from chat.log.entry import IDENTITY, Unplaced
from chat.shared.audit import Actor, record
from chat.shared.errors import ApiError, Invalid, NotFound
from chat.shared.identity import hash_token
from chat.shared.postgres import Connection, Pool
from chat.shared.sql import load

queries = load(__file__)
ChallengeToken = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]
Credential = dict[str, Any]


def plain_code(text: str) -> str:
    """Return the code without the spaces that apps show it with; raise `ValueError`."""
    code = text.replace(" ", "")
    if not (len(code) == 6 and code.isascii() and code.isdigit()):
        raise ValueError("must be the six digits that the app shows")
    return code


Code = Annotated[str, Field(max_length=16), AfterValidator(plain_code)]
RecoveryCode = Annotated[str, Field(min_length=1, max_length=64)]
PasskeyName = DisplayName  # shown on one line


class Proof(Form):
    """Proof of who you are: exactly one of `password`, `totp` and `passkey`, the last with its `challenge`."""

    password: GivenPassword | None = None
    totp: Code | None = None
    passkey: Credential | None = None
    challenge: ChallengeToken | None = None

    @model_validator(mode="after")
    def check_one(self) -> "Proof":
        """Raise `ValueError` unless exactly one is given."""
        check_one(self, "password", "totp", "passkey")
        return self


class SecondStep(Form):
    """The second step of a log-in: exactly one of `totp`, `passkey` and `recovery_code`."""

    challenge: ChallengeToken
    totp: Code | None = None
    passkey: Credential | None = None
    recovery_code: RecoveryCode | None = None
    device: DeviceName = ""

    @model_validator(mode="after")
    def check_one(self) -> "SecondStep":
        """Raise `ValueError` unless exactly one is given."""
        check_one(self, "totp", "passkey", "recovery_code")
        return self


def check_one(form: Form, *names: str) -> None:
    """Raise `ValueError` unless exactly one of these fields is given."""
    if sum(getattr(form, name) is not None for name in names) != 1:
        raise ValueError(f"needs exactly one of {', '.join(names)}")


class PasskeyLogIn(Form):
    """A log-in with a passkey alone."""

    challenge: ChallengeToken
    passkey: Credential
    device: DeviceName = ""


class NewPasskey(Form):
    """A new passkey, as the browser created it, and its name."""

    challenge: ChallengeToken
    passkey: Credential
    name: PasskeyName


class PasskeyChange(Form):
    """A new name for a passkey."""

    name: PasskeyName


class FirstCode(Form):
    """The first code that a new authenticator app shows."""

    totp: Code


@dataclass(frozen=True, slots=True)
class Factors:
    """The second factors of a user."""

    authenticator_since: str | None
    passkeys: list[Passkey]
    codes_left: int

    @property
    def methods(self) -> list[str]:
        """Return the ways to continue a log-in; empty if the password is enough."""
        found = ["totp"] * bool(self.authenticator_since) + ["passkey"] * bool(self.passkeys)
        return found + ["recovery_code"] * bool(found and self.codes_left)

    def to_json(self) -> dict[str, object]:
        return {
            "authenticator_since": self.authenticator_since,
            "passkeys": [one.to_json() for one in self.passkeys],
            "recovery_codes": self.codes_left,
        }


async def read_factors(connection: Connection, user_id: int) -> Factors:
    """Return the second factors of this user."""
    row = await (await connection.execute(queries.read_factors, [user_id])).fetchone()
    assert row is not None
    return Factors(row[0], await passkeys.list_passkeys(connection, user_id), row[1])


class SecondFactors:
    """Adds, removes and proves second factors. Each change is recorded in the audit log and reaches every node."""

    def __init__(self, pool: Pool, log: Log) -> None:
        self.pool, self._log = pool, log

    async def of_user(self, user_id: int) -> Factors:
        """Return the second factors of this user."""
        async with self.pool.connection() as connection:
            return await read_factors(connection, user_id)

    async def confirm_authenticator(self, actor: Actor, user_id: int, code: str) -> list[str]:
        """Confirm a new authenticator app; return recovery codes if the user had none. Raise `BadCode`."""
        async with self._log.change() as change:
            await confirm_totp(change.connection, user_id, code)
            return await self._added(change, actor, user_id, "totp")

    async def add_passkey(
        self, actor: Actor, party: RelyingParty, challenge: Challenge, form: NewPasskey
    ) -> tuple[Passkey, list[str]]:
        """Store a new passkey; return it, and recovery codes if the user had none. Raise `BadPasskey`."""
        user_id = challenge.user_id or 0
        async with self._log.change() as change:
            made = await passkeys.store_new(change.connection, party, challenge, form.passkey, form.name)
            return made, await self._added(change, actor, user_id, "passkey")

    async def _added(self, change: Change, actor: Actor, user_id: int, kind: str) -> list[str]:
        await record(change.connection, actor, "mfa.added", user_id, kind=kind)
        await change.record(Unplaced(IDENTITY, user_id=user_id))
        factors = await read_factors(change.connection, user_id)
        return [] if factors.codes_left else await renew_recovery_codes(change.connection, user_id)

    async def remove_authenticator(self, actor: Actor, user_id: int) -> None:
        """Remove the authenticator app; raise `NotFound`."""
        async with self._log.change() as change:
            if not await remove_totp(change.connection, user_id):
                raise NotFound
            await self._removed(change, actor, user_id, "totp")

    async def remove_passkey(self, actor: Actor, user_id: int, passkey_id: int) -> None:
        """Remove a passkey; raise `NotFound`."""
        async with self._log.change() as change:
            await passkeys.remove(change.connection, user_id, passkey_id)
            await self._removed(change, actor, user_id, "passkey")

    async def _removed(self, change: Change, actor: Actor, user_id: int, kind: str) -> None:
        """Record the removal. Recovery codes replace other factors, so they are deleted with the last of them."""
        await record(change.connection, actor, "mfa.removed", user_id, kind=kind)
        await change.record(Unplaced(IDENTITY, user_id=user_id))
        if not (await read_factors(change.connection, user_id)).methods:
            await change.connection.execute(queries.delete_codes, [user_id])

    async def renew_codes(self, actor: Actor, user_id: int) -> list[str]:
        """Replace the recovery codes; return the new ones. Raise `Invalid` if the user has no other second factor."""
        async with self.pool.connection() as connection, connection.transaction():
            if not (await read_factors(connection, user_id)).methods:
                raise Invalid("Set up an authenticator app or a passkey first.")
            await record(connection, actor, "mfa.codes", user_id)
            return await renew_recovery_codes(connection, user_id)

    async def prove(
        self, party: RelyingParty, challenge: Challenge | None, user_id: int, form: Proof | SecondStep
    ) -> str:
        """Prove one of the user's factors and return its kind. Raise `BadCode`, `BadPasskey`, `BadRecoveryCode`."""
        async with self.pool.connection() as connection:
            if form.totp is not None:
                await use_totp(connection, user_id, form.totp)
                return "totp"
            if form.passkey is not None and challenge is not None:
                await passkeys.use(connection, party, challenge, form.passkey)
                return "passkey"
            if isinstance(form, SecondStep) and form.recovery_code is not None:
                await use_recovery_code(connection, user_id, form.recovery_code)
                return "recovery_code"
        raise passkeys.BadPasskey


async def remove_all(connection: Connection, user_id: int) -> None:
    """Remove all second factors of a user."""
    await connection.execute(queries.delete_factors, {"user_id": user_id})


# Recovery codes: ten codes of 80 random bits, shown once and stored hashed. Each works for one log-in.

COUNT = 10


class BadRecoveryCode(ApiError):
    """This recovery code is wrong or has been used already."""

    status, code = 403, "bad_recovery_code"


def make_code() -> str:
    """Return a code such as `k3xq-77ab-cdef-2345`."""
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, 16, 4))


def hash_code(code: str) -> bytes:
    """Return the hash that is stored for a code, regardless of case and separators. 80 random bits need no salt."""
    return hash_token("".join(letter for letter in code.lower() if letter.isalnum()))


async def renew_recovery_codes(connection: Connection, user_id: int) -> list[str]:
    """Replace all codes of this user; return the new ones."""
    codes = [make_code() for _ in range(COUNT)]
    await connection.execute(queries.delete_codes, [user_id])
    await connection.execute(queries.insert_codes, [user_id, [hash_code(code) for code in codes]])
    return codes


async def use_recovery_code(connection: Connection, user_id: int, code: str) -> None:
    """Use a code, once; raise `BadRecoveryCode`."""
    if not await (await connection.execute(queries.use_code, [user_id, hash_code(code)])).fetchone():
        raise BadRecoveryCode


# Authenticator apps: time-based one-time codes (RFC 6238), six digits, a new one every 30 seconds.

ISSUER = "Tandem"
DRIFT = (-1, 0, 1)  # steps that an app's clock may be off


class AuthenticatorExists(ApiError):
    """An authenticator app is set up already. Remove it first."""

    status, code = 409, "authenticator_exists"


class BadCode(ApiError):
    """This code is wrong, expired or used already. Enter the code that the app shows now."""

    status, code = 403, "bad_code"


async def begin_totp(connection: Connection, user_id: int) -> str:
    """Store and return a new secret, which is not required at log-in until it is confirmed.

    Raise `AuthenticatorExists` if the user has a confirmed one.
    """
    secret = pyotp.random_base32()
    began = {"user_id": user_id, "secret": secret}
    if not await (await connection.execute(queries.begin_authenticator, began)).fetchone():
        raise AuthenticatorExists
    return secret


def describe_totp(secret: str, name: str, host: str) -> dict[str, str]:
    """Return the data for setting up an app: the secret as text, as a link and as a QR code (SVG in a data URL)."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=f"{name}@{host}", issuer_name=ISSUER)
    picture = segno.make(uri, error="m").svg_data_uri(scale=4, border=2, dark="#000", light="#fff")
    return {"secret": secret, "uri": uri, "qr": picture}


async def confirm_totp(connection: Connection, user_id: int, code: str) -> None:
    """Confirm the new secret with a first code; raise `BadCode`."""
    await use_totp(connection, user_id, code, confirmed=False)


async def use_totp(connection: Connection, user_id: int, code: str, *, confirmed: bool = True) -> None:
    """Use a code once. Raise `BadCode` for a wrong one, or one of a step that was used before."""
    asked = {"user_id": user_id, "confirmed": confirmed}
    row = await (await connection.execute(queries.read_authenticator, asked)).fetchone()
    step = find_step(row[0], code, row[1]) if row else None
    if row is None or step is None:
        raise BadCode
    used = {"user_id": user_id, "secret": row[0], "step": step}
    if not await (await connection.execute(queries.use_step, used)).fetchone():
        raise BadCode


def find_step(secret: str, code: str, now: int) -> int | None:
    """Return the step that this code belongs to, of those around `now`."""
    app = pyotp.TOTP(secret)
    steps: Sequence[int] = [now + drift for drift in DRIFT]
    return next((step for step in steps if hmac.compare_digest(app.generate_otp(step), code)), None)


async def remove_totp(connection: Connection, user_id: int) -> bool:
    """Remove the authenticator app; return whether there was one."""
    return await (await connection.execute(queries.delete_authenticator, [user_id])).fetchone() is not None
