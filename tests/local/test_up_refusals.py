"""Refusals: if `tandem up` cannot serve, it says why and what to do, and starts nothing."""

import socket
from pathlib import Path

import pytest

from chat.local import data_dir
from tests.local.running import refused, running_up


def test_port_in_use(tmp_path: Path) -> None:
    """The error names the port and offers another one."""
    with socket.create_server(("127.0.0.1", data_dir.free_port())) as other:
        port = other.getsockname()[1]
        code, said = refused(tmp_path / "data", port)
    assert code == 1
    assert f"Port {port} on 127.0.0.1 is in use" in said
    assert "--port " in said
    assert not (tmp_path / "data").exists()


def test_second_up_on_one_folder(tmp_path: Path) -> None:
    """The second one is refused with the process that has the folder; the first one continues."""
    with running_up(tmp_path / "data") as first:
        code, said = refused(tmp_path / "data")
        assert code == 1
        assert f"in use by another Tandem (process {first.process.pid})" in said
        assert first.serves()


def test_impossible_folder(tmp_path: Path) -> None:
    """A file where the data folder should be is refused."""
    (tmp_path / "file").touch()
    code, said = refused(tmp_path / "file")
    assert code == 1
    assert "Choose a writable folder with --data" in said


def test_all_wrong_settings_at_once(tmp_path: Path) -> None:
    """Each wrong setting has a line of its own."""
    code, said = refused(tmp_path / "data", SIGNUP="perhaps", STREAM_BUFFER="much")
    assert code == 2
    lines = said.splitlines()
    assert any(line.startswith("SIGNUP: ") for line in lines)
    assert any(line.startswith("STREAM_BUFFER: ") for line in lines)


@pytest.mark.parametrize("url", ["postgresql://ana:hush@127.0.0.1:1/tandem", "postgresql//ana:hush@here"])
def test_unreachable_database(tmp_path: Path, url: str) -> None:
    """The error has the reason and the setting, and not the password."""
    code, said = refused(tmp_path / "data", DATABASE_URL=url)
    assert code == 1
    assert "Check DATABASE_URL" in said
    assert "hush" not in said
    assert "Traceback" not in said
