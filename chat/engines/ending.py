"""How a child process ended, as a person would say it."""

import signal
import subprocess


def how_it_ended(process: subprocess.Popen[bytes] | None) -> str:
    """ "was killed by SIGKILL", "ended with exit code 1"; of one that runs, "runs"."""
    code = process.poll() if process else None
    if code is None:
        return "runs"
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
