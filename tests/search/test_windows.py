"""Windows: no message is lost between two of them, in the log or in one conversation."""

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from tests.cast import Cast, Person
from tests.search.asking import asks, finds, indexed
from tests.verbs import begins

FORGET = """
update search_documents
   set vector = ts_delete(vector, array(select lexeme from unnest(vector) where lexeme like '@c%.%'));
delete from search_days;
update search_state set conversation_id = 0, seq = 0;
alter table search_documents add constraint unready check (seq < 0) not valid
"""
READY = "alter table search_documents drop constraint unready"
COUNT = """
select count(*), count(*) filter (where vector @@ format('''@c%%s.10.0''', %s::bigint)::tsquery) from search_documents
"""


async def talks(person: Person, *said: tuple[int, str]) -> None:
    """Write many messages at once, in this order."""
    for begin in range(0, len(said), 500):
        messages = [
            {"conversation": room, "body": body, "client_id": f"{begin + n}"}
            for n, (room, body) in enumerate(said[begin : begin + 500])
        ]
        status, answer = await person.call("POST", "/api/chat/messages", {"messages": messages})
        assert status == 200
        assert {result["status"] for result in answer["results"]} == {201}


async def pages_through(person: Person, q: str, limit: int, **fields: object) -> list[str]:
    """Return everything found, page by page."""
    found, more = [], None
    while True:
        page = await asks(person, q, limit=limit, **(fields | ({"before": more} if more else {})))
        found += [result["message"]["body"] for result in page["results"]]
        if (more := page["next"]) is None:
            return found


def newest(said: Sequence[tuple[int, str]], *words: str, room: int | None = None) -> list[str]:
    """Return what a search must find."""
    kept = [body for place, body in reversed(said) if room in (None, place)]
    return [body for body in kept if set(words) <= set(body.split())]


@pytest.mark.parametrize("limit", [20, 100])
async def test_one_conversation_is_searched_by_its_own_windows(
    ana: Person, ben: Person, limit: int, database_url: str
) -> None:
    """Common and rare words are found across every edge of the windows, as in the whole log, on any page."""
    long, other, still = [await begins(ana, "channel", name, ben) for name in ("long", "other", "still")]
    said = [
        (
            other if n % 7 == 3 else still if n % 30 == 0 else long,
            f"n{n} word" + " seldom" * (n in (300, 301, 2)) + " third" * (n % 3 == 0),
        )
        for n in range(1, 1301)
    ]
    await talks(ana, *said)
    await indexed(database_url)
    for words in (["word"], ["third"], ["seldom"], ["third", "seldom"], ["nowhere"]):
        q = " ".join(words)
        assert await pages_through(ben, q, limit, conversation=long) == newest(said, *words, room=long)
        assert await pages_through(ben, f"{q} in:other", limit) == newest(said, *words, room=other)
        assert await pages_through(ben, q, limit) == newest(said, *words)
    assert await pages_through(ben, '"word seldom" from:ana in:long', limit) == newest(said, "seldom", room=long)
    side_by_side = [body for body in newest(said, room=still) if "word third" in body]
    assert await pages_through(ben, '"word third"', limit, conversation=still) == side_by_side
    assert await pages_through(ben, "in:long", limit) == newest(said, room=long)
    assert await pages_through(ben, "in:long in:other in:still", limit) == newest(said)


@pytest.mark.parametrize("edge", [254, 255, 256, 257])
async def test_the_last_of_a_window_and_the_first_of_the_next(ana: Person, edge: int, database_url: str) -> None:
    """Messages on both sides of an edge are found, wherever the conversation ends."""
    room = await begins(ana, "channel", "edge")
    said = [(room, f"n{n} word") for n in range(1, edge + 1)]
    await talks(ana, *said)
    await indexed(database_url)
    assert await finds(ana, "word", conversation=room, limit=100) == newest(said)[:100]
    for n in (1, 2, 254, 255, 256, 257):
        assert await finds(ana, f"n{n}", conversation=room) == [f"n{n} word"] * (n <= edge)


async def test_a_day_is_found_anywhere_in_the_log(cast: Cast, database_url: str) -> None:
    """Days in any order of the log are found: an import writes old messages after new ones."""
    (root,) = await cast.enters("root", role="admin")
    room, other = await begins(root, "channel", "old"), await begins(root, "channel", "new")
    days = ["2021-03-05", "2019-12-31", "2021-03-09", "2020-06-15", "2019-12-01", "2021-03-01"]
    messages: list[dict[str, Any]] = [
        {"conversation": room, "body": f"said {n} {day}", "client_id": f"{n}", "created_at": f"{day}T22:30:00Z"}
        for n, day in enumerate(days * 10)
    ]
    status, _ = await root.call("POST", "/api/chat/messages", {"messages": messages})
    assert status == 200
    await root.says(other, "said today")
    await indexed(database_url)
    bodies = [str(message["body"]) for message in reversed(messages)]
    for q, month in (("after:2021-03-01 before:2021-04-01", "2021-03"), ("before:2020-01-01", "2019-12")):
        expected = [body for body in bodies if month in body]
        assert await pages_through(root, q, 7) == await pages_through(root, f"said {q} in:old", 7) == expected
    assert len(await pages_through(root, "after:2019-12-31T23:00:00+02:00 before:2020-01-01T00:31:00+02:00", 7)) == 10
    assert await finds(root, "said after:2021-04-01") == ["said today"]
    assert await finds(root, "before:2018-01-01") == []


async def test_messages_are_found_during_reindexing(ana: Person, database_url: str) -> None:
    """During re-indexing messages are found by the windows of the log, which they had before; afterwards by their own
    too."""
    room = await begins(ana, "channel", "older")
    await talks(ana, *[(room, f"n{n} word") for n in range(1, 31)])
    await indexed(database_url)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        async with connection.transaction():
            await connection.execute(FORGET)
        await ana.says(room, "n31 word")
        for q in ("word", "word after:2020-01-01", "word before:2099-01-01"):
            assert await pages_through(ana, q, 7, conversation=room) == [f"n{n} word" for n in range(30, 0, -1)]
        await connection.execute(READY)
        await indexed(database_url)
        assert await (await connection.execute(COUNT, [room])).fetchone() == (31, 31)
    for q in ("word", "word after:2020-01-01", "word before:2099-01-01"):
        assert await pages_through(ana, q, 7, conversation=room) == [f"n{n} word" for n in range(31, 0, -1)]
