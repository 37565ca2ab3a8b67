"""A node, and four people: ana and ben know each other, chloe comes later, mallory should see nothing."""

from collections.abc import AsyncIterator

import pytest

from tests.cast import Person, Stage, staged


@pytest.fixture
async def stage(database_url: str, redis_url: str) -> AsyncIterator[Stage]:
    """One node."""
    async with staged(database_url, redis_url) as stage:
        yield stage


@pytest.fixture
async def ana(stage: Stage) -> Person:
    """Begins most things."""
    return await stage.person("ana")


@pytest.fixture
async def ben(stage: Stage) -> Person:
    """Her colleague."""
    return await stage.person("ben")


@pytest.fixture
async def chloe(stage: Stage) -> Person:
    """New here."""
    return await stage.person("chloe")


@pytest.fixture
async def mallory(stage: Stage) -> Person:
    """An outsider."""
    return await stage.person("mallory")
