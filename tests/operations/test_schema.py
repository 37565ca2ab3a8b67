"""A node follows its own description: no status, media type or field is undescribed, and no call fails."""

import asyncio
import time
from copy import deepcopy
from typing import Any

import pytest

from tests.cast import Cast
from tests.nodes import Node
from tests.operations.schema_fuzz import describe_node, fuzz, fuzz_node, set_stage

# The node shares this process, and draws from `random` while Hypothesis watches it.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the .random. module")
SECONDS = 40
FEW = 2
STEP = 5  # every fifth call, so that nearly all are made as one of the callers


async def test_a_node_keeps_its_description(cast: Cast, node: Node) -> None:
    """An admin, a member and a visitor share the calls. `python -m tests.operations.schema_fuzz` makes all of them."""
    found = await fuzz_node(cast, node.url, FEW, 1, SECONDS, STEP)
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


async def test_undescribed_answers_are_found(cast: Cast, node: Node) -> None:
    """The fuzzer finds what is not described."""
    callers = await set_stage(cast)
    described = await describe_node(cast.people[-1])
    path = "/api/users/me"
    for forget in (forget_status, forget_field, forget_media):
        call = deepcopy(described["paths"][path]["get"])
        forget(call)
        document = described | {"paths": {path: {"get": call}}}
        found = await asyncio.to_thread(fuzz, node.url, document, callers[:1], FEW, 1, time.monotonic() + SECONDS)
        assert len(found.faults) == 1, forget.__name__
