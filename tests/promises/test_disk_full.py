"""PostgreSQL's disk is full: posts are refused with a time to retry, nothing acknowledged is lost, and service resumes
once there is space."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chat.local.postgres import PostgresEngine
from tests.cast import casting
from tests.local.running import running_up
from tests.promises.crowd import Crowd, crowd_of
from tests.waiting import breathe, eventually

SIZE = 256 * 2**20
LIVED = 10.0  # `tandem up` never gives up a child that has run so long
FULL = 2.0
PAGE = 64 * 1024
BACK = 40.0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk of its own can only be had as root, where mounting is allowed")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Fill the disk to the last page."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(PAGE)) == PAGE:
            pass
    return filler


async def test_full_for_a_while(small_disk: Path) -> None:
    """A crowd posts behind the balancer while the disk, which also has the nodes' logs, fills up and is freed."""
    with running_up(small_disk / "data", 2, RATE_LIMITS="off", STREAMS_PER_PERSON="1000") as up:
        postgres = PostgresEngine(small_disk / "data" / "postgres")
        postgres.use_running_port()
        async with casting(postgres.url, up.url) as stage, crowd_of(stage, [up], readers=6, posters=8) as crowd:
            crowd.starts_posting(pause=0.1)
            await breathe(LIVED)
            filler = fill(small_disk)
            await eventually(lambda: is_refused(crowd), BACK)
            await breathe(FULL)
            done = len(crowd.history.acknowledged)
            filler.unlink()
            await eventually(lambda: len(crowd.history.acknowledged) > done + 20, BACK)
            await eventually(lambda: asyncio.to_thread(up.serves), BACK)
            assert await crowd.finishes(postgres.url) == []
        refusals = [refusal for poster in crowd.posters for refusal in poster.refusals]
        assert {status for status, _ in refusals} == {503}
        assert all(retry_after for _, retry_after in refusals)


def is_refused(crowd: Crowd) -> bool:
    """Return whether every poster was told to retry."""
    return all(poster.refusals for poster in crowd.posters)
