"""A node follows its own description: no status, media type or field is undescribed, and no call fails."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.cast import Cast
from tests.nodes import Node
from tests.operations.schema_fuzz import describe_node, fuzz, fuzz_node, set_stage

# The node shares this process, and draws from `random` while Hypothesis watches it.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the .random. module")
SECONDS = 40
FEW = 2


async def test_a_node_keeps_its_description(cast: Cast, node: Node) -> None:
    """An admin, a member and a visitor make every call. `python -m tests.operations.schema_fuzz` runs longer."""
    found = await fuzz_node(cast, node.url, FEW, 1, SECONDS)
    assert list(found.faults.values()) == []
    assert min(found.statuses[status] for status in (200, 401, 404)) > 0


def forget_status(call: dict[str, Any]) -> None:
    """Remove an existing status from the description."""
    del call["responses"]["200"]


def forget_field(call: dict[str, Any]) -> None:
    """Make the description forbid a field that exists."""
    call["responses"]["200"]["content"]["application/json"]["schema"] = {"properties": {"id": {"type": "null"}}}


def forget_media(call: dict[str, Any]) -> None:
    """Make the description say text instead of JSON."""
    call["responses"]["200"]["content"] = {"text/plain": {}}


@pytest.mark.parametrize("forget", [forget_status, forget_field, forget_media])
async def test_undescribed_answers_are_found(forget: Callable[[Any], None], cast: Cast, node: Node) -> None:
    """The fuzzer finds what is not described."""
    callers = await set_stage(cast)
    document = await describe_node(cast.people[-1])
    path = "/api/users/me"
    forget(document["paths"][path]["get"])
    document["paths"] = {path: {"get": document["paths"][path]["get"]}}
    found = await asyncio.to_thread(fuzz, node.url, document, callers[:1], FEW, 1, time.monotonic() + SECONDS)
    assert len(found.faults) == 1
