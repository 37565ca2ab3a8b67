"""A browser for the few tests here that need one."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.journeys.browsers import OpenWindow, opening_windows
from tests.journeys.conftest import FAILED, pytest_runtest_makereport
from tests.promises.conftest import browser

__all__ = ["browser", "pytest_runtest_makereport"]


@pytest.fixture
async def open_window(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[OpenWindow]:
    """`await open_window(node, ana)`: a window, closed after the test."""
    async with opening_windows(browser, lambda: request.node.stash.get(FAILED, False)) as open_one:
        yield open_one
