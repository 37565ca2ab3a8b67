"""Fixtures for the journeys: a browser, nodes that are processes, and users with a window each.

All journeys of a worker share one Chromium, because starting it takes two seconds of CPU; each window has a profile of
its own. The browser belongs to one event loop, so journeys and their fixtures run in the session's loop.
"""

from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.cast import Cast, casting
from tests.journeys.browsers import OpenWindow, launching, opening_windows
from tests.promises.conftest import StartNode, starting_nodes

FOLDER = Path(__file__).parent
FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the journeys in the session's loop."""
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note that a journey failed, so that its windows are printed."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The Chromium of all journeys."""
    async with launching() as chromium:
        yield chromium


@pytest_asyncio.fixture(loop_scope="session")
async def open_window(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[OpenWindow]:
    """`await open_window(node, ana)`: a window, closed after the test."""
    async with opening_windows(browser, lambda: request.node.stash.get(FAILED, False)) as open_one:
        yield open_one


@pytest_asyncio.fixture(loop_scope="session")
async def start_node(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[StartNode]:
    """As in `tests/promises`."""
    async with starting_nodes(database_url, redis_url, tmp_path) as start:
        yield start


@pytest_asyncio.fixture(loop_scope="session")
async def stage(database_url: str) -> AsyncIterator[Cast]:
    """As in `tests/promises`."""
    async with casting(database_url, "") as cast:
        yield cast
