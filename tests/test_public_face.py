"""The public face does not change: documents, options of commands, and names of metrics."""

import json
import re
from functools import cache

import aiohttp
import pytest

from tests.golden import FOLDER, faces
from tests.nodes import Node

NAMES = ("openapi.json", "errors.json", "asyncapi.json", "options.json")
current = cache(faces)  # in the first test: each worker imports this file, and to describe the API takes seconds


@pytest.mark.parametrize("name", NAMES)
def test_the_public_face_is_unchanged(name: str) -> None:
    """An intended change is written by `python -m tests.golden` in the same commit."""
    assert current()[name] == json.loads((FOLDER / name).read_text())


def test_no_part_of_the_face_is_left_out() -> None:
    """Every file that `python -m tests.golden` writes is compared."""
    assert set(current()) == set(NAMES)


async def test_metrics_keep_their_names(node: Node) -> None:
    """Other people's dashboards and alerts use these names."""
    async with aiohttp.ClientSession() as http, http.get(f"{node.url}/metrics") as answer:
        assert answer.status == 200
        text = await answer.text()
    names = sorted(set(re.findall(r"^# TYPE (\S+ \S+)$", text, re.MULTILINE)))
    assert names == (FOLDER / "metrics.txt").read_text().splitlines()
