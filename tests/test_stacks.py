"""A test that hangs in a worker of xdist is named in the summary, with its stacks."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLUGINS = ("xdist.plugin", "pytest_timeout", "tests.stacks")
SETTINGS = """
[pytest]
timeout = 3
filterwarnings = error
"""
FINE = """
def test_fine():
    pass
"""
HANGING = """
import threading

def test_hangs():
    wait_for_mallory()

def wait_for_mallory():
    threading.Event().wait()
"""


def run_pytest(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the tests of a folder with two workers, warnings as errors, and the plugin."""
    (folder / "pytest.ini").write_text(SETTINGS)
    plugins = [word for name in PLUGINS for word in ("-p", name)]  # others take 20 s of the processor to load
    options = [*plugins, "-p", "no:cacheprovider", "-n", "2", "--max-worker-restart", "0"]
    command = [sys.executable, "-m", "pytest", *options, "-c", str(folder / "pytest.ini"), str(folder)]
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, check=False)


def test_a_hanging_test_leaves_its_name_and_its_stacks(tmp_path: Path) -> None:
    """The run fails, and does not wait for the test."""
    (tmp_path / "test_fine.py").write_text(FINE)
    (tmp_path / "test_hanging.py").write_text(HANGING)
    done = run_pytest(tmp_path)
    assert done.returncode == 1, done.stdout
    assert "test_hanging.py::test_hangs took longer than 3 s." in done.stdout
    assert "in wait_for_mallory" in done.stdout
    assert "in test_hangs" in done.stdout
    summary = done.stdout.partition("short test summary info")[2]
    assert "FAILED" in summary
    assert "test_hanging.py::test_hangs" in summary


def test_a_run_that_passes_ends_without_a_warning(tmp_path: Path) -> None:
    """A folder of stacks that is never removed would end the run with exit status 1."""
    (tmp_path / "test_fine.py").write_text(FINE)
    done = run_pytest(tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
