"""Traffic: how many people others have seen come and go, counted by all nodes together."""

import asyncio

from chat.shared.redis import UNAVAILABLE, Bytes
from chat.shared.registry.calls import run_commands
from chat.shared.registry.keys import COUNTS

PERIOD_SECONDS = 1.0


class Traffic:
    """Whoever runs a script is told whether by it somebody came or went; what it noted is added up once a second, so
    that a storm costs no more than a calm."""

    def __init__(self, redis: Bytes) -> None:
        self._redis = redis
        self._joins = self._leaves = 0

    def note(self, moved: int) -> None:
        """1: others see one more; -1: one fewer; 0: neither."""
        if moved > 0:
            self._joins += 1
        elif moved < 0:
            self._leaves += 1

    async def run(self) -> None:
        """Add them up for ever; what Redis did not take stays for the next time."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            try:
                await self.add_up()
            except UNAVAILABLE:
                continue  # whoever needs Redis more says so

    async def add_up(self) -> None:
        """All that was noted. Raises that Redis is away."""
        joins, leaves = self._joins, self._leaves
        counts = [["HINCRBY", COUNTS, name, count] for name, count in (("joins", joins), ("leaves", leaves)) if count]
        await run_commands(self._redis, counts)
        self._joins -= joins
        self._leaves -= leaves
