"""The signal that stops `tandem up` is never lost."""

import subprocess
import sys

SCENE = """
import os, signal
from chat.local.supervisor import exit_on_signals, keep_alive

class Collected:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        print("a signal during garbage collection")

exit_on_signals()
keep_alive([lambda: Collected() and None])
"""


def test_a_signal_during_garbage_collection_stops_it() -> None:
    """Python ignores the exception that the handler raises there."""
    done = subprocess.run([sys.executable, "-c", SCENE], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, "Exception ignored in" in done.stderr) == (0, True), done.stderr
