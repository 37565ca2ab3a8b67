"""A pytest plugin: a test that takes too long leaves its name and every thread's stack in the report.

Under xdist, pytest-timeout ends a worker in a way that loses its output. Here the watchdog of `faulthandler` writes the
stacks to a file of the worker and ends it. That also works while a C function holds the interpreter's lock. The main
process adds the file to the failure that xdist reports for the crashed worker.
"""

import faulthandler
import tempfile
from pathlib import Path
from typing import Any, Protocol, TextIO

import pytest
from xdist.workermanage import WorkerController

FOLDER = pytest.StashKey["tempfile.TemporaryDirectory[str]"]()
FILE = pytest.StashKey[TextIO]()


class Limits(Protocol):
    """The settings of pytest-timeout for one test."""

    timeout: float


class CrashReport(pytest.TestReport):
    """The report that xdist makes of a crashed worker."""

    node: WorkerController


def pytest_configure_node(node: WorkerController) -> None:
    """Tell a worker, as it is made, where to write its stacks."""
    stash = node.config.stash
    if FOLDER not in stash:
        stash[FOLDER] = tempfile.TemporaryDirectory(prefix="tandem-stacks-")
    node.workerinput["stacks"] = str(Path(stash[FOLDER].name) / node.gateway.id)


def pytest_configure(config: pytest.Config) -> None:
    """Open the file of this worker."""
    if given := worker_input(config).get("stacks"):
        config.stash[FILE] = open(given, "w")  # noqa: SIM115 (the watchdog writes to it until the process ends)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close the worker's file, or remove the main process's folder."""
    if FILE in config.stash:
        config.stash[FILE].close()
    if FOLDER in config.stash:
        config.stash[FOLDER].cleanup()


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Limits) -> bool | None:
    """Start the watchdog in a worker; without xdist pytest-timeout prints the stacks itself."""
    out = item.config.stash.get(FILE, None)
    if out is None:
        return None
    out.seek(0)
    out.truncate()
    out.write(f"{item.nodeid} took longer than {settings.timeout:g} s.\n")
    out.flush()
    faulthandler.dump_traceback_later(settings.timeout, exit=True, file=out)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_cancel_timer(item: pytest.Item) -> bool | None:
    """Stop the watchdog; the test has ended."""
    if FILE not in item.config.stash:
        return None
    faulthandler.cancel_dump_traceback_later()
    return True


def pytest_handlecrashitem(report: CrashReport) -> None:
    """Add what the worker wrote to the failure."""
    told = Path(report.node.workerinput["stacks"]).read_text()
    if "(most recent call first)" in told:
        report.longrepr = told
        report.sections.append(("worker", f"{report.node.gateway.id} was ended by its watchdog"))


def worker_input(config: pytest.Config) -> dict[str, Any]:
    """Return what the main process tells this worker; empty in the main process."""
    return getattr(config, "workerinput", {})
