"""The crew: generator processes, and how the bench talks to them."""

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import orjson

from chat.bench.generator import LINE_MOST
from chat.bench.target import Target
from chat.bench.trouble import GeneratorDied

Json = dict[str, Any]


class Worker:
    """One generator process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process, self._numbers = process, itertools.count()
        self._asked: dict[int, asyncio.Future[Json]] = {}

    async def ask(self, do: str, **order: Any) -> Json:
        """Give an order and wait until it is carried out; raises `GeneratorDied`."""
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
        """Hand answers to those who wait for them, until the process ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            answer = orjson.loads(line)
            asked = self._asked.pop(answer.pop("id"))
            if not asked.done():  # a bar may have stopped to look meanwhile
                asked.set_result(answer)
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(GeneratorDied())

    async def dismiss(self) -> None:
        """It goes when it is told nothing more."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()


@asynccontextmanager
async def hired(count: int = 2) -> AsyncIterator[list[Worker]]:
    """So many generator processes, until the end of the block."""
    command = sys.executable, "-m", "chat.bench.generator"
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
                    await worker.dismiss()
    except BaseExceptionGroup as wrong:
        raise first_of(wrong) from None


def first_of(wrong: BaseException) -> BaseException:
    """What went wrong first, out of the groups that tasks wrap it in."""
    while isinstance(wrong, BaseExceptionGroup):
        wrong = wrong.exceptions[0]
    return wrong
