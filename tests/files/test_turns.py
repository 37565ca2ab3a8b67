"""FairQueue: a picture waits for about one picture of each other user, not for all of them."""

import asyncio
from collections.abc import AsyncIterator, Hashable

import pytest

from chat.files.images import FairQueue, Pictures
from chat.shared.errors import Overloaded, RateLimited
from chat.shared.rate_limits import Limit
from tests.cast import casting
from tests.files.sending import begins_upload, picture, sends_piece
from tests.nodes import running_node
from tests.waiting import eventually

BIG = (2000, 1500)


class Studio:
    """Work that ends when the test says so."""

    def __init__(self, at_once: int = 2, most: int = 100) -> None:
        self.turns, self.under_way, self.done = (
            FairQueue(at_once, most),
            asyncio.Queue[asyncio.Event](),
            list[Hashable](),
        )

    def brings(self, user: Hashable, times: int = 1) -> list[asyncio.Task[None]]:
        """Queue so many pictures of a user."""
        return [asyncio.ensure_future(self._works(user)) for _ in range(times)]

    async def _works(self, user: Hashable) -> None:
        async with self.turns.slot(user):
            end = asyncio.Event()
            self.under_way.put_nowait(end)
            await end.wait()
            self.done.append(user)

    async def finishes(self, times: int) -> list[Hashable]:
        """Finish so many, one after the other; return their users."""
        for _ in range(times):
            before = len(self.done)
            (await self.under_way.get()).set()
            await eventually(lambda before=before: len(self.done) > before)  # type: ignore[misc]
        return self.done[-times:]


async def test_users_take_turns() -> None:
    """Two of Mallory's twelve are in progress; Ana is next, then Ben, whose second picture waits for his next turn."""
    studio = Studio()
    tasks = studio.brings("mallory", 12)
    await eventually(lambda: studio.turns.waiting == 10)
    tasks += studio.brings("ana") + studio.brings("ben", 2)
    await eventually(lambda: studio.turns.waiting == 13)
    assert await studio.finishes(8) == ["mallory"] * 3 + ["ana", "ben", "mallory", "ben", "mallory"]
    await studio.finishes(7)
    await asyncio.gather(*tasks)
    assert studio.turns.waiting == 0


async def test_a_full_queue_refuses_the_user_with_most_pictures() -> None:
    """Mallory's latest is dropped for Ana's; if all users have the same number, the next picture is refused."""
    studio = Studio(at_once=1, most=3)
    tasks = studio.brings("mallory", 4)
    await eventually(lambda: studio.turns.waiting == 3)
    with pytest.raises(Overloaded) as refused:
        await studio.brings("mallory")[0]
    assert refused.value.retry_after
    tasks += studio.brings("ana")
    with pytest.raises(Overloaded):
        await tasks.pop(3)
    assert await studio.finishes(4) == ["mallory", "mallory", "ana", "mallory"]
    await asyncio.gather(*tasks)


async def test_a_canceled_picture_takes_no_turn() -> None:
    """A client that leaves, before its turn or in it, takes no turn."""
    studio = Studio(at_once=1)
    first, second, third = studio.brings("ana", 3)
    await eventually(lambda: studio.turns.waiting == 2)
    second.cancel()
    await eventually(lambda: studio.turns.waiting == 1)
    first.cancel()
    await studio.under_way.get()
    assert await studio.finishes(1) == ["ana"]
    await third
    async with studio.turns.slot("ben"):
        assert studio.turns.waiting == 0


async def one(data: bytes) -> AsyncIterator[bytes]:
    """Yield one body."""
    yield data


async def test_real_pictures_take_turns() -> None:
    """Ana's small picture is processed before most of the large ones that were queued first."""
    pictures, done = Pictures(64_000_000), list[str]()

    async def looks(name: str, user_id: int, data: bytes) -> None:
        assert await pictures.process("previews", one(data), user_id)
        done.append(name)

    large, small = picture(BIG), picture()
    await asyncio.gather(*[looks("mallory", 1, large) for _ in range(8)], looks("ana", 2, small))
    assert done.index("ana") <= 3


async def test_pixels_are_charged_to_their_owner() -> None:
    """With three of four million pixels used, a picture that fits is processed, a larger one waits, and another user's
    is processed."""
    pictures = Pictures(64_000_000, pixels=Limit("4000000/hour"))
    assert await pictures.process("previews", one(picture(BIG)), 1)
    with pytest.raises(RateLimited):
        await pictures.process("previews", one(picture(BIG)), 1)
    assert await pictures.process("previews", one(picture()), 1)
    assert await pictures.process("avatar", one(picture(BIG)), 2)


async def test_broken_pictures_cost_something() -> None:
    """A broken picture is charged too, because it took time."""
    pictures = Pictures(1_000_000, pixels=Limit("400000/hour"))
    broken = picture()[:-40]
    assert await pictures.process("previews", one(broken), 1) is None
    assert await pictures.process("previews", one(broken), 1) is None
    with pytest.raises(RateLimited):
        await pictures.process("previews", one(broken), 1)


async def test_a_picture_that_has_to_wait_is_not_lost(database_url: str, redis_url: str) -> None:
    """An upload in pieces keeps its bytes: 429 with a time to wait, and an empty piece retries."""
    limits = {"rate_limits": True, "rate_pixels": "3000/second"}
    async with running_node(database_url, redis_url, **limits) as node, casting(database_url, node.url) as cast:
        (ana,) = await cast.enters("ana")
        data = picture((60, 50))
        first, second = [await begins_upload(ana, len(data)) for _ in range(2)]
        assert (await sends_piece(ana, first, 0, data))[0] == 204
        status, code, headers = await sends_piece(ana, second, 0, data)
        if status == 429:  # else a second has passed on this machine
            assert (code, int(headers["Retry-After"]) > 0) == ("too_fast", True)

        async def is_looked_at() -> bool:
            return (await sends_piece(ana, second, len(data), b""))[0] == 204

        await eventually(is_looked_at)
        assert (await ana.call("GET", second))[1]["ready"]
