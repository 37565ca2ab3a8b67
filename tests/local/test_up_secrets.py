"""Secrets: no process that `tandem up` starts shows one in the environment that other processes can read."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from chat.local.engine import ValkeyEngine
from chat.local.postgres import PostgresEngine
from tests.local.running import Running, running_up


def family(pid: int) -> Iterator[int]:
    """Yield a process and all its descendants."""
    yield pid
    with suppress(FileNotFoundError, ProcessLookupError):  # a process or a thread may end meanwhile
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from family(int(child))


def environments(running: Running) -> dict[int, bytes]:
    """Return what /proc shows of every running process."""
    shown = {}
    for pid in family(running.process.pid):
        with suppress(FileNotFoundError, ProcessLookupError):  # a server of PostgreSQL may end meanwhile
            shown[pid] = Path(f"/proc/{pid}/environ").read_bytes()
    return shown


def test_given_urls_leave_the_environment(
    own_postgres: PostgresEngine, own_valkey: ValkeyEngine, tmp_path: Path
) -> None:
    """The URLs of PostgreSQL and Redis are in no process; a library's own secret stays readable for the library
    alone."""
    given = {"DATABASE_URL": own_postgres.url, "REDIS_URL": own_valkey.url, "AWS_SECRET_ACCESS_KEY": "mallory-wants-it"}
    with running_up(tmp_path / "data", nodes=2, **given, TANDEM_STORY="seen") as running:
        shown = environments(running)
        assert len(shown) >= 4  # `up`, two nodes, HAProxy
        assert all(b"TANDEM_STORY=seen" in one for one in shown.values())
        for secret in (own_postgres.data_dir.secret(), own_valkey.data_dir.secret(), "mallory-wants-it"):
            assert [pid for pid, one in shown.items() if secret.encode() in one] == []


def test_the_passwords_of_our_own_engines_are_in_no_environment(tmp_path: Path) -> None:
    """A node gets the URLs of bundled servers and hides them."""
    with running_up(tmp_path / "data") as running:
        secrets = [(tmp_path / "data" / name / "secret").read_bytes().strip() for name in ("postgres", "valkey")]
        shown = environments(running)
        assert len(shown) >= 4
        assert os.environ["PATH"].encode() in shown[running.process.pid]
        assert [pid for pid, one in shown.items() if any(secret in one for secret in secrets)] == []
