"""History: by key, in three directions, with the same JSON as the stream."""

from collections.abc import Iterator
from typing import Any

import aiohttp
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.log.entry import escape_line_ends
from chat.messages.history import queries as history_queries
from tests.cast import Cast, Person
from tests.verbs import CONVERSATIONS, begins, pages, sees, tries

SAID = 23
DIRECTIONS = st.sampled_from(["", "before", "after", "around"])


async def fill(person: Person, room: int, number: int) -> None:
    """Post so many messages, whose body is their seq."""
    messages = [{"conversation": room, "body": str(n), "client_id": str(n)} for n in range(1, number + 1)]
    status, _ = await person.call("POST", "/api/chat/messages", {"messages": messages})
    assert status == 200


def expected(direction: str, seq: int, limit: int) -> dict[str, Any]:
    """Return what a list of messages 1 … SAID gives."""
    seqs = list(range(1, SAID + 1))
    match direction:
        case "":
            shown = seqs[-limit:]
        case "before":
            shown = [n for n in seqs if n < seq][-limit:]
        case "after":
            shown = [n for n in seqs if n > seq][:limit]
        case _:
            up = (limit - 1) // 2
            shown = [n for n in seqs if n <= seq][-(limit - up) :] + [n for n in seqs if n > seq][:up]
    if not shown:
        return {"seqs": [], "has_before": direction == "after", "has_after": direction != "after"}
    return {"seqs": shown, "has_before": shown[0] > 1, "has_after": shown[-1] < SAID}


async def test_pages_are_slices_of_a_list(cast: Cast) -> None:
    """Pages in any direction, from any place, with any limit equal slices of a list."""
    (ana,) = await cast.enters("ana")
    room = await begins(ana, "channel", "long")
    await fill(ana, room, SAID)

    async def check(direction: str, seq: int, limit: int) -> None:
        place = f"{direction}={seq}&" if direction else ""
        page = await pages(ana, room, f"{place}limit={limit}")
        seqs = [message["seq"] for message in page["messages"]]
        assert [message["body"] for message in page["messages"]] == [str(n) for n in seqs]
        assert {"seqs": seqs} | {edge: page[edge] for edge in ("has_before", "has_after")} == expected(
            direction, seq, limit
        )

    for direction, seq, limit in examples():
        await check(direction, seq, limit)


def examples() -> list[tuple[str, int, int]]:
    """Return two hundred cases that Hypothesis chooses, with the edges among them."""
    found: list[tuple[str, int, int]] = []

    @settings(max_examples=200, database=None, suppress_health_check=list(HealthCheck))
    @given(DIRECTIONS, st.integers(0, SAID + 3) | st.just(2**53 - 1), st.integers(1, SAID + 3) | st.just(200))
    def collect(direction: str, seq: int, limit: int) -> None:
        found.append((direction, seq, limit))

    collect()
    return found


async def test_walking_back_and_forth_meets_every_message_once(cast: Cast) -> None:
    """Paging continues as long as the page says that there is more."""
    (ana,) = await cast.enters("ana")
    room = await begins(ana, "channel", "walk")
    await fill(ana, room, SAID)
    page, back = await pages(ana, room, "limit=5"), []
    back = page["messages"]
    while page["has_before"]:
        page = await pages(ana, room, f"before={back[0]['seq']}&limit=5")
        back = page["messages"] + back
    forth: list[Any] = []
    while not forth or page["has_after"]:
        page = await pages(ana, room, f"after={len(forth)}&limit=5")
        forth += page["messages"]
    assert [message["seq"] for message in back] == list(range(1, SAID + 1))
    assert forth == back


async def test_an_empty_conversation_has_an_empty_page(ana: Person) -> None:
    """All directions return an empty page."""
    room = await begins(ana, "channel", "silent")
    for query in ("", "before=1", "after=0", "around=1"):
        assert await pages(ana, room, query) == {"messages": [], "has_before": False, "has_after": False}


async def test_history_is_byte_for_byte_what_the_stream_sent(ana: Person, ben: Person) -> None:
    """Every reader gets the same bytes, live or later, singly or in a page. Only frames escape U+2028 and its like."""
    room = await begins(ana, "channel", "bytes", ben)
    cursor = (await sees(ben))["cursor"]
    bodies = [
        "plain",
        "zwei\nZeilen\r\n\ttab",
        '"quoted" \\ back',
        "שלום، مرحبا",
        "👩‍👩‍👧‍👦 日本語 \u202eoops\u2028",
        "x" * 16_000,
    ]
    for body in bodies:
        await ana.says(room, body)
    reader = await ben.listens(after=cursor)
    await reader.hears(*bodies)
    sent = [event.data for event in reader.events if event.event == "message"]
    raw = await raw_answer(ben, f"{CONVERSATIONS}/{room}/messages")
    page = b'{"messages":[%b],"has_before":false,"has_after":false}' % b",".join(sent)
    assert escape_line_ends(raw) == page
    assert await raw_answer(ben, f"{CONVERSATIONS}/{room}/messages/2") == b'{"message":%b}' % sent[1]


async def raw_answer(person: Person, path: str) -> bytes:
    """Return the raw body of the answer."""
    headers = {"Authorization": f"Bearer {person.token}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.get(person.at + path) as answer:
        return await answer.read()


async def test_a_visitor_reads_a_public_channel(ana: Person, mallory: Person) -> None:
    """Users who may join may read first; an unknown message is 404."""
    room = await begins(ana, "channel", "open")
    said = await ana.says(room, "welcome")
    assert (await pages(mallory, room))["messages"] == [said]
    status, one = await mallory.call("GET", f"{CONVERSATIONS}/{room}/messages/1")
    assert (status, one) == (200, {"message": said})
    for seq in ("0", "2", "9007199254740991", "x"):
        assert await tries(ana, "GET", f"{CONVERSATIONS}/{room}/messages/{seq}") == (404, "not_found")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "before=-1", "before=1&after=1", "around=1e3"])
async def test_invalid_history_requests_are_refused(ana: Person, query: str) -> None:
    """Invalid parameters get 422 with the field."""
    room = await begins(ana, "channel", "odd")
    status, said = await ana.call("GET", f"{CONVERSATIONS}/{room}/messages?{query}")
    assert (status, said["code"]) == (422, "invalid")
    assert said["errors"][0]["field"] in query


async def test_a_page_reads_only_its_messages(ana: Person, database_url: str) -> None:
    """A page reads five messages on one side and five on the other, each from an index, however long the conversation
    is."""
    room = await begins(ana, "channel", "deep")
    await fill(ana, room, 400)
    asked = {"conversation": room, "user": ana.id, "below": 200, "down": 5, "above": 200, "up": 5}
    with psycopg.connect(database_url) as database:
        database.execute("analyze")
        row = database.execute(b"explain (analyze, format json) " + history_queries.read_page, asked).fetchone()
    assert row is not None
    scans = [node for node in nodes(row[0][0]["Plan"]) if node.get("Relation Name", "").startswith("messages_")]
    assert [node["Actual Rows"] for node in scans] == [5, 5]
    assert all("Index Name" in node and "Rows Removed by Filter" not in node for node in scans)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the steps of a plan."""
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)
