"""The bench: load generators in processes of their own, the orders to them, and the environment they load.

`python -m chat.tools.bench.runner` is a generator. It reads orders as lines of JSON. An order `{"id", "do", …}` gets
the answer `{"id", …}`, and several may be in progress. It ends with its standard input.
"""

import asyncio
import itertools
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import orjson
import uvloop
from rich.progress import Progress

from chat.client.node_process import raise_descriptor_limit
from chat.local.progress import counting, watching
from chat.tools.bench.clients import (
    AnswerCounts,
    BenchPoster,
    BenchReader,
    OpenLoopLoad,
    PollingReader,
    PostCounts,
    ResumingReader,
)
from chat.tools.bench.report import quantiles
from chat.tools.bench.targets import BenchTrouble, GeneratorDied, Target, draft, drafts, mask, post_address

if TYPE_CHECKING:  # a generator starts sooner without it
    from chat.tools.bench.environment import BenchEnvironment

LINE_MOST = 64 * 1024 * 1024
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
    command = sys.executable, "-m", "chat.tools.bench.runner"
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

    environment: "BenchEnvironment"
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
    environment: "BenchEnvironment", progress: Progress, scale: float = 1.0, ears: int = 1
) -> AsyncIterator[Bench]:
    """Yield a bench whose generators run until the end of the block."""
    async with start_workers(ears + 1) as (mouth, *others):
        yield Bench(environment, others, mouth, progress, scale)


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """Yield a function that returns the seconds since the start."""
    begun = time.monotonic()
    yield lambda: time.monotonic() - begun


# The generator.

OPENING = 256  # connections that are being opened at one time


