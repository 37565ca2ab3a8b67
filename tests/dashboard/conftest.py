"""Nodes that notice changes quickly, and an admin."""

import pytest

from tests.cast import Cast, Person
from tests.presence.conftest import node, other

__all__ = ["node", "other"]


@pytest.fixture
async def ada(cast: Cast) -> Person:
    """An admin."""
    (ada,) = await cast.enters("ada", role="admin")
    return ada
