"""Four people: ana and ben know each other, chloe comes later, mallory should see nothing."""

import pytest

from tests.cast import Cast, Person


@pytest.fixture
async def ana(cast: Cast) -> Person:
    """Begins most things."""
    return (await cast.enters("ana"))[0]


@pytest.fixture
async def ben(cast: Cast) -> Person:
    """Her colleague."""
    return (await cast.enters("ben"))[0]


@pytest.fixture
async def chloe(cast: Cast) -> Person:
    """New here."""
    return (await cast.enters("chloe"))[0]


@pytest.fixture
async def mallory(cast: Cast) -> Person:
    """An outsider."""
    return (await cast.enters("mallory"))[0]
