"""Passwords: their hashes, and the links that reset them."""

import asyncio
import base64
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import Field

from chat.accounts.models import Form, GivenPassword, User
from chat.accounts.second_factors import remove_all
from chat.accounts.sessions import end_all, lock_user
from chat.accounts.validation import check_password, normalize
from chat.log.append import Log
from chat.shared.audit import Actor, record
from chat.shared.errors import ApiError, Forbidden, Invalid, NotFound, Overloaded
from chat.shared.identity import hash_token
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)

# Hashes: argon2id in threads, only a few at a time, because each needs 64 MiB and a core.

AT_ONCE = min(4, os.cpu_count() or 1)
WAITING_MOST = 64
T = TypeVar("T")


class Hasher:
    """Hashes and verifies passwords with the library's current defaults; older hashes are renewed at the next log-in.

    `computed` counts the hashes: every answer costs the same.
    """

    def __init__(self) -> None:
        self._argon = PasswordHasher()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")
        self._dummy = dummy_hash(self._argon)
        self._waiting = 0
        self.computed = 0

    async def hash(self, password: str) -> str:
        """Return a new hash with its own salt; raise `Overloaded`."""
        return await self._work(lambda: self._argon.hash(normalize(password)))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Return whether this is the password. Without a `stored` hash the work is the same and the answer is False."""

        def compare() -> bool:
            try:
                return self._argon.verify(stored or self._dummy, normalize(password)) and bool(stored)
            except (VerificationError, InvalidHashError):
                return False

        return await self._work(compare)

    def is_old(self, stored: str) -> bool:
        """Return whether the hash was made with other parameters than the current ones."""
        return self._argon.check_needs_rehash(stored)

    async def _work(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MOST:
            raise Overloaded(retry_after=2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
            self.computed += 1

    def close(self) -> None:
        """Stop the threads and drop the work that has not started."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def dummy_hash(argon: PasswordHasher) -> str:
    """Return a hash that no password has, and that takes as long to compare as a real one.

    It is made up because computing one would delay the start of each node by 0.1 s.
    """
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (argon.salt_len, argon.hash_len)
    )
    costs = f"m={argon.memory_cost},t={argon.time_cost},p={argon.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${digest}"


def check_new_password(password: str, user: User) -> None:
    """Raise `Invalid` for a password that this user may not choose."""
    try:
        check_password(password, user.name, user.display_name)
    except ValueError as wrong:
        raise Invalid(errors=[{"field": "new", "detail": str(wrong)}]) from None


# Reset links: the token is shown once and stored hashed, works once, and expires after a day.

RESET_HOURS = 24
TOKEN_BYTES = 32


class BadReset(Forbidden):
    """This link no longer works. Ask an admin for a new one."""

    code = "bad_reset"


class AccountDisabled(ApiError):
    """This account is disabled. Enable it first."""

    status, code = 409, "account_disabled"


class NoPassword(ApiError):
    """A bot has no password. It uses its API key instead."""

    status, code = 409, "no_password"


class ResetForm(Form):
    """A reset link to create. `also_second_factors`: using it removes the account's second factors too."""

    also_second_factors: Annotated[bool, Field(strict=True)] = False


class NewPassword(Form):
    """The token of a reset link, and the new password."""

    token: Annotated[str, Field(max_length=64)]
    new: GivenPassword


@dataclass(frozen=True, slots=True)
class PasswordReset:
    """A reset link. `path` contains its token and is known only now."""

    path: str
    expires_at: str

    def to_json(self) -> dict[str, object]:
        """Return what the admin who created it sees."""
        return {"path": self.path, "expires_at": self.expires_at}


async def create_reset(pool: Pool, actor: Actor, user_id: int, *, second_factors: bool = False) -> PasswordReset:
    """Create a link that replaces any earlier one. Raise `NotFound`, `AccountDisabled` or `NoPassword`."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    made = {"digest": hash_token(token), "user": user_id, "actor": actor.user_id, "hours": RESET_HOURS}
    async with pool.connection() as connection, connection.transaction():
        row = await (
            await connection.execute(queries.insert_reset, made | {"second_factors": second_factors})
        ).fetchone()
        if row is None:
            known = await (await connection.execute(queries.has_user, [user_id])).fetchone()
            if known is None:
                raise NotFound
            raise NoPassword if known[0] else AccountDisabled
        await record(connection, actor, "reset.make", user_id, second_factors=second_factors)
    return PasswordReset(f"/reset#{token}", row[0])


async def use_reset(log: Log, pool: Pool, hasher: Hasher, address: str, form: NewPassword) -> list[int]:
    """Set the password and end all sessions; return their ids. Raise `BadReset`, or `Invalid` for a bad password."""
    digest = hash_token(form.token)
    async with pool.connection() as connection:
        row = await (await connection.execute(queries.find_reset, [digest])).fetchone()
    if row is None:
        raise BadReset
    user = User(*row)
    check_new_password(form.new, user)
    fresh = await hasher.hash(form.new)
    async with log.change() as change:
        await lock_user(change, user.id)
        used = await (await change.connection.execute(queries.use_reset, [digest])).fetchone()
        if used is None:
            raise BadReset
        await change.connection.execute(queries.set_password, [fresh, user.id])
        actor = Actor(user.id, address)
        await record(change.connection, actor, "reset.use", user.id)
        if used[0]:
            await remove_all(change.connection, user.id)
            await record(change.connection, actor, "mfa.removed", user.id, why="reset")
        return await end_all(change, actor, user.id, "reset")
