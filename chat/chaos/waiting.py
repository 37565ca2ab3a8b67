"""Waiting for a condition, with a limit."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

from chat.local.errors import UpTrouble

STEP = 0.05


class StillNot(UpTrouble):
    """A run cannot go on: something did not happen in its time."""


async def came_true(check: Callable[[], bool | Awaitable[bool]], limit: float) -> bool:
    """Wait until it holds, at most `limit` seconds; whether it does."""
    deadline = time.monotonic() + limit
    while True:
        found = check()
        if await found if inspect.isawaitable(found) else found:
            return True
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(STEP)


async def until(check: Callable[[], bool | Awaitable[bool]], limit: float, what: str) -> None:
    """As `came_true`; raises `StillNot` when it never did."""
    if not await came_true(check, limit):
        raise StillNot(f"waited {limit:.0f} s for {what}")
