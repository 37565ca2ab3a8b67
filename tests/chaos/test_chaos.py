"""A short chaos run: several faults on three nodes behind the balancer, and every promise holds.

PROMISE_SECONDS=600 is the full length; `tandem chaos` is the same with a live view.
"""

import asyncio
import itertools
import json
import os
import random
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from chat.tools.chaos.faults import FAULTS
from chat.tools.chaos.run import ChaosOptions, draw

SECONDS = float(os.environ.get("PROMISE_SECONDS", "20"))
QUICK = "kill-node,kill-silenced-node,flush-redis,kill-redis,restart-postgres,lose-answers,cut-redis-link,"

QUICK += "hang-postgres-link,sleepy-readers,half-open,cut-clients,same-post,bad-receiver"

MANY = [] if SECONDS > 100 else QUICK.split(",")


async def chaos(*arguments: str, out: Path) -> tuple[int, str, str]:
    """Run the command; return its exit code and output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chat", "chaos", *arguments, f"--out={out}"),
        env=os.environ | {"PRESENCE_LINGER": "2", "NODE_LEASE": "2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    said, news = await process.communicate()
    return await process.wait(), said.decode(), news.decode()


@pytest.mark.timeout(SECONDS * 2 + 200)  # on a busy machine clients may take long to reconnect
async def test_every_promise_holds(tmp_path: Path) -> None:
    """All rows are zero after many faults and posts, and the timeline is drawn."""
    seed = secrets.randbelow(10**6)
    plan = [
        strike.name for section in ChaosOptions(seconds=SECONDS, seed=seed, faults=MANY).plan() for strike in section
    ]
    asked = ["--people=20", f"--minutes={SECONDS / 60}", f"--faults={','.join(MANY)}", f"--seed={seed}", "--json"]
    code, said, news = await chaos(*asked, out=tmp_path)
    print(news)
    report = json.loads(said)
    assert {promise: times for promise, times in report["promises"].items() if times} == {}
    assert (code, report["kept"]) == (0, True)
    assert sorted(one["name"] for one in report["struck"]) == sorted(plan)
    assert report["figures"]["posts acknowledged"] > SECONDS
    assert report["figures"]["members removed and added"] > 0
    assert report["figures"]["messages delivered to hooks"] > 0
    assert report["figures"]["resets"] == 0
    assert "every promise held" in picture_in(tmp_path)


def picture_in(folder: Path) -> str:
    """Return the timeline that the run has written."""
    (picture,) = folder.glob("*.svg")
    return picture.read_text()


async def test_an_unknown_fault_is_refused(tmp_path: Path) -> None:
    """The error names the faults that exist."""
    code, _, news = await chaos("--faults=earthquake", out=tmp_path)
    assert code == 1
    assert "There is no fault earthquake" in news
    assert "kill-node" in news


def test_a_seed_is_a_plan() -> None:
    """The same seed gives the same faults at the same times; every kind comes once before any comes twice."""
    nodes = ["n1", "n2", "n3"]
    plans = [draw(random.Random(7), FAULTS, nodes, 75, 8) for _ in range(2)]
    assert plans[0] == plans[1] != draw(random.Random(8), FAULTS, nodes, 75, 8)
    struck = [strike.name for section in plans[0] for strike in section]
    assert set(struck) == set(FAULTS)
    for section in plans[0]:
        assert all(strike.at + strike.seconds <= 75.1 for strike in section)
        for one, other in itertools.combinations(section, 2):
            apart = one.at + one.seconds < other.at or other.at + other.seconds < one.at
            assert apart or not FAULTS[one.name].touches & FAULTS[other.name].touches
