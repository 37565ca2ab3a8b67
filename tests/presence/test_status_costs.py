"""Status changes: limited for a user over all sockets, and combined when several come at once."""

import asyncio

import psycopg

from chat.shared.registry.status_choice import Choice
from presence.endpoints import SOCKETS
from tests.cast import Cast, casting
from tests.nodes import Node, running_node
from tests.presence.presence_client import open_presence

COUNTED = """
create table writes (rows bigint);
create function count_writes() returns trigger language plpgsql security definer as $$
begin
    insert into writes select count(*) from written;
    return null;
end $$;
create trigger count_inserts after insert on presence_choices
    referencing new table as written for each statement execute function count_writes();
"""


async def test_sockets_share_one_limit(database_url: str, redis_url: str) -> None:
    """The fourth change within an hour is refused on any of Ana's sockets. Ben has his own limit, and sockets stay
    open."""
    limits = {"rate_limits": True, "rate_status": "3/hour"}
    async with running_node(database_url, redis_url, **limits) as node, casting(database_url, node.url) as cast:
        ana, ben = await cast.enters("ana", "ben")
        async with open_presence(ana) as one, open_presence(ana) as two, open_presence(ben) as third:
            for watcher, status in ((one, "dnd"), (two, "away"), (one, "online")):
                await watcher.says("status", status=status)
                await watcher.watches(ana)
            await two.says("status", status="dnd")
            assert (await two.gets("problem"))["code"] == "too_fast"
            await third.says("status", status="dnd")
            await third.watches(ben)
            assert not third.named("problem")
            assert not one.socket.closed
            assert not two.socket.closed


async def test_many_changes_are_few_writes(database_url: str, node: Node, cast: Cast) -> None:
    """A hundred choices of Ana's and one of Ben's at once are at most two statements, and the last choice holds."""
    ana, ben = await cast.enters("ana", "ben")
    registry = node.app[SOCKETS].registry
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute(COUNTED)
        choices = [registry.choose(ana.id, Choice("dnd", f"meeting {n}")) for n in range(100)]
        await asyncio.gather(*choices, registry.choose(ben.id, Choice("away")))
        rows = await (await connection.execute("select rows from writes")).fetchall()
        assert len(rows) <= 2
        stored = await (await connection.execute("select text from presence_choices order by user_id")).fetchall()
        assert stored == [("meeting 99",), ("",)]
