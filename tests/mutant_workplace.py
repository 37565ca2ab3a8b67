"""A copy of the project in which mutants are tried. See `tests/mutants.py`."""

import json
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path

from tests.code_swap import is_swappable
from tests.fork_server import NOT_SWAPPED

ROOT = Path(__file__).parent.parent
RUN_SECONDS = 240
COPIED = ("chat", "presence", "tests")


class NotSwapped(Exception):
    """An import has called the function that is to be changed."""


class Workplace:
    """A copy of the project in which mutants are tried one at a time.

    A change of functions alone is made in a child of a process that has imported everything. If other things change,
    or an import has called the function, the child imports the changed sources.
    """

    def __init__(self, folder: Path, number: int, environment: dict[str, str], suites: list[str]) -> None:
        self.folder = folder / f"copy-{number}"
        for name in COPIED:
            shutil.copytree(ROOT / name, self.folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("web", "deploy", "pyproject.toml", "README.md"):
            (self.folder / name).symlink_to(ROOT / name)
        self._environment = environment | {"PYTEST_XDIST_WORKER": f"gw{number}", "PYTHONPATH": str(self.folder)}
        self._cold, self._warm = self._start(suites), self._start(suites, "--warm")
        for server in (self._cold, self._warm):
            code, _ = self._run(server, ["tests/log/test_cursor.py"], 30)
            if code != "0":
                sys.exit(f"The unchanged project fails in {self.folder}: pytest ends with {code}.")

    def _start(self, suites: list[str], *options: str) -> "subprocess.Popen[str]":
        """Start a fork server."""
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.fork_server", *options],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._ask(server, {"options": suites})
        return server

    def _ask(self, server: "subprocess.Popen[str]", question: dict[str, object]) -> tuple[str, str]:
        assert server.stdin is not None
        assert server.stdout is not None
        print(json.dumps(question), file=server.stdin, flush=True)
        code, last = json.loads(server.stdout.readline())
        return code, last

    def kills(self, path: str, changed: str, tests: list[str], seconds: float) -> str | None:
        """Return the first of the tests that fails, or hangs, with the changed source of `path`; None if none does."""
        file = self.folder / path
        original = file.read_text()
        self._write(file, changed)
        try:
            if path.endswith(".py") and is_swappable(original, changed):
                change = {"path": path, "old": original, "new": changed}
                with suppress(NotSwapped):
                    return self._fails(self._warm, tests, seconds, change)
            return self._fails(self._cold, tests, seconds, {})
        finally:
            self._write(file, original)

    def _fails(
        self, server: "subprocess.Popen[str]", tests: list[str], seconds: float, change: dict[str, object]
    ) -> str | None:
        """Return the first test that fails. A test that took long fails twice, as the machine may be busy."""
        while tests:
            began = time.monotonic()
            code, last = self._run(server, tests, seconds, **change)
            if code == "0":
                return None
            if code == str(NOT_SWAPPED):
                raise NotSwapped
            slow = time.monotonic() - began >= seconds / 2
            if not slow or last not in tests or self._run(server, [last], seconds, **change)[0] != "0":
                return last
            tests = tests[tests.index(last) + 1 :]
        return None

    def _run(
        self, server: "subprocess.Popen[str]", tests: list[str], seconds: float, **change: object
    ) -> tuple[str, str]:
        """Run these tests; return pytest's exit code or `timeout`, and the test that started last."""
        options = ["-x", "-q", "-p", "no:cacheprovider", f"--timeout={seconds:.0f}", *tests]
        return self._ask(server, {"options": options, "seconds": RUN_SECONDS, **change})

    def _write(self, file: Path, source: str) -> None:
        """Write a source and delete its byte code, because Python compares times in whole seconds."""
        file.write_text(source)
        Path(cache_from_source(str(file))).unlink(missing_ok=True)

    def close(self) -> None:
        """End the fork servers."""
        for server in (self._cold, self._warm):
            server.terminate()
            server.communicate()
