"""Actions of users with second factors, one verb each."""

from typing import Any

import psycopg
import pyotp

from tests.accounts.authenticator import Authenticator
from tests.accounts.visitor import Visitor

Json = dict[str, Any]
ME = "/api/users/me"


async def sets_up_app(visitor: Visitor) -> tuple[pyotp.TOTP, list[str]]:
    """Set up an authenticator app, confirm it with its code, and return the recovery codes."""
    status, made = await visitor.call("POST", f"{ME}/totp", {})
    assert status == 201, made
    app = pyotp.TOTP(made["secret"])
    status, answer = await visitor.call("PUT", f"{ME}/totp", {"totp": app.now()})
    assert status == 200, answer
    return app, answer["recovery_codes"]


async def adds_passkey(visitor: Visitor, name: str = "Laptop", origin: str = "") -> tuple[Authenticator, Json]:
    """Add a passkey on a device of its own; return the answer."""
    device = Authenticator(origin or visitor.at)
    status, asked = await visitor.call("POST", f"{ME}/passkeys/options", {})
    assert status == 200, asked
    made = {"challenge": asked["challenge"], "passkey": device.creates(asked["options"]), "name": name}
    status, answer = await visitor.call("POST", f"{ME}/passkeys", made)
    assert status == 201, answer
    return device, answer


async def finishes(visitor: Visitor, problem: Json, **proof: Any) -> tuple[int, Json]:
    """Complete a log-in with a second factor."""
    return await visitor.call("POST", "/api/sessions/second", {"challenge": problem["challenge"], **proof})


def waits_for_next_code(database_url: str) -> None:
    """Let the last used code be one of a step long ago."""
    with psycopg.connect(database_url) as connection:
        connection.execute("update authenticators set last_step = 0")
