"""A test that hangs in a worker of xdist is named in the summary, with its stacks."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HANGING = """
import threading

def test_fine():
    pass

def test_hangs():
    wait_for_mallory()

def wait_for_mallory():
    threading.Event().wait()
"""


def test_a_hanging_test_leaves_its_name_and_its_stacks(tmp_path: Path) -> None:
    """The run fails, and does not wait for the test."""
    (tmp_path / "test_hanging.py").write_text(HANGING)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\ntimeout = 3\n")
    options = ["-p", "tests.stacks", "-p", "no:cacheprovider", "-n", "2", "--max-worker-restart", "0"]
    command = [sys.executable, "-m", "pytest", *options, "-c", str(tmp_path / "pytest.ini"), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    assert "test_hanging.py::test_hangs took longer than 3 s." in done.stdout
    assert "in wait_for_mallory" in done.stdout
    assert "in test_hangs" in done.stdout
    summary = done.stdout.partition("short test summary info")[2]
    assert "FAILED" in summary
    assert "test_hanging.py::test_hangs" in summary
