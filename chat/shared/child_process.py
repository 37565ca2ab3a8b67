"""Child processes: one that ends with its parent, and how one ended.

Between fork and exec this file runs as a script of its own: it becomes another user if told to, asks the kernel for a
signal at the parent's death, then becomes the program. Code in the forked child (`preexec_fn`) is not safe beside
threads. The kernel forgets the wish to die when the user changes, so the order matters. The script imports nothing of
the project and little else, because it runs before every child.

The parent is the *thread* that started the child: start children from one that lives as long as they should.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def leashed(command: Sequence[str], farewell: signal.Signals, runner: tuple[int, int] | None = None) -> list[str]:
    """Return the command line that runs `command` as `runner` (uid, gid) and sends it `farewell` when we die."""
    uid, gid = runner or (-1, -1)
    ours = [sys.executable, "-IS", __file__, str(os.getpid()), str(int(farewell)), str(uid), str(gid)]
    return [*ours, *command]


def describe_exit(code: int | None) -> str:
    """Return "was killed by SIGKILL" or "ended with exit code 1"; "runs" for None."""
    if code is None:
        return "runs"
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def become(uid: int, gid: int) -> None:
    """Change to another user for good."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with(parent: int, farewell: int) -> None:
    """Ask the kernel for `farewell` at the parent's death; exit at once if the parent has died already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, farewell)
    if os.getppid() != parent:
        sys.exit("the parent has gone")


def main() -> None:
    """Run `PARENT SIGNAL UID GID PROGRAM ARGUMENTS…`."""
    parent, farewell, uid, gid = map(int, sys.argv[1:5])
    if uid >= 0:
        become(uid, gid)
    die_with(parent, farewell)
    os.execv(sys.argv[5], sys.argv[5:])


if __name__ == "__main__":
    main()
