"""Each sub-command runs on a small scale, in an installation of its own, and says what it found."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SMALL = ["--scale", "0.01", "--json"]
COMMANDS = {
    "fanout": ["--rounds", "1"],
    "post": ["--rounds", "1"],
    "latency": [],
    "memory": [],
    "reconnect": [],
    "replay": ["--rounds", "1"],
    "presence": [],
    "transports": ["--rounds", "1"],
    "storm": [],
    "history": ["--messages", "200000"],
    "search": ["--messages", "200000"],
    "growth": [],
    "soak": ["--minutes", "0.05"],
}
# What must be exactly so on any machine, however slow and small.
EXACT = ("missing", "refused", "lost", "repeated", "failed")


def bench(name: str, *more: str) -> dict[str, Any]:
    """The report of a small run."""
    command = [sys.executable, "-m", "chat", "bench", name, *SMALL, *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("name", COMMANDS)
def test_it_measures(name: str) -> None:
    """Figures come out, and those hold that no machine may miss."""
    if name == "fanout" and shutil.which("cc") is None:
        pytest.skip("the floor needs a C compiler")
    said = bench(name, *COMMANDS[name])
    (report,) = said["reports"]
    assert report["rows"] or report["contests"]
    exact = [row for row in report["rows"] if any(word in row["what"] for word in EXACT)]
    assert [row for row in exact if row["holds"] is False] == []
    assert said["machine"]["cores"] >= 1


def test_the_floor_says_what_it_lacks(tmp_path: Path) -> None:
    """Without a compiler the reason and what to do; an unknown peer, the known ones."""
    for against, path, words in (
        ("floor", str(tmp_path), "install one (cc)"),
        ("xyz", "", "none of these: floor, nchan"),
    ):
        command = [sys.executable, "-m", "chat", "bench", "fanout", "--scale", "0.01", "--against", against]
        env = {"PATH": path} if path else None
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=env, check=False)
        assert done.returncode == 1
        assert words in done.stderr
