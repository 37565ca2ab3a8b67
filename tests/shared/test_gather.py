"""Batches: one after the other, each caller with its own outcome."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from psycopg_pool import PoolTimeout

from chat.shared.errors import NotFound, Overloaded
from chat.shared.tasks import Batcher
from tests.waiting import eventually


class Works:
    """Doubles numbers; refuses 13, fails at 99, and gets no connection at 77."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()

    async def __call__(self, items: list[int]) -> Sequence[int | Exception]:
        self.batches.append(items)
        await self.gate.wait()
        if 99 in items:
            raise RuntimeError
        if 77 in items:
            raise PoolTimeout
        return [NotFound() if item == 13 else item * 2 for item in items]


@asynccontextmanager
async def gathering(works: Works, batch: int = 10, limit: int = 100) -> AsyncIterator[Batcher[int, int]]:
    """A running batcher."""
    gather = Batcher[int, int](works, batch=batch, limit=limit)
    task = asyncio.ensure_future(gather.run())
    yield gather
    task.cancel()


async def test_items_that_arrive_during_a_batch_form_the_next() -> None:
    """The first item goes alone, then all the others together."""
    works = Works()
    async with gathering(works) as gather:
        first = gather.submit(1)
        while not works.batches:
            await asyncio.wait([first], timeout=0.01)
        others = [gather.submit(number) for number in range(2, 8)]
        works.gate.set()
        assert await asyncio.gather(first, *others) == [number * 2 for number in range(1, 8)]
    assert works.batches == [[1], [2, 3, 4, 5, 6, 7]]


async def test_each_caller_gets_their_own_outcome() -> None:
    """An error in the middle reaches its caller alone; a failure reaches the whole batch."""
    works = Works()
    works.gate.set()
    async with gathering(works) as gather:
        good, bad, fine = await asyncio.gather(*map(gather.submit, (1, 13, 2)), return_exceptions=True)
        assert (good, fine) == (2, 4)
        assert isinstance(bad, NotFound)
        broken = await asyncio.gather(*map(gather.submit, (1, 99)), return_exceptions=True)
        assert [type(one) for one in broken] == [RuntimeError, RuntimeError]
        assert await gather.submit(5) == 10


async def test_a_canceled_caller_is_left_out() -> None:
    """No work is done for a canceled request."""
    works = Works()
    works.gate.set()
    async with gathering(works) as gather:
        gone, here = gather.submit(1), gather.submit(2)
        gone.cancel()
        assert await here == 4
    assert works.batches == [[2]]


async def test_more_than_the_limit_is_refused_at_once() -> None:
    """The queue has a limit."""
    gather = Batcher[int, int](Works(), batch=10, limit=2)
    waiting = [gather.submit(1), gather.submit(2)]
    with pytest.raises(Overloaded):
        gather.submit(3)
    assert not any(one.done() for one in waiting)


async def test_heavy_items_make_smaller_batches() -> None:
    """A batch has ten units, and always at least one item, however heavy it is."""
    works = Works()
    works.gate.set()
    gather = Batcher[int, int](works, batch=10, limit=100, weigh=lambda item: item)
    waiting = [gather.submit(item) for item in (4, 5, 6, 30, 1, 2)]
    task = asyncio.ensure_future(gather.run())
    assert await asyncio.gather(*waiting) == [8, 10, 12, 60, 2, 4]
    task.cancel()
    assert works.batches == [[4, 5], [6], [30], [1, 2]]


async def test_without_a_connection_all_waiting_callers_fail_at_once() -> None:
    """All waiting callers fail at once, because each batch would wait as long for the same answer; later callers are
    served."""
    works = Works()
    async with gathering(works, batch=2) as gather:
        first = gather.submit(77)
        await eventually(lambda: works.batches)
        waiting = [gather.submit(number) for number in range(9)]
        works.gate.set()
        outcomes = await asyncio.gather(first, *waiting, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {PoolTimeout}
        assert works.batches == [[77]]
        assert await gather.submit(4) == 8
