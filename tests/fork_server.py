"""Runs pytest again and again without importing third-party packages each time: `python -m tests.fork_server`.

It reads a line of JSON, `{"options": [text], "seconds": number}`, from standard input, runs pytest with these options
in a forked child, and writes the exit code as a line, or `timeout` once the child was killed after that many seconds.
Only packages from outside the project are imported before the fork, so each child reads the project's sources as they
are then. Used by `tests/mutants.py`.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile

PROJECT = ("chat", "presence", "tests")
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


def run(options: list[str], seconds: float) -> tuple[str, str]:
    """Run pytest in a child of its own process group; return its exit code or `timeout`, and the last test."""
    with tempfile.TemporaryFile() as last:
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            silence = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(silence, descriptor)
            import pytest

            quiet = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
            os._exit(int(pytest.main([*quiet, *options], plugins=[Started(last.fileno())])))
        ended, _, _ = select.select([pidfd := os.pidfd_open(child)], [], [], seconds)
        os.close(pidfd)
        if not ended:
            os.killpg(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        return str(os.waitstatus_to_exitcode(status)) if ended else "timeout", last.read().decode()


def main() -> None:
    """Run the command that the heading of this file describes."""
    import_packages(json.loads(sys.stdin.readline())["options"])
    print(json.dumps(["ready", ""]), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(run(asked["options"], asked["seconds"])), flush=True)


if __name__ == "__main__":
    main()
