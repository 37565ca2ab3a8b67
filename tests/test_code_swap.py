"""Mutants are made in a running interpreter: exactly the changed functions change, or nothing is said to be tried."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.code_swap import Functions, is_swappable

SOURCE = """
LIMIT = 3

def add(a, b=1):
    return a + b

def early():
    return "early"

KEPT = early()

class Counter:
    step = 1

    def count(self, values):
        return sum(value + self.step for value in values)

def make(by):
    def scaled(value):
        return value * by
    return scaled

double = make(2)

def shift(by):
    def shifted(value):
        return value + by
    return shifted
"""


@pytest.fixture
def functions(tmp_path: Path) -> Iterator[Functions]:
    """The functions of SOURCE, imported as `swapped`."""
    file = tmp_path / "swapped.py"
    file.write_text(SOURCE)
    with Functions(tmp_path) as functions:
        module = sys.modules["swapped"] = ModuleType("swapped")
        exec(compile(SOURCE, str(file), "exec"), module.__dict__)
    yield functions
    del sys.modules["swapped"]


@pytest.mark.parametrize(
    ("before", "after", "swappable"),
    [
        ("a + b", "a - b", True),
        ("value * by", "value + by", True),
        ("value + self.step", "value - self.step", True),
        ("    return a + b", "    pass", True),
        ("LIMIT = 3", "LIMIT = 4", False),
        ("b=1", "b=2", False),
        ("step = 1", "step = 2", False),
        ("make(2)", "make(3)", False),
        ("LIMIT = 3", "LIMIT = [n + 1 for n in range(3)]", False),
    ],
)
def test_only_a_change_within_functions_is_made_in_place(before: str, after: str, swappable: bool) -> None:
    """Constants, defaults and what a class says are values that others may have copied."""
    assert is_swappable(SOURCE, SOURCE.replace(before, after)) == swappable


def test_a_changed_function_runs_its_new_code(functions: Functions) -> None:
    """Methods and what is nested in functions change too, although the lines before them moved; others stay."""
    module = sys.modules["swapped"]
    add, count, shift = module.add, module.Counter().count, module.shift
    new = SOURCE.replace("    return a + b", "    a += 0\n    return a - b")
    new = new.replace("value + self.step", "value + 10").replace("value + by", "value - by")
    assert functions.swap("swapped.py", SOURCE, new) is True
    assert (add(5), count([1, 2]), shift(3)(4), module.early()) == (4, 23, 1, "early")


def test_a_function_that_an_import_called_is_left(functions: Functions) -> None:
    """Its result is in use already, so only a new import shows the change."""
    assert functions.swap("swapped.py", SOURCE, SOURCE.replace('return "early"', 'return "late"')) is False
    assert sys.modules["swapped"].early() == "early"
