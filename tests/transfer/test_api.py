"""`GET /api/users/me/export`: a user's own data over HTTP."""

import orjson
import psycopg

from tests.cast import Cast, Person, casting
from tests.nodes import running_node
from tests.verbs import CONVERSATIONS, begins, deletes, edits, reacts, tries


async def fetch(person: Person, cast: Cast) -> tuple[int, list[dict[str, object]], str]:
    """Return the status, the lines, and the disposition for the browser."""
    headers = {"Authorization": f"Bearer {person.token}"}
    async with cast.http.get(person.at + "/api/users/me/export", headers=headers) as answer:
        lines = [orjson.loads(line) for line in (await answer.read()).splitlines()]
        return answer.status, lines, answer.headers.get("Content-Disposition", "")


async def test_a_user_gets_all_own_data_and_no_other(cast: Cast, database_url: str) -> None:
    """The answer is a file to keep, and the request is in the audit log."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, "channel", "garden", ben)
    for number in range(30):
        await (ana if number % 3 else ben).says(room, f"line {number}")
    status, lines, kept = await fetch(ben, cast)
    assert (status, kept) == (200, f'attachment; filename="tandem-{ben.id}.jsonl"')
    assert [line["body"] for line in lines if line["type"] == "message"] == [f"line {n}" for n in range(0, 30, 3)]
    assert [line["type"] for line in lines[:3]] == ["tandem", "user", "login"]
    assert "line 1" not in [line.get("body") for line in lines]
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        cursor = await connection.execute("select actor, subject from audit where action = 'account.export'")
        assert await cursor.fetchall() == [(ben.id, ben.id)]


async def test_former_conversations_are_exported_by_id_and_kind(cast: Cast) -> None:
    """Ben's own messages are as they were; what Ana wrote after she had banned him is not in his export."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, "channel", "garden", ben, topic="what grows", private=True)
    for body in ("first", "second", "third"):
        await ben.says(room, body)
    await edits(ben, room, 1, "first, edited")
    await deletes(ben, room, 3)
    ban = f"{CONVERSATIONS}/{room}/bans/{ben.id}"
    assert await tries(ana, "PUT", ban, {"reason": "MARKER"}) == (204, "")
    for change in ({"name": "MARKER name"}, {"topic": "MARKER topic"}):
        assert (await ana.call("PATCH", f"{CONVERSATIONS}/{room}", change))[0] == 200
    await reacts(ana, room, 1, "🍅")
    await deletes(ana, room, 2)
    _, lines, _ = await fetch(ben, cast)
    (told,) = [line for line in lines if line["type"] == "conversation"]
    assert told == {"type": "conversation", "id": room, "kind": "channel"}
    words = [(line["body"], "deleted_at" in line) for line in lines if line["type"] == "message"]
    assert words == [("first, edited", False), ("second", False), ("", True)]
    assert not [line for line in lines if "MARKER" in str(line) or "🍅" in str(line) or line["type"] == "ban"]


async def test_exports_are_rate_limited(database_url: str, redis_url: str) -> None:
    """An export has the strictest rate limit."""
    strict = {"rate_limits": True, "rate_export": "2/hour"}
    async with (
        running_node(database_url, redis_url, **strict) as node,
        casting(database_url, node.url) as cast,
    ):
        (ana,) = await cast.enters("ana")
        assert [(await fetch(ana, cast))[0] for _ in range(3)] == [200, 200, 429]