class Generator:
    """Carries out orders."""

    def __init__(self) -> None:
        self.tally, self.spoken = AnswerCounts(), PostCounts()
        self.readers: list[BenchReader] = []
        self._awake = False
        self._loop = asyncio.get_running_loop()
        self._targets: dict[int, Target] = {}
        self._turn = asyncio.Semaphore(OPENING)

    async def open(self, target: Json, tokens: list[str], pace: float = 0, returns: bool = False) -> Json:
        """Open a stream for each token, `pace` a second, or all in one burst if the target accepts that."""
        kind, aim = (ResumingReader if returns else BenchReader), Target(**target)
        fresh = [kind(aim, token, self.tally) for token in tokens]
        self.readers += fresh
        return await self._connect(fresh, aim, pace or aim.pace)

    async def come_back(self, target: Json, pace: float = 0) -> Json:
        """Reconnect every reader that was cut, with its cursor."""
        return await self._connect([one for one in self.readers if one.transport is None], Target(**target), pace)

    async def _connect(self, readers: list[BenchReader], aim: Target, pace: float) -> Json:
        begun, before = time.monotonic(), self.tally.opened
        wanted = before + len(readers)
        self.tally.refused = 0
        async with asyncio.TaskGroup() as group:
            for n, reader in enumerate(readers):
                if pace and (wait := begun + n / pace - time.monotonic()) > 0:
                    await asyncio.sleep(wait)
                await self._turn.acquire()
                group.create_task(self._dial(reader, aim, n))
        await self.tally.until(lambda: self.tally.opened + self.tally.refused >= wanted, 120)
        opened, refused = self.tally.opened, self.tally.refused
        return {"opened": opened, "fresh": opened - before, "refused": refused, "seconds": time.monotonic() - begun}

    async def _dial(self, reader: BenchReader, aim: Target, n: int) -> None:
        try:
            # one address alone has 28,000 ports
            near = (f"127.0.0.{2 + n % 8}", 0) if aim.host == "127.0.0.1" else None
            await self._loop.create_connection(lambda: reader, aim.host, aim.port, local_addr=near)
        except OSError:
            self.tally.refused += 1
        finally:
            self._turn.release()

    async def cut(self) -> Json:
        """Drop every connection."""
        for reader in self.readers:
            if reader.transport is not None:
                reader.transport.abort()
        await self.tally.until(lambda: not self.tally.opened, 30)
        return {}

    async def forget(self) -> Json:
        """Cut every reader for good."""
        await self.cut()
        self.readers.clear()
        return {}

    async def poll(self, target: Json, tokens: list[str]) -> Json:
        """Open readers as `open` does, by long polls."""
        pollers = [PollingReader(Target(**target), token, self.tally) for token in tokens]
        self.readers += pollers
        return await self._connect([*pollers], Target(**target), 0)

    async def listen(self, wanted: int, timed: bool = False, awake: bool = False) -> Json:
        """Start counting from zero.

        With `awake` the process never sleeps until the count is complete, so that no server pays for waking us. Waking
        costs more than the write itself, and depends on how busy we are.
        """
        self.tally.begin(wanted, timed)
        self._awake = awake
        self._stay_awake()
        return {}

    def _stay_awake(self) -> None:
        if self._awake:
            self._loop.call_soon(self._stay_awake)

    async def heard(self, limit: float) -> Json:
        """Wait for the wanted count; return the counts, and the times of deliveries as a thousand quantiles."""
        await self.tally.until(lambda: self.tally.received >= self.tally.wanted, limit)
        self._awake = False
        took = quantiles(self.tally.moments or [])
        each = sorted({reader.got for reader in self.readers})
        return self.count_now() | {"quantiles": took, "each": [each[0], each[-1]] if each else []}

    async def count(self) -> Json:
        """Return the counts once they reach what is wanted."""
        return self.count_now()

    def count_now(self) -> Json:
        """Return the counts."""
        tally, spoken = self.tally, self.spoken
        figures = {"opened": tally.opened, "closed": tally.closed, "received": tally.received, "octets": tally.octets}
        return figures | {"taken": spoken.taken, "items": spoken.items, "refusals": spoken.refused}

    async def post(
        self, target: Json, tokens: list[str], each: int, name: str, batch: int = 0, rooms: Sequence[int] = (0,)
    ) -> Json:
        """Post over a connection for each token, one request after the other, to each conversation in turn; `batch`
        messages each, if given."""
        aim, begun, self.spoken = Target(**target), time.monotonic(), PostCounts()

        def requests(token: str, n: int) -> Iterator[bytes]:
            for k in range(each):
                label, room = f"{name}-{n}-{k}", rooms[(n * each + k) % len(rooms)]
                yield aim.post_request(token, drafts(label, room, batch) if batch else draft(label), room)

        async with asyncio.TaskGroup() as group:
            for n, token in enumerate(tokens):
                group.create_task(self._speak(aim, requests(token, n)))
        return self.count_now() | {"seconds": time.monotonic() - begun, "quantiles": quantiles(self.spoken.moments)}

    async def change(self, target: Json, token: str, times: int, pause: float) -> Json:
        """Change a user's status back and forth."""
        client, aim = BenchReader(Target(**target), token, AnswerCounts()), Target(**target)
        await self._loop.create_connection(lambda: client, aim.host, aim.port)
        for turn in range(times + 1):
            await asyncio.sleep(pause)
            status = "online" if turn % 2 else "dnd"
            if turn < times and client.transport is not None:
                client.transport.write(mask(orjson.dumps({"type": "status", "status": status})))
        if client.transport is not None:
            client.transport.abort()
        return {}

    async def _speak(self, aim: Target, requests: Iterator[bytes]) -> None:
        """Post on one connection, or on a new one for each request if the server takes only one on each."""
        said_all = False

        def next_request() -> bytes | None:
            nonlocal said_all
            request = next(requests, None)
            said_all = request is None
            return request

        while not said_all:
            _, poster = await self._loop.create_connection(
                lambda: BenchPoster(next_request, self.spoken, eager=True), *post_address(aim)
            )
            await poster.done

    async def pour(self, target: Json, tokens: list[str], rate: float, seconds: float, name: str) -> Json:
        """Post at a fixed rate, whether or not earlier posts are answered."""
        self.spoken = PostCounts()
        begun = time.monotonic()
        await OpenLoopLoad(Target(**target), tokens, rate, name, self.spoken).fall(round(rate * seconds))
        return self.count_now() | {"seconds": time.monotonic() - begun, "quantiles": quantiles(self.spoken.moments)}

    async def work(self) -> None:
        """Read orders until the input ends."""
        lines = asyncio.StreamReader(limit=LINE_MOST)
        await self._loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        async with asyncio.TaskGroup() as group:
            async for line in lines:
                group.create_task(self._obey(orjson.loads(line)))

    async def _obey(self, order: Json) -> None:
        number, verb = order.pop("id"), order.pop("do")
        answer = await getattr(self, verb)(**order)
        sys.stdout.buffer.write(orjson.dumps(answer | {"id": number}) + b"\n")
        sys.stdout.buffer.flush()


async def main() -> None:
    """Run until the standard input ends."""
    await Generator().work()


if __name__ == "__main__":
    raise_descriptor_limit()
    uvloop.run(main())
