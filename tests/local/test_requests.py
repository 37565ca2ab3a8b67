"""Requests to the nodes of this machine: when nothing runs there, and when what runs there cannot be reached."""

from pathlib import Path

import pytest

from chat.local.errors import NoFleet, NotDone
from chat.local.fleet import SOCKET_NAME, ask_fleet


def test_nothing_runs_there(tmp_path: Path) -> None:
    """The error says how to start nodes."""
    with pytest.raises(NoFleet, match="Start it with"):
        ask_fleet(tmp_path, "scale", nodes=3)


def test_the_reason_is_told(tmp_path: Path) -> None:
    """A socket that cannot be opened is no proof that nothing runs, as with nodes of another user."""
    control = tmp_path / "balancer" / SOCKET_NAME
    control.parent.mkdir()
    control.symlink_to(control)
    with pytest.raises(NotDone, match="cannot be reached: Too many levels of symbolic links"):
        ask_fleet(tmp_path, "scale", nodes=3)
