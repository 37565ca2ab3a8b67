"""Authenticator apps: time-based one-time codes (RFC 6238), six digits, a new one every 30 seconds."""

import hmac
from collections.abc import Sequence

import pyotp
import segno

from chat.shared.postgres import Connection
from chat.shared.problems import Refusal
from chat.shared.queries import load

queries = load(__file__)

ISSUER = "Tandem"

DRIFT = (-1, 0, 1)  # steps that an app's clock may be off


class AuthenticatorExists(Refusal):
    """An authenticator app is set up already. Remove it first."""

    status, code = 409, "authenticator_exists"


class BadCode(Refusal):
    """This code is wrong, expired or used already. Enter the code that the app shows now."""

    status, code = 403, "bad_code"


async def begin_totp(connection: Connection, user_id: int) -> str:
    """Store and return a new secret. It asks for nothing at log-in until it is confirmed.

    Raise `AuthenticatorExists` when the user has a confirmed one.
    """
    secret = pyotp.random_base32()
    began = {"user_id": user_id, "secret": secret}
    if not await (await connection.execute(queries.begin_authenticator, began)).fetchone():
        raise AuthenticatorExists
    return secret


def describe_totp(secret: str, name: str, host: str) -> dict[str, str]:
    """Return what an app is set up with: the secret as text, as a link and as a QR code (SVG in a data URL)."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=f"{name}@{host}", issuer_name=ISSUER)
    picture = segno.make(uri, error="m").svg_data_uri(scale=4, border=2, dark="#000", light="#fff")
    return {"secret": secret, "uri": uri, "qr": picture}


async def confirm_totp(connection: Connection, user_id: int, code: str) -> None:
    """Confirm the new secret with a first code; raise `BadCode`."""
    await use_totp(connection, user_id, code, confirmed=False)


async def use_totp(connection: Connection, user_id: int, code: str, *, confirmed: bool = True) -> None:
    """Use a code, once. Raise `BadCode` for a wrong one, or one of a step that was used before."""
    asked = {"user_id": user_id, "confirmed": confirmed}
    row = await (await connection.execute(queries.read_authenticator, asked)).fetchone()
    step = find_step(row[0], code, row[1]) if row else None
    if row is None or step is None:
        raise BadCode
    used = {"user_id": user_id, "secret": row[0], "step": step}
    if not await (await connection.execute(queries.use_step, used)).fetchone():
        raise BadCode


def find_step(secret: str, code: str, now: int) -> int | None:
    """Return the step whose code this is, of those around `now`."""
    app = pyotp.TOTP(secret)
    steps: Sequence[int] = [now + drift for drift in DRIFT]
    return next((step for step in steps if hmac.compare_digest(app.generate_otp(step), code)), None)


async def remove_totp(connection: Connection, user_id: int) -> bool:
    """Remove the authenticator app; return whether there was one."""
    return await (await connection.execute(queries.delete_authenticator, [user_id])).fetchone() is not None
