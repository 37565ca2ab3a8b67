"""Runs pytest again and again without importing everything each time: `python -m tests.fork_server`.

It reads a line of JSON, `{"options": [text], "seconds": number}`, from standard input, runs pytest with these options
in a forked child, and writes the exit code as a line, or `timeout` once the child was killed after that many seconds.
Only packages from outside the project are imported before the fork, so each child reads the project's sources as they
are then. With `--warm`, the project and its tests are imported, too. Then a question names a file whose functions are
changed in the child: `{"path": path, "old": source, "new": source}`. Used by `tests/mutants.py`.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.code_swap import Functions

PROJECT = ("chat", "presence", "tests")
QUIET = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # as plugins are imported before the fork
NOT_SWAPPED = 99  # the exit code if a changed function was called by an import
LIST = "import sys, chat.app, chat.tools.bench.command, pytest; pytest.main(['-q', '--collect-only', *sys.argv[1:]])"
LIST += "; print('\\n' + ' '.join(sys.modules))"


def import_packages(tests: list[str]) -> None:
    """Import the third-party packages of the project and these tests, found by importing them in a process of its
    own."""
    listed = subprocess.run([sys.executable, "-c", LIST, *tests], capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines()[-1].split():
        if not name.startswith(PROJECT) and name != "__mp_main__":
            try:
                __import__(name)
            except Exception:  # a package that cannot be imported alone is imported by the child
                continue


class Started:
    """A pytest plugin that writes the name of each test into a file when the test starts."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Replace the name in the file."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, nodeid.encode(), 0)


def silence() -> None:
    """Send what this process reads and writes nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)


def collect(functions: Functions, tests: list[str]) -> None:
    """Import the project by collecting these tests."""
    with functions, contextlib.redirect_stdout(sys.stderr):
        pytest.main([*QUIET, "-q", "-q", "--collect-only", "-p", "no:cacheprovider", *tests])


def run(asked: dict[str, Any], functions: Functions) -> tuple[str, str]:
    """Run pytest in a child of its own process group; return its exit code or `timeout`, and the last test."""
    with tempfile.TemporaryFile() as last:
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            silence()
            if "new" in asked and not functions.swap(asked["path"], asked["old"], asked["new"]):
                os._exit(NOT_SWAPPED)
            os._exit(int(pytest.main([*QUIET, *asked["options"]], plugins=[Started(last.fileno())])))
        ended, _, _ = select.select([pidfd := os.pidfd_open(child)], [], [], asked["seconds"])
        os.close(pidfd)
        if not ended:
            os.killpg(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        return str(os.waitstatus_to_exitcode(status)) if ended else "timeout", last.read().decode()


def main() -> None:
    """Run the command that the heading of this file describes."""
    tests = json.loads(sys.stdin.readline())["options"]
    import_packages(tests)
    functions = Functions(Path.cwd())
    if "--warm" in sys.argv:
        collect(functions, tests)
    print(json.dumps(["ready", ""]), flush=True)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line), functions)), flush=True)


if __name__ == "__main__":
    main()
