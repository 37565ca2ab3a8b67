"""Databases of tests in memory: what killed tests left is removed, and nothing of tests that run."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import MEMORY, PREFIX, folder_in_memory, locked


@pytest.fixture
def left() -> Iterator[Path]:
    """A folder of tests that began long ago."""
    if not os.access(MEMORY, os.W_OK):
        pytest.skip("this machine has no folder in memory")
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=MEMORY, ignore_cleanup_errors=True) as folder:
        (Path(folder) / "postgres").mkdir()
        os.utime(folder, (0, 0))
        yield Path(folder)


def test_folders_of_killed_tests_are_removed(left: Path, tmp_path: Path) -> None:
    """Nothing locks the folder any more."""
    with folder_in_memory(tmp_path):
        assert not left.exists()


def test_folders_of_running_tests_stay(left: Path, tmp_path: Path) -> None:
    """A process has locked the folder."""
    with locked(left), folder_in_memory(tmp_path) as own:
        assert (left / "postgres").is_dir()
        assert own != left
