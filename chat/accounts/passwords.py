"""Password hashes: argon2id in threads, only a few at a time, because each needs 64 MiB and a core."""

import asyncio
import base64
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chat.accounts.validation import normalize
from chat.shared.errors import Overloaded

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
