"""Fixtures of imports and exports: a second database."""

import os
from collections.abc import Iterator

import pytest

from tests.databases import fresh_database


@pytest.fixture
def elsewhere(postgres_url: str, template: str) -> Iterator[str]:
    """A second database with empty tables."""
    with fresh_database(postgres_url, f"tandem_elsewhere_{os.getpid()}", template) as url:
        yield url
