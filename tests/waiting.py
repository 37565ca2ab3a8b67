"""Waiting for a condition, with a limit: the only place in the tests that sleeps."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

STEP = 0.01


async def eventually(check: Callable[[], T | Awaitable[T]], limit: float = 5.0) -> T:
    """Await until `check` gives something true, and return it; fail after `limit` seconds."""
    deadline = time.monotonic() + limit
    while True:
        found = check()
        answer: T = await found if inspect.isawaitable(found) else found
        if answer:
            return answer
        assert time.monotonic() < deadline, f"still {answer!r} after {limit} s"
        await asyncio.sleep(STEP)


def wait_until(check: Callable[[], T], limit: float = 5.0) -> T:
    """The same outside an event loop."""
    deadline = time.monotonic() + limit
    while not (answer := check()):
        assert time.monotonic() < deadline, f"still {answer!r} after {limit} s"
        time.sleep(STEP)
    return answer
