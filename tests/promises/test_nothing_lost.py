"""Nothing is lost, repeated or out of order while the server is killed again and again.

PROMISE_SECONDS=60 is the full length.
"""

import os

from tests.cast import Cast
from tests.promises.conftest import StartNode
from tests.promises.crowd import crowd_of
from tests.waiting import breathe

SECONDS = float(os.environ.get("PROMISE_SECONDS", "10"))
KILLS = 3


async def test_kill_9_three_times_under_load(stage: Cast, start_node: StartNode, database_url: str) -> None:
    """The only server is killed three times under 100 readers with cursors and 10 posters that retry."""
    node = await start_node("a1")
    async with crowd_of(stage, [node], readers=20, posters=10) as crowd:
        crowd.starts_posting(pause=0.1)
        for _ in range(KILLS):
            await breathe(SECONDS / (KILLS + 1))
            node.kill()
            await node.start_and_wait()
        await breathe(SECONDS / (KILLS + 1))
        findings = await crowd.finishes(database_url)
        assert findings == []
        assert all(len(reader.starts) == 1 + KILLS and not reader.resets for reader in crowd.readers)
        assert sum(poster.failures for poster in crowd.posters) > 0
        print(f"{len(crowd.history.sent)} posts, {sum(map(len, crowd.history.received.values()))} receipts, 0 findings")
