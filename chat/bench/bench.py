"""A bench: a place, generators and a progress bar, together for as long as something is measured."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from rich.progress import Progress

from chat.bench.crew import Worker, hired
from chat.bench.place import Place
from chat.bench.progress import counting, watching
from chat.bench.target import Target
from chat.bench.trouble import BenchTrouble

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bench:
    """`ears` listen, `mouth` speaks; `scale` shrinks sizes, for a glance or a small machine."""

    place: Place
    ears: list[Worker]
    mouth: Worker
    progress: Progress
    scale: float = 1.0

    def sized(self, size: float, least: int = 1) -> int:
        """A size of the plan, on this scale."""
        return max(least, round(size * self.scale))

    async def open(self, target: Target, tokens: list[str], **more: Any) -> None:
        """A stream for each token, spread over the ears; raises `BenchTrouble` when some are refused."""
        share = len(self.ears)
        parts = [tokens[n::share] for n in range(share)]
        work = [ear.ask("open", target=target, tokens=part, **more) for ear, part in zip(self.ears, parts, strict=True)]
        async with watching(self.progress, f"opening {len(tokens):,} streams", len(tokens), self.opened):
            answers = await asyncio.gather(*work)
        if missing := len(tokens) - sum(answer["fresh"] for answer in answers):
            raise BenchTrouble(f"{missing} of {len(tokens)} streams were not opened.")

    async def opened(self) -> int:
        """How many streams are open."""
        return sum([(await ear.ask("count"))["opened"] for ear in self.ears])

    async def received(self) -> int:
        """How many deliveries have come."""
        return sum([(await ear.ask("count"))["received"] for ear in self.ears])

    async def listen(self, wanted: int, *, timed: bool = False, awake: bool = False) -> None:
        """Count from nothing up to so many in all; `awake`: without ever sleeping."""
        for ear in self.ears:
            await ear.ask("listen", wanted=max(1, wanted // len(self.ears)), timed=timed, awake=awake)

    async def heard(self, limit: float = 60) -> list[Json]:
        """Wait until all ears have what is wanted; what each heard."""
        return await asyncio.gather(*(ear.ask("heard", limit=limit) for ear in self.ears))

    async def forget(self) -> None:
        """Close all streams, and wait until the node has noticed."""
        for ear in self.ears:
            await ear.ask("forget")

    def counting(self, what: str, total: float) -> Any:
        """A bar of our own."""
        return counting(self.progress, what, total)


@asynccontextmanager
async def benching(place: Place, progress: Progress, scale: float = 1.0, ears: int = 1) -> AsyncIterator[Bench]:
    """Everything there, until the end of the block."""
    async with hired(ears + 1) as (mouth, *others):
        yield Bench(place, others, mouth, progress, scale)


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """Seconds since here."""
    begun = time.monotonic()
    yield lambda: time.monotonic() - begun


Measure = Callable[[Bench], Awaitable[Any]]
