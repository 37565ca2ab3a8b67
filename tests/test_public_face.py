"""The public face does not change: documents, options of commands, and names of metrics."""

import json
import re

import aiohttp
import pytest

from tests.golden import FOLDER, faces
from tests.nodes import Node

FACES = faces()


@pytest.mark.parametrize("name", FACES)
def test_the_public_face_is_unchanged(name: str) -> None:
    """An intended change is written by `python -m tests.golden` in the same commit."""
    assert FACES[name] == json.loads((FOLDER / name).read_text())


async def test_metrics_keep_their_names(node: Node) -> None:
    """Other people's dashboards and alerts use these names."""
    async with aiohttp.ClientSession() as http, http.get(f"{node.url}/metrics") as answer:
        assert answer.status == 200
        text = await answer.text()
    names = sorted(set(re.findall(r"^# TYPE (\S+ \S+)$", text, re.MULTILINE)))
    assert names == (FOLDER / "metrics.txt").read_text().splitlines()
