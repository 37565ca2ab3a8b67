"""Cases that the server and the web client share."""

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).with_name("cases")


def cases(name: str) -> list[Any]:
    """Return the cases of one file, as pytest's parameters."""
    found = json.loads((FOLDER / f"{name}.json").read_text())
    return [pytest.param(case, id=case.get("name") or case["frame"][:40]) for case in found]
