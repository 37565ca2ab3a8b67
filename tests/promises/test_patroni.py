"""The leader of a real Patroni cluster is killed under load; `python -m tests.patroni --kills 10` goes on longer."""

from pathlib import Path

import pytest

from tests.databases import folder_in_memory
from tests.patroni import PatroniCluster, count_resets, crowd_on, kill_leader

WRITING, MACHINE = 10.0, 20.0  # seconds after the promotion, and what a busy machine may add


@pytest.mark.timeout(400)
async def test_the_leader_is_killed(redis_url: str, tmp_path: Path) -> None:
    """Nothing acknowledged is lost, all are served soon after the promotion, and nobody reads everything again."""
    with folder_in_memory(tmp_path) as folder:
        home = folder / "cluster"
        home.mkdir()
        with PatroniCluster(home) as cluster:
            async with crowd_on(cluster, tmp_path, redis_url) as crowd:
                kill = await kill_leader(cluster, crowd)
                print(kill)
                assert kill.writing < WRITING + MACHINE
                assert await crowd.finishes(cluster.url) == []
                assert count_resets(crowd) == 0
