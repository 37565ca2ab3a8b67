"""Hashing passwords: argon2id, in threads, and only a few at once, for each takes 64 MiB and a core for a while."""

import asyncio
import base64
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chat.accounts.validation import normalise
from chat.shared.errors import Overloaded

AT_ONCE = min(4, os.cpu_count() or 1)
WAITING_MOST = 64
T = TypeVar("T")


class Hasher:
    """The library's current defaults; hashes made with older ones are renewed at the next log-in.

    `worked` counts the hashes computed: whatever the answer is, it has cost the same.
    """

    def __init__(self) -> None:
        self._argon = PasswordHasher()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")
        self._nobody = hash_of_nobody(self._argon)
        self._waiting = 0
        self.worked = 0

    async def hash(self, password: str) -> str:
        """A new hash with a salt of its own; raises `Overloaded`."""
        return await self._work(lambda: self._argon.hash(normalise(password)))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Is this the password? Without a `stored` hash the same work is done, and the answer is no."""

        def compare() -> bool:
            try:
                return self._argon.verify(stored or self._nobody, normalise(password)) and bool(stored)
            except (VerificationError, InvalidHashError):
                return False

        return await self._work(compare)

    def is_old(self, stored: str) -> bool:
        """Was it made with other parameters than today's?"""
        return self._argon.check_needs_rehash(stored)

    async def _work(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MOST:
            raise Overloaded(retry_after=2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
            self.worked += 1

    def close(self) -> None:
        """Let the threads go; what has not begun is not begun any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def hash_of_nobody(argon: PasswordHasher) -> str:
    """A hash that no password has, and that costs as much to compare with as anybody's; made up, not computed, for
    that would take every node a tenth of a second to start."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (argon.salt_len, argon.hash_len)
    )
    costs = f"m={argon.memory_cost},t={argon.time_cost},p={argon.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${digest}"
