"""Waiting for a condition, with a limit: the only place in the tests that sleeps."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")
STEP = 0.01


@overload
async def eventually(check: Callable[[], Awaitable[T]], limit: float = 5.0) -> T: ...
@overload
async def eventually(check: Callable[[], T], limit: float = 5.0) -> T: ...
async def eventually(check: Callable[[], Any], limit: float = 5.0) -> Any:
    """Await until `check` gives something true, and return it; fail after `limit` seconds."""
    deadline = time.monotonic() + limit
    while True:
        found = check()
        answer = await found if inspect.isawaitable(found) else found
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


async def breathe(seconds: float = STEP) -> None:
    """What a client waits between two attempts, or between two things it does."""
    await asyncio.sleep(seconds)
