"""Draining: a node takes nothing new and ends what it has, spread over a while; then it stops, or waits to be told to
come back."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog

log = structlog.get_logger(__name__)


class Roster(Protocol):
    """What can drain: the streams of a node, or its sockets."""

    draining: bool

    def __len__(self) -> int: ...

    async def drain(self, seconds: float) -> None:
        """Take no new ones, and end each at a random moment."""


class Draining:
    """`start(name, work)` runs a task; `seconds` is how long the goodbyes are spread over."""

    def __init__(
        self,
        rosters: list[Roster],
        seconds: float,
        start: Callable[[str, Coroutine[Any, Any, None]], "asyncio.Task[None]"],
    ) -> None:
        self._rosters, self._seconds, self._start = rosters, seconds, start
        self._task: asyncio.Task[None] | None = None

    async def drain(self) -> None:
        """Done when nothing is left."""
        log.info("draining", connections=sum(map(len, self._rosters)), seconds=self._seconds)
        await asyncio.gather(*(roster.drain(self._seconds) for roster in self._rosters))

    def order(self, on: bool) -> None:
        """Somebody wants this node to drain, while it goes on; or to come back."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if on:
            self._task = self._start("drain as ordered", self.drain())
            return
        log.info("taking connections again")
        for roster in self._rosters:
            roster.draining = False
