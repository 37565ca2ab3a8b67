"""A program that starts both servers in the given folder, says so, and waits to be killed."""

import signal
import subprocess
import sys
from pathlib import Path

from chat.local.engine import ValkeyEngine
from chat.local.postgres import PostgresEngine


def started_elsewhere(folder: Path) -> subprocess.Popen[str]:
    """Run this file in a process of its own, and wait until both servers accept connections."""
    other = subprocess.Popen([sys.executable, "-m", __name__, str(folder)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "started\n"
    return other


if __name__ == "__main__":
    home = Path(sys.argv[1])
    with PostgresEngine(home / "postgres"), ValkeyEngine(home / "valkey"):
        print("started", flush=True)
        signal.pause()
