"""PostgreSQL away: everything says so and stores nothing; back again, everything goes on by itself."""

import asyncio
from pathlib import Path

from chat.engines import PostgresEngine
from chat.migrations import migrate
from tests.cast import casting
from tests.nodes import running_node
from tests.verbs import CONVERSATIONS, begins, pages, tries
from tests.waiting import eventually


async def test_a_batch_meets_no_database(tmp_path: Path, redis_url: str) -> None:
    """Each message of it is answered 503, as single calls are; sent again it is there once."""
    with PostgresEngine(tmp_path / "postgres") as engine:
        await migrate(engine.url)
        async with running_node(engine.url, redis_url) as node, casting(engine.url, node.url) as cast:
            ana, ben = await cast.enters("ana", "ben")
            room = await begins(ana, "channel", "room", ben)
            await ben.says(room, "before")
            messages = [{"conversation": room, "body": f"m{n}", "client_id": f"{n}"} for n in range(3)]
            engine.stop()
            here = f"{CONVERSATIONS}/{room}"
            (status, said), *single = await asyncio.gather(
                ana.call("POST", "/api/chat/messages", {"messages": messages}),
                tries(ana, "POST", f"{here}/messages", {"body": "x", "client_id": "x"}),
                tries(ana, "PUT", f"{here}/read", {"seq": 1}),
                tries(ana, "GET", f"{here}/messages"),
                tries(ana, "GET", CONVERSATIONS),
            )
            assert (status, [result["status"] for result in said["results"]]) == (200, [503] * 3)
            assert said["results"][0]["problem"]["code"] == "unavailable"
            assert single == [(503, "unavailable")] * 4
            engine.start()

            async def taken() -> bool:
                _, said = await ana.call("POST", "/api/chat/messages", {"messages": messages})
                return [result["status"] for result in said["results"]] in ([201] * 3, [200] * 3)

            await eventually(taken, limit=20)
            found = [message["body"] for message in (await pages(ben, room))["messages"]]
            assert found == ["before", "m0", "m1", "m2"]
