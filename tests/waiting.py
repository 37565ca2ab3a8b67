"""Waiting for a condition, with a time limit: the only place in the tests that sleeps."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")
STEP = 0.01
LIMIT = 30.0  # seconds; what takes processor time must also come on a slow machine that others use
SLEPT_MOST = 0.05  # seconds that one step counts for at most: a busy machine may take more


@overload
async def eventually(check: Callable[[], Awaitable[T]], limit: float = LIMIT) -> T: ...
@overload
async def eventually(check: Callable[[], T], limit: float = LIMIT) -> T: ...
async def eventually(check: Callable[[], Any], limit: float = LIMIT) -> Any:
    """Wait until `check` returns something true, and return it; fail after `limit` seconds.

    Seconds in which this process got no processor do not count, since the node under test got none either.
    """
    waited = 0.0
    while True:
        began = time.monotonic()
        found = check()
        answer = await found if inspect.isawaitable(found) else found
        if answer:
            return answer
        checked = time.monotonic()
        assert waited < limit, f"still {answer!r} after {limit} s"
        await asyncio.sleep(STEP)
        waited += checked - began + min(time.monotonic() - checked, SLEPT_MOST)


def wait_until(check: Callable[[], T], limit: float = LIMIT) -> T:
    """Do what `eventually` does, outside an event loop."""
    waited = 0.0
    while True:
        began = time.monotonic()
        if answer := check():
            return answer
        checked = time.monotonic()
        assert waited < limit, f"still {answer!r} after {limit} s"
        time.sleep(STEP)
        waited += checked - began + min(time.monotonic() - checked, SLEPT_MOST)


async def breathe(seconds: float = STEP) -> None:
    """Pause as a client does between two attempts or two actions."""
    await asyncio.sleep(seconds)
