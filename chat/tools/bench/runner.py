"""The runner: generator processes, the protocol to them, and a bench that joins them with an environment."""

import asyncio
import itertools
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from rich.progress import Progress

from chat.local.progress import counting, watching
from chat.tools.bench.environment import BenchEnvironment
from chat.tools.bench.generator import LINE_MOST
from chat.tools.bench.targets import BenchTrouble, GeneratorDied, Target

Json = dict[str, Any]


class Worker:
    """One process of the load generator."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process, self._numbers = process, itertools.count()
        self._asked: dict[int, asyncio.Future[Json]] = {}

    async def ask(self, do: str, **order: Any) -> Json:
        """Send an order and return its answer; raise `GeneratorDied`."""
        if self._process.returncode is not None:
            raise GeneratorDied
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        order = {name: asdict(value) if isinstance(value, Target) else value for name, value in order.items()}
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps(order | {"id": number, "do": do}) + b"\n")
        await self._process.stdin.drain()
        found: Json = await answer
        return found

    async def hear(self) -> None:
        """Hand answers to the orders that wait for them, until the process ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            answer = orjson.loads(line)
            asked = self._asked.pop(answer.pop("id"))
            if not asked.done():  # a progress bar may have stopped waiting meanwhile
                asked.set_result(answer)
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(GeneratorDied())

    async def close(self) -> None:
        """End the process by closing its standard input."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()


@asynccontextmanager
async def start_workers(count: int = 2) -> AsyncIterator[list[Worker]]:
    """Yield that many generator processes; end them afterwards."""
    command = sys.executable, "-m", "chat.tools.bench.generator"
    pipe = asyncio.subprocess.PIPE
    workers = []
    try:
        async with asyncio.TaskGroup() as group:
            try:
                for _ in range(count):
                    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=LINE_MOST)
                    workers.append(Worker(process))
                    group.create_task(workers[-1].hear())
                yield workers
            finally:
                for worker in workers:
                    await worker.close()
    except BaseExceptionGroup as wrong:
        raise first_of(wrong) from None


def first_of(wrong: BaseException) -> BaseException:
    """Return the first error in the groups that tasks wrap it in."""
    while isinstance(wrong, BaseExceptionGroup):
        wrong = wrong.exceptions[0]
    return wrong


@dataclass(frozen=True, slots=True)
class Bench:
    """A measurement's parts: `ears` are generators that read, `mouth` is one that posts.

    `scale` shrinks sizes for a quick look or a small machine.
    """

    environment: BenchEnvironment
    ears: list[Worker]
    mouth: Worker
    progress: Progress
    scale: float = 1.0

    def sized(self, size: float, least: int = 1) -> int:
        """Return a size of the plan on this scale."""
        return max(least, round(size * self.scale))

    async def open(self, target: Target, tokens: list[str], **more: Any) -> None:
        """Open a stream for each token, spread over the ears; raise `BenchTrouble` if some are refused."""
        share = len(self.ears)
        parts = [tokens[n::share] for n in range(share)]
        work = [ear.ask("open", target=target, tokens=part, **more) for ear, part in zip(self.ears, parts, strict=True)]
        async with watching(self.progress, f"opening {len(tokens):,} streams", len(tokens), self.opened):
            answers = await asyncio.gather(*work)
        if missing := len(tokens) - sum(answer["fresh"] for answer in answers):
            raise BenchTrouble(f"{missing} of {len(tokens)} streams were not opened.")

    async def opened(self) -> int:
        """Return how many streams are open."""
        return sum([(await ear.ask("count"))["opened"] for ear in self.ears])

    async def received(self) -> int:
        """Return how many deliveries have arrived."""
        return sum([(await ear.ask("count"))["received"] for ear in self.ears])

    async def listen(self, wanted: int, *, timed: bool = False, awake: bool = False) -> None:
        """Start counting from zero up to a total; with `awake` the generators never sleep."""
        for ear in self.ears:
            await ear.ask("listen", wanted=max(1, wanted // len(self.ears)), timed=timed, awake=awake)

    async def heard(self, limit: float = 60) -> list[Json]:
        """Wait until all ears have what is wanted; return their counts."""
        return await asyncio.gather(*(ear.ask("heard", limit=limit) for ear in self.ears))

    async def forget(self) -> None:
        """Close all streams, and wait until the node has noticed."""
        for ear in self.ears:
            await ear.ask("forget")

    def counting(self, what: str, total: float) -> Any:
        """Yield a progress bar."""
        return counting(self.progress, what, total)


@asynccontextmanager
async def benching(
    environment: BenchEnvironment, progress: Progress, scale: float = 1.0, ears: int = 1
) -> AsyncIterator[Bench]:
    """Yield a bench whose generators run until the end of the block."""
    async with start_workers(ears + 1) as (mouth, *others):
        yield Bench(environment, others, mouth, progress, scale)


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """Yield a function that returns the seconds since the start."""
    begun = time.monotonic()
    yield lambda: time.monotonic() - begun


Measure = Callable[[Bench], Awaitable[Any]]
