"""PostgreSQL switches over behind one name, and the old primary is back at once as a standby (fault 25)."""

import time
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from chat.client.node_process import NodeProcess
from chat.local.postgres import PostgresEngine
from chat.migrations import migrate
from chat.shared.postgres import UnsuitableDatabase
from chat.tools.chaos.network import bad_network
from chat.tools.doctor.checks import check_database
from tests.cast import Person, casting
from tests.databases import as_node
from tests.patroni import count_resets
from tests.promises.conftest import StartNode
from tests.promises.crowd import Crowd, crowd_of
from tests.promises.standby import follow, make_standby, promote
from tests.promises.test_postgres_away import are_all_served, are_ready
from tests.waiting import breathe, eventually

WRITING = 10.0  # seconds after the name has moved
MACHINE = 30.0  # what a busy machine may add


async def test_the_old_primary_answers_as_a_standby(
    start_node: StartNode, own_postgres: PostgresEngine, tmp_path: Path
) -> None:
    """Connections to it are closed and readiness says why, until the name leads to the new one. No reader is reset."""
    standby = make_standby(own_postgres, tmp_path / "standby", synchronous=True)
    try:
        async with bad_network(own_postgres.url) as name:
            nodes = [await start_node(one, DATABASE_URL=name.url) for one in ("a1", "b2")]
            async with casting(own_postgres.url, "") as stage, crowd_of(stage, nodes, readers=8, posters=6) as crowd:
                crowd.starts_posting(pause=0.1)
                await eventually(lambda: are_all_served(crowd, 0), MACHINE)
                own_postgres.stop()
                promote(standby)
                follow(own_postgres, standby)
                own_postgres.start()
                await eventually(partial(say_read_only, nodes), WRITING + MACHINE)
                assert await refuses_a_post(crowd, nodes[0])
                await standby_is_named(own_postgres.url)
                done, moved = len(crowd.history.acknowledged), time.monotonic()
                name.lead_to(standby.url)
                await eventually(lambda: are_all_served(crowd, done), WRITING + MACHINE)
                print(f"all served again {time.monotonic() - moved:.1f} s after the name moved")
                await eventually(lambda: are_ready(nodes), MACHINE)
                await breathe(0.5)
                assert await crowd.finishes(standby.url) == []
                assert {refusal for poster in crowd.posters for refusal in poster.refusals} <= {(503, "1")}
                assert count_resets(crowd) == 0
    finally:
        standby.stop()


async def say_read_only(nodes: list[NodeProcess]) -> bool:
    """Return whether all nodes are unready because PostgreSQL cannot write."""
    async with aiohttp.ClientSession() as http:
        for node in nodes:
            async with http.get(f"{node.url}/health/ready") as answer:
                if answer.status != 503 or "read-only: this server is a standby" not in await answer.text():
                    return False
    return True


async def refuses_a_post(crowd: Crowd, node: NodeProcess) -> bool:
    """Return whether a post is refused with 503, a time to retry, and the reason."""
    author = Person(crowd.people[0]._http, node.url, "author", crowd.people[0].id, crowd.people[0].token)
    draft = {"body": "too early", "client_id": "too-early"}
    status, problem, headers = await author.asks("POST", "/api/chat/conversations/1/messages", draft)
    return status == 503 and "database is read-only" in problem["detail"] and headers["Retry-After"] == "1"


async def standby_is_named(url: str) -> None:
    """Check that `migrate` and the doctor say that the server is a standby."""
    with pytest.raises(UnsuitableDatabase, match="the server is a standby"):
        await migrate(url)
    found = {one.about: one.found for one in await check_database(as_node(url))}
    assert found["database role in replication"] == "standby"
