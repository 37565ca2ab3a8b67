"""Posting batches: each message is checked on its own."""

import asyncio
import io
from typing import Any

import orjson

from tests.cast import Person, casting
from tests.nodes import running_node
from tests.verbs import begins, opens, pages, sees, tries

BATCH = "/api/chat/messages"


async def posts(person: Person, *messages: Any) -> list[dict[str, Any]]:
    """Return the results of a batch."""
    status, said = await person.call("POST", BATCH, {"messages": list(messages)})
    assert status == 200, said
    return list(said["results"])


def draft(conversation: int, body: str, **more: Any) -> dict[str, Any]:
    """Return a message of a batch, with its body as client_id."""
    return {"conversation": conversation, "body": body, "client_id": body.replace(" ", "-")} | more


async def test_results_are_in_order_and_one_error_affects_no_other(ana: Person, ben: Person) -> None:
    """Wrong messages of every kind stand between good ones; the good ones are received in order."""
    room, gone = await begins(ana, "channel", "room", ben), await begins(ana, "channel", "gone")
    theirs, visible = await begins(ben, "group", ""), await begins(ben, "channel", "visible")
    await tries(ana, "DELETE", f"/api/chat/conversations/{gone}")
    cursor = (await sees(ben))["cursor"]
    results = await posts(
        ana,
        draft(room, "one"),
        draft(theirs, "sneak"),
        draft(visible, "shout"),
        draft(gone, "late"),
        draft(99999, "void"),
        draft(room, "two"),
        draft(room, ""),
        draft(room, "three", client_id="not good"),
        draft(room, "four", colour="red"),
        {"body": "nowhere", "client_id": "5"},
        "six",
        None,
        draft(room, "one"),
        draft(room, "seven"),
    )
    statuses = [201, 404, 403, 403, 404, 201, 422, 422, 422, 422, 422, 422, 200, 201]
    assert [result["status"] for result in results] == statuses
    codes = [result["problem"]["code"] for result in results if "problem" in result]
    assert codes == ["not_found", "not_member", "archived", "not_found", *["invalid"] * 6]
    assert results[7]["problem"]["errors"][0]["field"] == "client_id"
    assert results[12]["message"] == results[0]["message"]
    reader = await ben.listens(after=cursor)
    await reader.hears("one", "two", "seven")
    assert reader.messages() == [result["message"] for result in results if result["status"] == 201]
    assert [message["seq"] for message in reader.messages()] == [1, 2, 3]


async def test_a_repeated_batch_stores_nothing_new(ana: Person) -> None:
    """Twenty equal batches at once store each message once, and one of them is new."""
    room = await begins(ana, "channel", "room")
    batch = [draft(room, f"m{number}") for number in range(50)]
    answers = await asyncio.gather(*[posts(ana, *batch) for _ in range(20)])
    statuses = [result["status"] for results in answers for result in results]
    assert (statuses.count(201), statuses.count(200)) == (50, 950)
    assert (await opens(ana, room))["last_seq"] == 50
    found = (await pages(ana, room, "limit=200"))["messages"]
    for results in answers:
        assert sorted([result["message"] for result in results], key=lambda one: int(one["seq"])) == found


async def test_a_batch_keeps_the_order_of_each_conversation(ana: Person) -> None:
    """Several batches at once over the same conversations in different orders cause no deadlock and no hole."""
    rooms = [await begins(ana, "channel", f"room {number}") for number in range(5)]
    batches = [
        [draft(room, f"{turn}-{number}") for number in range(20) for room in (rooms if turn % 2 else rooms[::-1])]
        for turn in range(6)
    ]
    await asyncio.gather(*[posts(ana, *batch) for batch in batches])
    for room in rooms:
        bodies = [message["body"] for message in (await pages(ana, room, "limit=200"))["messages"]]
        assert len(bodies) == 120
        for turn in range(6):
            assert [body for body in bodies if body.startswith(f"{turn}-")] == [f"{turn}-{n}" for n in range(20)]


async def test_an_invalid_batch_is_refused_completely(ana: Person) -> None:
    """Empty, too many, no JSON, too large: nothing of it is stored."""
    room = await begins(ana, "channel", "room")
    many = [draft(room, f"m{number}") for number in range(501)]
    assert await tries(ana, "POST", BATCH, {"messages": many}) == (422, "invalid")
    assert await tries(ana, "POST", BATCH, {"messages": []}) == (422, "invalid")
    assert await tries(ana, "POST", BATCH, {"messages": [], "mode": "fast"}) == (422, "invalid")
    assert await tries(ana, "POST", BATCH, [draft(room, "x")]) == (422, "invalid")
    large = [draft(room, "x" * 16_000, client_id=str(number)) for number in range(300)]
    status, said = await ana.call("POST", BATCH, data=io.BytesIO(orjson.dumps({"messages": large})))
    assert (status, said["code"]) == (413, "too_large")
    for body in (b"", b"[" * 100_000, b'{"messages": [', b'{"messages": ["\\ud800"]}'):
        status, said = await ana.call("POST", BATCH, data=body)
        assert (status, said["code"]) == (422, "invalid")
    assert (await opens(ana, room))["last_seq"] == 0


async def test_a_batch_beyond_the_queue_is_refused_in_part(database_url: str, redis_url: str) -> None:
    """A full queue accepts what fits and answers 503 to the rest; a retry completes it."""
    async with running_node(database_url, redis_url, append_queue=30) as node, casting(database_url, node.url) as cast:
        (ana,) = await cast.enters("ana")
        room = await begins(ana, "channel", "room")
        batch = [draft(room, f"m{number}") for number in range(100)]
        results = await posts(ana, *batch)
        assert [result["status"] for result in results] == [201] * 30 + [503] * 70
        assert results[-1]["problem"]["code"] == "overloaded"
        while surplus := [one for one, result in zip(batch, results, strict=True) if result["status"] == 503]:
            batch, results = surplus, await posts(ana, *surplus)
        bodies = [message["body"] for message in (await pages(ana, room, "limit=200"))["messages"]]
        assert bodies == [f"m{number}" for number in range(100)]
