"""The image worker's sandbox: each layer alone keeps a hostile worker from the node's secrets and from the network."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat.files.images import Pictures, missing_layers, read_layers
from chat.files.sandbox import LAYERS
from chat.local.postgres import PostgresEngine
from tests.files.sending import picture
from tests.files.test_pictures import one

# The attempts of a worker that runs mallory's code; it prints what succeeded.
PROBE = """
import os, socket, sys
from chat.files import sandbox
layer, node, port, mine = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]

def attempt(name, act):
    try:
        act()
    except OSError:
        return
    print(name)

def run():
    child = os.fork()
    if child == 0:
        try:
            os.execv("/bin/true", ["true"])
        finally:
            os._exit(1)
    if os.waitpid(child, 0)[1]:
        raise OSError

sandbox.libc.prctl(sandbox.NO_NEW_PRIVILEGES, 1, 0, 0, 0)
if layer != "none":
    assert {"identity": sandbox.change_identity, "landlock": sandbox.restrict_access,
            "seccomp": sandbox.filter_calls, "all": sandbox.enter}[layer]()
attempt("environ", lambda: open(f"/proc/{node}/environ", "rb").read())
attempt("memory", lambda: open(f"/proc/{node}/mem", "rb").close())
attempt("secret file", lambda: open(mine, "rb").read())
attempt("write", lambda: open(mine + ".new", "wb").close())
attempt("connect", lambda: socket.socket().connect(("127.0.0.1", port)))
attempt("signal", lambda: os.kill(int(node), 0))
attempt("run", run)
attempt("fork", lambda: os.fork() or os._exit(0))
"""
EVERYTHING = {"environ", "memory", "secret file", "write", "connect", "signal", "run", "fork"}


@pytest.fixture
def node() -> Iterator[int]:
    """A process of the same user with a secret in its environment, like a node."""
    secret = {"DATABASE_URL": "postgresql://tandem:secret@127.0.0.1/tandem"}
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, env=secret, stdin=subprocess.PIPE) as process:
        yield process.pid


@pytest.fixture
def captured(node: int, own_postgres: PostgresEngine, tmp_path: Path) -> "Captured":
    """A worker that runs mallory's code."""
    (tmp_path / "secret").write_text("the password of PostgreSQL")
    (tmp_path / "secret").chmod(0o600)
    return Captured(node, own_postgres.port, tmp_path / "secret")


class Captured:
    """Runs the probe in one layer; `manages` returns what succeeded."""

    def __init__(self, node: int, port: int, secret: Path) -> None:
        self._arguments = [str(node), str(port), str(secret)]

    def manages(self, layer: str) -> set[str]:
        """Try everything; return what succeeded."""
        command = [sys.executable, "-I", "-c", PROBE, layer, *self._arguments]
        done = subprocess.run(command, env={}, cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return set(done.stdout.split("\n")) - {""}


def test_a_hostile_worker_reaches_nothing(captured: Captured) -> None:
    """The worker reads no environment, opens no file, reaches no server and starts nothing."""
    assert captured.manages("none") == EVERYTHING
    assert captured.manages("all") == set()
    assert captured.manages("seccomp") == set()
    assert not captured.manages("landlock") & {"environ", "memory", "secret file", "write", "connect", "run"}
    if os.geteuid() == 0:
        assert not captured.manages("identity") & {"environ", "memory", "secret file", "write", "signal"}


async def test_the_worker_reports_its_layers(capsys: pytest.CaptureFixture[str]) -> None:
    """On this machine all layers are in effect; a node on a machine that lacks some logs it once."""
    assert missing_layers(await read_layers()) == []
    looker = Pictures(1_000_000)
    assert await looker.process("previews", one(picture()), 1)
    assert "less protection" not in capsys.readouterr().out
    looker = Pictures(1_000_000)
    looker._check_sandbox(["seccomp"])
    looker._check_sandbox(["seccomp"])
    assert capsys.readouterr().out.count("less protection") == 1
    assert set(missing_layers([])) >= set(LAYERS) - {"identity"}
