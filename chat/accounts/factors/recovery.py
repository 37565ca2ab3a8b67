"""Recovery codes: ten codes of 80 random bits, shown once and stored hashed. Each is good for one log-in."""

import base64
import secrets

from chat.shared.identity import hash_token
from chat.shared.postgres import Connection
from chat.shared.problems import Refusal
from chat.shared.queries import load

queries = load(__file__)

COUNT = 10


class BadRecoveryCode(Refusal):
    """This recovery code is wrong or used already."""

    status, code = 403, "bad_recovery_code"


def make_code() -> str:
    """Return a code such as `k3xq-77ab-cdef-2345`."""
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, 16, 4))


def hash_code(code: str) -> bytes:
    """Return the hash that a code is stored as, whatever its case and separators. 80 random bits need no salt."""
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
