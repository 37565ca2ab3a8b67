"""Three people, and one who should learn nothing."""

import pytest

from tests.cast import Cast, Person


@pytest.fixture
async def ana(cast: Cast) -> Person:
    """Begins most things."""
    return (await cast.enters("ana"))[0]


@pytest.fixture
async def ben(cast: Cast) -> Person:
    """Is called."""
    return (await cast.enters("ben"))[0]


@pytest.fixture
async def chloe(cast: Cast) -> Person:
    """Is there too."""
    return (await cast.enters("chloe"))[0]


@pytest.fixture
async def mallory(cast: Cast) -> Person:
    """Is not wanted."""
    return (await cast.enters("mallory"))[0]
