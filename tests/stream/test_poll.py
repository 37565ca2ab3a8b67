"""Long polling: the same entries as JSON, for networks that buffer streams."""

import asyncio

from chat.log.entry import encode_frame
from chat.stream.endpoints import BYTES_MOST, Poll
from chat.stream.stream import Chunk, Stream
from tests.cast import Cast, Person


async def polls(person: Person, after: str, seconds: int = 5) -> dict:  # type: ignore[type-arg]
    """Make one long poll."""
    status, answer = await person.call("GET", f"/api/chat/stream?poll={seconds}&after={after}")
    assert status == 200
    return answer  # type: ignore[no-any-return]


async def test_a_poll_answers_at_once_with_what_was_missed(cast: Cast) -> None:
    """The poll returns the same ids, events and data as the stream."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    reader = await ben.listens()
    start = reader.cursor
    for text in ("one", "two"):
        await ana.says(room, text)
    await reader.hears("one", "two")
    answer = await polls(ben, start)
    assert [(event["id"], event["event"], event["data"]) for event in answer["events"]] == [
        (event.id, event.event, event.json()) for event in reader.named("message")
    ]
    assert answer["cursor"] == reader.cursor


async def test_a_poll_waits_for_the_next_entry(cast: Cast) -> None:
    """The poll returns when ana posts, long before its time is over."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    start = (await ben.listens()).cursor
    waiting = asyncio.ensure_future(polls(ben, start, 25))
    await ana.says(room, "finally")
    answer = await asyncio.wait_for(waiting, 5)
    assert [event["data"]["body"] for event in answer["events"]] == ["finally"]


async def test_a_poll_without_news_ends_in_time_with_a_new_cursor(cast: Cast) -> None:
    """Messages elsewhere move the cursor that it returns."""
    ana, ben = await cast.enters("ana", "ben")
    elsewhere, room = await cast.share(ana), await cast.share(ana, ben)
    start = (await ben.listens()).cursor
    await ana.says(elsewhere, "not for ben")
    answer = await polls(ben, start, 1)
    assert answer["events"] == []
    assert answer["cursor"].endswith(".1")
    await ana.says(room, "for ben")
    again = await polls(ben, answer["cursor"])
    assert [event["data"]["body"] for event in again["events"]] == ["for ben"]


async def test_polling_page_by_page_gets_everything_once(cast: Cast) -> None:
    """A reader that only polls gets each entry exactly once, in order."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    cursor, heard = (await ben.listens()).cursor, []
    said = [f"word {number}" for number in range(60)]

    async def talk() -> None:
        for text in said:
            await ana.says(room, text)

    talking = asyncio.ensure_future(talk())
    while len(heard) < len(said):
        answer = await polls(ben, cursor)
        heard += [event["data"]["body"] for event in answer["events"]]
        cursor = answer["cursor"]
    await talking
    assert heard == said


async def test_an_invalid_cursor_is_answered_by_a_reset(cast: Cast) -> None:
    """The reasons are those of the stream."""
    (ben,) = await cast.enters("ben")
    answer = await polls(ben, "other9.4")
    assert answer["reset"] == "other_epoch"
    assert answer["events"] == []


async def test_wrong_waiting_times_are_refused(cast: Cast) -> None:
    """More than 25 s would outlast proxies, and text is no number."""
    (ben,) = await cast.enters("ben")
    for wrong in ("26", "-1", "soon", "1e1"):
        status, problem = await ben.call("GET", f"/api/chat/stream?poll={wrong}")
        assert (status, problem["errors"][0]["field"]) == (422, "poll")


async def test_a_long_absence_is_polled_page_by_page(cast: Cast) -> None:
    """An answer has at most a thousand entries or a megabyte; each entry comes once, in order, also at the pages'
    edges."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    cursor = (await ben.listens()).cursor
    said = [f"{number} {'x' * 9_000 if number > 2_100 else ''}" for number in range(2_400)]
    for first in range(0, len(said), 100):
        batch = [
            {"conversation": room, "body": text, "client_id": str(hash(text))} for text in said[first : first + 100]
        ]
        await ana.call("POST", "/api/chat/messages", {"messages": batch})
    heard: list[str] = []
    sizes: list[int] = []
    while len(heard) < len(said):
        answer = await polls(ben, cursor, 0)
        sizes.append(sum(len(event["data"]["body"]) for event in answer["events"]))
        assert 0 < len(answer["events"]) <= 1_000
        heard += [event["data"]["body"].strip() for event in answer["events"]]
        cursor = answer["cursor"]
    assert heard == [text.strip() for text in said]
    assert max(sizes) <= 1024 * 1024
    assert (await polls(ben, cursor, 0))["events"] == []


def test_a_poll_holds_no_more_than_an_answer() -> None:
    """Entries beyond one answer are not kept in memory: the poll ends, and the next one continues."""
    left: list[Stream] = []
    poll = Poll(1, 1, None, left.append)
    for n in range(200):
        poll.write(Chunk(encode_frame(f"e.{n}", None, b"x" * 65_536)))
    assert BYTES_MOST <= sum(map(len, poll.chunks)) < BYTES_MOST + 66_000
    assert (poll.ended, left) == ("slow", [poll])
