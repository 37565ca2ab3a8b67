"""Challenges: one-time tokens that tie the steps of logging in, of a proof or of a new passkey together.

The token is also the challenge that a passkey signs: 256 random bits in base64url, stored hashed, valid for 5 minutes.
"""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chat.shared.errors import ApiError
from chat.shared.identity import hash_token
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)
SECONDS = 300
Purpose = Literal["second", "login", "proof", "passkey"]


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
            "seconds": SECONDS,
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
