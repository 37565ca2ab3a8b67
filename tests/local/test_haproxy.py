"""HAProxy's configuration, as HAProxy itself reads it, and the choice of its program."""

import socket
import subprocess
from pathlib import Path

import pytest

from chat.local.data_dir import connect_unix, listen_unix
from chat.local.haproxy import haproxy_program, version_of, write_configuration

PORTS = {"n1": 20_001, "n2": 20_002, "n3": 20_003}
HEALTH = {"n1": 20_011}  # the others are checked where they run


def bundled(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """The bundled program, on a system without HAProxy."""
    monkeypatch.setenv("PATH", str(folder))
    return haproxy_program()


def checks(program: Path, folder: Path) -> str:
    """Return HAProxy's messages about the configuration."""
    with socket.create_server(("127.0.0.1", 0)) as public, listen_unix(folder / "control") as control:
        descriptors = (control.fileno(), public.fileno())
        (folder / "cfg").write_text(write_configuration(PORTS, HEALTH, ["n1", "n2"], *descriptors, idle_limit=60))
        command = [program, "-c", "-f", folder / "cfg"]
        done = subprocess.run(command, pass_fds=descriptors, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


def test_no_haproxy_warns_about_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the system's program nor the bundled one warns."""
    for program in {haproxy_program(), bundled(monkeypatch, tmp_path)}:
        said = checks(program, tmp_path)
        assert "WARNING" not in said
        assert "ALERT" not in said


def test_unused_nodes_are_disabled() -> None:
    """Only nodes in use get clients; time-outs follow the beats."""
    written = write_configuration(PORTS, HEALTH, ["n1", "n2"], 5, 6, idle_limit=45)
    assert "server n1 127.0.0.1:20001 port 20011\n" in written
    assert "server n2 127.0.0.1:20002 port 20002\n" in written
    assert "server n3 127.0.0.1:20003 port 20003 disabled\n" in written
    assert "timeout server 45s" in written


def test_an_old_haproxy_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the system's HAProxy is too old, the bundled one is used."""
    old = tmp_path / "haproxy"
    old.write_text("#!/bin/sh\necho 'HAProxy version 2.2.9-2 2021/01/01'\n")
    old.chmod(0o755)
    assert version_of(old) == (2, 2)
    assert bundled(monkeypatch, tmp_path) != old


def test_paths_longer_than_the_kernel_takes(tmp_path: Path) -> None:
    """A socket deep in folders works, although its path is longer than the kernel accepts."""
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True, mode=0o700)
    with listen_unix(deep / "control") as listener, connect_unix(deep / "control", 1.0) as link:
        other, _ = listener.accept()
        with other:
            link.sendall(b"hello")
            assert other.recv(5) == b"hello"
