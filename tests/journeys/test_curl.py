"""curl with a Last-Event-ID of an hour ago gets what it missed, byte for byte as first sent, and then continues
live."""

import shutil

import psycopg
import pytest

from tests.cast import Cast
from tests.journeys.curl import curling
from tests.promises.conftest import StartNode

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")


async def test_an_hour_is_replayed_and_the_stream_continues_live(
    stage: Cast, start_node: StartNode, database_url: str
) -> None:
    """The node has been restarted meanwhile, so it has no recent entries."""
    node = await start_node("a1")
    ana, ben = await stage.enters("ana", "ben")
    ana.at = ben.at = node.url
    room = await stage.share(ana, ben)
    async with curling(ben) as live:
        await ana.says(room, "heard before")
        (known,) = await live.prints(1)
        for n in range(50):
            await ana.says(room, f"missed {n}\nне\r\nтолько ASCII: 日本語 🥨 \u2028 \"'\\")
        first_sent = await live.prints(51)
    await an_hour_passes(database_url)
    node.kill()
    await node.start_and_wait()
    cursor = known.rpartition(b"\nid: ")[2].decode()
    async with curling(ben, cursor) as late, curling(ben, cursor) as other:
        assert await late.prints(50) == first_sent[1:]
        await ana.says(room, "and live")
        assert (await late.prints(51))[-1] == (await other.prints(51))[-1]
        assert b'"body":"and live"' in late.frames()[-1]
        assert b'"resumed":true' in late.said


async def an_hour_passes(database_url: str) -> None:
    """Move everything in the log, and every message, an hour back."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute("update log set at = at - interval '1 hour'")
        await connection.execute("update messages set created_at = created_at - interval '1 hour'")
