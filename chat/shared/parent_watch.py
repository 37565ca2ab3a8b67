"""Starts a program that dies with its parent: becomes another user if told to, then the program.

Run as a script of its own, between fork and exec: code in the forked child (`preexec_fn`) is not safe beside
threads, and the kernel forgets the wish to die when the user changes, so that the order here matters.

The parent is the *thread* that started the child: start children from one that lives as long as they should.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def leashed(command: Sequence[str], farewell: signal.Signals, runner: tuple[int, int] | None = None) -> list[str]:
    """The command line that runs `command` as `runner` (uid, gid), with `farewell` at our death."""
    uid, gid = runner or (-1, -1)
    ours = [sys.executable, "-IS", __file__, str(os.getpid()), str(int(farewell)), str(uid), str(gid)]
    return [*ours, *command]


def become(uid: int, gid: int) -> None:
    """Drop to another user for good."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with(parent: int, farewell: int) -> None:
    """Ask the kernel for `farewell` at the parent's death; end at once when it has died already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, farewell)
    if os.getppid() != parent:
        sys.exit("the parent has gone")


def main() -> None:
    """PARENT SIGNAL UID GID PROGRAM ARGUMENTS…"""
    parent, farewell, uid, gid = map(int, sys.argv[1:5])
    if uid >= 0:
        become(uid, gid)
    die_with(parent, farewell)
    os.execv(sys.argv[5], sys.argv[5:])


if __name__ == "__main__":
    main()
