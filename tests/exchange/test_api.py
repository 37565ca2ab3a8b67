"""`GET /api/users/me/export`: one's own data, over HTTP."""

import orjson
import psycopg

from tests.cast import Cast, Person, casting
from tests.nodes import running_node
from tests.verbs import begins


async def fetch(person: Person, cast: Cast) -> tuple[int, list[dict[str, object]], str]:
    """The status, the lines, and what the browser is to do with them."""
    headers = {"Authorization": f"Bearer {person.token}"}
    async with cast.http.get(person.at + "/api/users/me/export", headers=headers) as answer:
        lines = [orjson.loads(line) for line in (await answer.read()).splitlines()]
        return answer.status, lines, answer.headers.get("Content-Disposition", "")


async def test_one_gets_all_of_the_own_data_and_nobody_elses(cast: Cast, database_url: str) -> None:
    """As a file to keep; that somebody has asked for it stands in the audit."""
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


async def test_not_again_and_again(database_url: str, redis_url: str) -> None:
    """It costs more than anything else that one may ask for."""
    strict = {"rate_limits": True, "rate_export": "2/hour"}
    async with (
        running_node(database_url, redis_url, **strict) as node,
        casting(database_url, node.url) as cast,
    ):
        (ana,) = await cast.enters("ana")
        assert [(await fetch(ana, cast))[0] for _ in range(3)] == [200, 200, 429]
