"""The model of unread and mention counts passes the web client's cases."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conversations.model import Known

CASES = json.loads((Path(__file__).parents[1] / "cases" / "attention.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_entries_make_the_new_counts(case: Any) -> None:
    """State before plus entries is the state after."""
    known = Known(1, {one["id"]: one for one in case["before"]["conversations"]}, set(case["before"]["blocked"]))
    for event, data in case["entries"]:
        known.hear(event, data)
    wanted = {one["id"]: one for one in case["after"]["conversations"]}
    assert known.blocked == set(case["after"]["blocked"])
    assert known.conversations.keys() == wanted.keys()
    for id_, one in wanted.items():
        assert {name: known.conversations[id_].get(name) for name in one} == one
