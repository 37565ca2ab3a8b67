"""Processes: CPU, memory and file descriptors, as the system counts them."""

import os
import resource
from contextlib import suppress
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of all living threads, to the nanosecond; 0 for a process that has ended."""
    return sum(int(told.split()[0]) for told in read_tasks(pid, "schedstat")) / 1e9


def memory_bytes(pid: int) -> int:
    """Return the resident memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def family(pid: int) -> list[int]:
    """Return the process and all its descendants."""
    found = [pid]
    for one in found:
        found += [int(child) for told in read_tasks(one, "children") for child in told.split()]
    return found


def read_tasks(pid: int, what: str) -> list[str]:
    """Return the file `what` of each thread; threads that end meanwhile are left out."""
    told = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError):
                told.append(Path(f"/proc/{pid}/task/{task}/{what}").read_text())
    return told


# File descriptors: how many connections a process may have.

SPARE = 300  # for what a node has open besides its streams


def raise_descriptor_limit() -> None:
    """Raise the limit of file descriptors as far as the system allows; children inherit it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def max_streams() -> int:
    """Return how many streams one process can hold."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE
