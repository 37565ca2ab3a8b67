"""Folders as users have them."""

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a space in its name, in a folder that only its owner may enter."""
    parent = tmp_path / "only mine"
    parent.mkdir(mode=0o700)
    return parent / "data here"
