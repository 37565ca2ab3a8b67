"""A pytest plugin that records which tests execute which line: RECORD_LINES names the file that it writes.

The file holds `{"lines": {path: {line: [test]}}, "seconds": {test: seconds}}`, for the tests that passed. Read by
`tests/mutants.py`.
"""

import json
import os
from collections import defaultdict
from pathlib import Path

import coverage
import pytest

ROOT = Path(__file__).parent.parent
recorder = coverage.Coverage(data_file=None, source=[str(ROOT / "chat"), str(ROOT / "presence")])
seconds: dict[str, float] = {}


def pytest_configure() -> None:
    """Start recording before the first import of the project."""
    recorder.start()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Record the lines from here on for this test."""
    recorder.switch_context(item.nodeid)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the duration of a passed test, fixtures included."""
    if report.passed:
        seconds[report.nodeid] = seconds.get(report.nodeid, 0.0) + report.duration


def pytest_sessionfinish() -> None:
    """Write the file."""
    recorder.stop()
    data, lines = recorder.get_data(), {}
    for file in data.measured_files():
        tests: dict[int, list[str]] = defaultdict(list)
        for line, contexts in data.contexts_by_lineno(file).items():
            tests[line] = [test for test in contexts if test in seconds]
        lines[str(Path(file).relative_to(ROOT))] = tests
    Path(os.environ["RECORD_LINES"]).write_text(json.dumps({"lines": lines, "seconds": seconds}))
