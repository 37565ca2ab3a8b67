"""PostgreSQL's programs, readable for the user that runs them."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chat.local import postgres as local_postgres
from chat.local.postgres import PostgresEngine


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may pass through, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_installed_in_a_closed_folder(tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With root's clone in a closed folder, the server runs from a copy, and no folder is opened."""
    closed = tmp_path / "root's"
    closed.mkdir(mode=0o700)
    for part in local_postgres.copied_parts():
        shutil.copytree(part, closed / part.name)
    monkeypatch.setattr(local_postgres, "installed", lambda package: closed / package)
    monkeypatch.setattr(local_postgres, "CACHE", open_folder / "cache")
    with PostgresEngine(closed / "data") as postgres, psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        assert str(open_folder) in os.readlink(f"/proc/{postgres.pid}/exe")
    assert closed.stat().st_mode & 0o777 == 0o700
