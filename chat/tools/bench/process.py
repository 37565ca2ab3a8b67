"""Processes: what they have used, as the system counts it."""

import os
import resource
from contextlib import suppress
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads that live, to the nanosecond; 0 for a process that has ended."""
    return sum(int(told.split()[0]) for told in tell_tasks(pid, "schedstat")) / 1e9


def memory_bytes(pid: int) -> int:
    """Resident memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def family(pid: int) -> list[int]:
    """The process and all that it has started, directly or not."""
    found = [pid]
    for one in found:
        found += [int(child) for told in tell_tasks(one, "children") for child in told.split()]
    return found


def tell_tasks(pid: int, what: str) -> list[str]:
    """What the system tells of each of its threads; those that end meanwhile, or all with the process, say nothing."""
    told = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError):
                told.append(Path(f"/proc/{pid}/task/{task}/{what}").read_text())
    return told


# File descriptors: how many connections one process of this machine may have.

SPARE = 300  # for what a node has open beside its streams


def raise_descriptors() -> None:
    """As many as the system allows; children have them too."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def streams_most() -> int:
    """How many streams one process can hold."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE
