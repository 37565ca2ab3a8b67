"""Visitors for the tests of accounts."""

from collections.abc import AsyncIterator

import pytest

from chat import erasure
from tests.accounts.provider import Provider, providing
from tests.accounts.visitor import Visitor, visiting
from tests.nodes import Node


@pytest.fixture
async def ana(node: Node) -> AsyncIterator[Visitor]:
    """Ana's browser; she has no account yet."""
    async with visiting(node.url) as visitor:
        yield visitor


@pytest.fixture
async def mallory(node: Node) -> AsyncIterator[Visitor]:
    """Another browser, with worse intentions."""
    async with visiting(node.url) as visitor:
        yield visitor


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """An OpenID Connect provider."""
    async with providing() as made:
        yield made


@pytest.fixture
def quick_erasures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nodes look for deleted accounts often, not every five seconds."""
    monkeypatch.setattr(erasure, "PAUSE_SECONDS", 0.1)
