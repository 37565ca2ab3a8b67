"""Rates: a user who is too fast gets the name of the limit and a time to wait; other users are not affected."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.cast import Cast, Person, casting
from tests.nodes import running_node


@asynccontextmanager
async def counting(database_url: str, redis_url: str, **rates: object) -> AsyncIterator[Cast]:
    """Users of a node with rate limits."""
    given = {"rate_limits": True} | rates
    async with running_node(database_url, redis_url, **given) as node, casting(database_url, node.url) as cast:
        yield cast


CALLS: dict[str, tuple[str, str, object]] = {
    "rate_post": ("POST", "/api/chat/conversations/1/messages", {"body": "x", "client_id": "1"}),
    "rate_batch": ("POST", "/api/chat/messages", {"messages": [{"conversation": 1, "body": "x", "client_id": "1"}]}),
    "rate_poll": ("GET", "/api/chat/stream?poll=0", None),
    "rate_search": ("GET", "/api/users?q=a", None),
    "rate_change": ("PATCH", "/api/users/me", {}),
}


async def statuses(person: Person, name: str, times: int) -> list[int]:
    """Return the statuses of so many calls in a row."""
    method, path, body = CALLS[name]
    return [(await person.call(method, path, body))[0] for _ in range(times)]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("limits", [True, False], ids=["on", "off"])
async def test_each_way_has_its_limit(database_url: str, redis_url: str, name: str, limits: bool) -> None:
    """Each kind of call is limited to three an hour, then 429. Ben is not limited by Ana, and RATE_LIMITS=off limits
    nobody."""
    async with counting(database_url, redis_url, rate_limits=limits, **{name: "3/hour"}) as cast:
        ana, ben = await cast.enters("ana", "ben")
        await cast.share(ana, ben)
        taken = await statuses(ana, name, 4)
        assert all(status < 300 for status in taken[:3])
        assert (taken[3] == 429) is limits
        assert all(status < 300 for status in await statuses(ben, name, 3))


CHANGES = [
    ("PATCH", "messages/1", {"body": "better"}),
    ("PUT", "messages/1/reactions/👍", None),
    ("DELETE", "messages/1/reactions/👍", None),
    ("PUT", "pins/1", None),
    ("DELETE", "pins/1", None),
    ("DELETE", "messages/1/previews?url=x", None),
    ("PUT", "messages/1/follow", None),
    ("PUT", "messages/1/replies/read", {"seq": 1}),
    ("DELETE", "messages/1/follow", None),
    ("DELETE", "messages/1", None),
]


async def test_every_change_of_a_message_counts(database_url: str, redis_url: str) -> None:
    """All ways to change a message share one limit."""
    async with counting(database_url, redis_url, rate_change=f"{len(CHANGES)}/hour") as cast:
        (ana,) = await cast.enters("ana")
        room = f"/api/chat/conversations/{await cast.share(ana)}"
        await ana.says(1, "good")
        taken = [(await ana.call(method, f"{room}/{path}", body))[0] for method, path, body in CHANGES]
        assert all(status < 300 for status in taken)
        assert {(await ana.call(method, f"{room}/{path}", body))[0] for method, path, body in CHANGES} == {429}


async def test_the_time_to_wait_is_told(database_url: str, redis_url: str) -> None:
    """The time to wait is in seconds, rounded up, so a client that waits so long is not refused again."""
    async with counting(database_url, redis_url, rate_post="1/hour") as cast:
        (ana,) = await cast.enters("ana")
        room = await cast.share(ana)
        await ana.says(room, "one")
        draft = {"body": "two", "client_id": "2"}
        status, problem, headers = await ana.asks("POST", f"/api/chat/conversations/{room}/messages", draft)
        assert (status, problem["code"]) == (429, "too_fast")
        assert 3590 < int(headers["Retry-After"]) <= 3600


async def test_opening_streams_is_limited(database_url: str, redis_url: str) -> None:
    """Opening streams is limited; open streams stay open."""
    async with counting(database_url, redis_url, rate_stream="2/hour") as cast:
        (ana,) = await cast.enters("ana")
        readers = [await ana.listens() for _ in range(3)]
        assert [reader.status for reader in readers] == [200, 200, 429]
        assert not readers[0].closed


async def test_a_batch_counts_its_messages(database_url: str, redis_url: str) -> None:
    """A batch counts its messages, so splitting one gains nothing."""
    async with counting(database_url, redis_url, rate_batch="10/hour") as cast:
        (ana,) = await cast.enters("ana")
        room = await cast.share(ana)

        def batch(*numbers: int) -> dict[str, object]:
            return {"messages": [{"conversation": room, "body": "x", "client_id": str(n)} for n in numbers]}

        sizes = [range(8), range(8, 11), range(8, 9)]  # a refused batch has been read, and costs one
        tried = [(await ana.call("POST", "/api/chat/messages", batch(*size)))[0] for size in sizes]
        assert tried == [200, 429, 200]
