"""What exchanges need beside a database: another one."""

from collections.abc import Iterator

import pytest

from tests.databases import fresh_database


@pytest.fixture
def elsewhere(postgres_url: str, template: str) -> Iterator[str]:
    """Another database with nothing but tables."""
    with fresh_database(postgres_url, "tandem_elsewhere", template) as url:
        yield url
