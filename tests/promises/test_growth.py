"""Functions that read foreign text take linear time: for eight times the text at most twenty times as long."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.promises.growth import CASES, MESSAGE, Subject, find_slow
from tests.promises.growth_exceptions import EXCEPTIONS
from tests.promises.growth_table import OWN_MODULES, SUBJECTS, resolve

ROOT = Path(__file__).parents[2]
TEXT = {"str", "bytes", "bytearray", "memoryview"}
TOOLS = re.compile(r"chat\.(client|tools|local|cli)(\.|$)")
PARSES = re.compile(
    r":(\w+\.)?_?(parse|split|decode|unpack|unescape|unmask|strip|clean|check|normali[sz]e|tokenize|match|like|host_of"
    r"|plain)(_\w*)?$"
)


@pytest.mark.parametrize("name", SUBJECTS)
def test_time_grows_linearly(name: str) -> None:
    """Each function runs on every hostile text at an eighth of its longest input and at the longest."""
    assert find_slow(SUBJECTS[name], CASES[: SUBJECTS[name].cases]) == {}


def test_a_quadratic_function_is_found() -> None:
    """The check finds two quadratic functions: one copies the rest at each character, one looks ahead from each."""

    def copies(text: str) -> None:
        while text:
            text = text[1:]

    letter = re.compile("x")  # slower than `find`, whose own time for each call hides that it looks further

    def looks_ahead(text: str) -> int:
        return sum(1 for n in range(len(text)) if letter.search(text, n))

    assert len(find_slow(Subject(copies, 10 * MESSAGE), CASES[:1])) == 1
    assert len(find_slow(Subject(looks_ahead, MESSAGE), CASES[:1])) == 1
    assert find_slow(Subject(str.lower), CASES[:2]) == {}


def test_the_old_mention_parser_is_found() -> None:
    """The check finds the former search for runs of backticks, which started again at each backslash."""
    before = re.compile(r"(\\*)(`+)")
    cases = [case for case in CASES if case["name"] in ("backslashes", "letters")]
    assert list(find_slow(Subject(before.findall, MESSAGE // 4), cases)) == ["backslashes"]


def test_every_function_that_takes_text_is_listed() -> None:
    """Every function of the pure core that takes text, and every parser elsewhere, is in the table or an exception."""
    core = set(pure_modules())
    found = {name for module in core - set(OWN_MODULES) for name in functions_of_text(module)}
    for module in product_modules() - core:
        found |= {name for name in functions_of_text(module) if PARSES.search(name)}
    assert found - set(SUBJECTS) - set(EXCEPTIONS) == set(), "add these to growth_table.py or growth_exceptions.py"
    assert set(EXCEPTIONS) - found == set(), "these exceptions are not needed"
    assert set(OWN_MODULES) <= core


def test_listed_functions_exist() -> None:
    """Every listed function exists, and is in one of the two tables only."""
    for name in (*SUBJECTS, *EXCEPTIONS):
        resolve(name)
    assert set(SUBJECTS) & set(EXCEPTIONS) == set()


def pure_modules() -> list[str]:
    """Return the modules of the pure core, as the contract in pyproject.toml lists them."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    listed = next(one["source_modules"] for one in contracts if one["id"] == "pure-core")
    packages = {one: ROOT / one.replace(".", "/") for one in listed}
    return [
        f"{one}.{file.stem}" if folder.is_dir() else one
        for one, folder in packages.items()
        for file in (sorted(folder.glob("*.py")) if folder.is_dir() else [folder])
    ]


def product_modules() -> set[str]:
    """Return the modules of a node and of its imports: neither clients of a server of ours nor an operator's tools."""
    files = [path.relative_to(ROOT) for part in ("chat", "presence") for path in (ROOT / part).rglob("*.py")]
    modules = {".".join(path.with_suffix("").parts) for path in files}
    return {module for module in modules if not TOOLS.match(module)}


def functions_of_text(module: str) -> Iterator[str]:
    """Yield `module:name` of each function whose annotations say that it takes text or bytes."""
    tree = ast.parse((ROOT / (module.replace(".", "/") + ".py")).read_text())
    owned = [(f"{node.name}.", node.body) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    for owner, body in [("", tree.body), *owned]:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and takes_text(node):
                yield f"{module}:{owner}{node.name}"


def takes_text(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether one of the arguments is annotated as text or bytes, alone or within another type."""
    given = node.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    named = [one.annotation for one in arguments if one is not None and one.annotation is not None]
    return any(isinstance(part, ast.Name) and part.id in TEXT for one in named for part in ast.walk(one))
