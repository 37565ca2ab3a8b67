"""What people do with second factors, a verb each."""

from typing import Any

import psycopg
import pyotp

from tests.accounts.authenticator import Authenticator
from tests.accounts.visitor import Visitor

Json = dict[str, Any]
ME = "/api/users/me"


async def sets_up_app(visitor: Visitor) -> tuple[pyotp.TOTP, list[str]]:
    """An authenticator app, confirmed with its code; the recovery codes that came with it."""
    status, made = await visitor.call("POST", f"{ME}/totp", {})
    assert status == 201, made
    app = pyotp.TOTP(made["secret"])
    status, answer = await visitor.call("PUT", f"{ME}/totp", {"totp": app.now()})
    assert status == 200, answer
    return app, answer["recovery_codes"]


async def adds_passkey(visitor: Visitor, name: str = "Laptop", origin: str = "") -> tuple[Authenticator, Json]:
    """A passkey on a device of its own; the answer."""
    device = Authenticator(origin or visitor.at)
    status, asked = await visitor.call("POST", f"{ME}/passkeys/options", {})
    assert status == 200, asked
    made = {"challenge": asked["challenge"], "passkey": device.creates(asked["options"]), "name": name}
    status, answer = await visitor.call("POST", f"{ME}/passkeys", made)
    assert status == 201, answer
    return device, answer


async def finishes(visitor: Visitor, problem: Json, **proof: Any) -> tuple[int, Json]:
    """The second step of a log-in."""
    return await visitor.call("POST", "/api/sessions/second", {"challenge": problem["challenge"], **proof})


def waits_for_next_code(database_url: str) -> None:
    """As if the code used last were of a step long ago."""
    with psycopg.connect(database_url) as connection:
        connection.execute("update authenticators set last_step = 0")
