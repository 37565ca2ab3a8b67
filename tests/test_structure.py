"""The form of the sources, measured: few and deep modules, their own SQL, unique names, plain words.

`python -m pytest -s tests/test_structure.py` prints the figures.
"""

import ast
import re
from collections import defaultdict
from functools import cache
from itertools import chain
from pathlib import Path
from statistics import median

from tests.test_architecture import sources

ROOT = Path(__file__).parent.parent
MODULES_MOST, MEDIAN_LEAST, SHORT_LINES, SHORT_MOST, SINGLE_IMPORTER_MOST = 250, 110, 40, 25, 80
RIDDLES_MOST = 0.05
# First words of docstrings that leave their subject open.
RIDDLE = re.compile(
    r"(Who|Whom|Whose|What|Whether|How|It|Its|He|They|As|Nobody|Nothing|Somebody|One|Is|Are|Does|Has|Until|Where|When"
    r"|And|But|Or|So|Because)\b"
)
# Words that a newcomer has to look up.
WORDS = re.compile(
    r"\b(for ever|in place of|seldomer|whoever|somebody|anybody|darkroom|comes? back|let go of|by way of|begun with"
    r"|dressed as)\b",
    re.IGNORECASE,
)
TEXTS = (
    "chat/**/*.py", "chat/**/*.sql", "chat/**/*.lua", "chat/**/*.md", "presence/**/*.py", "presence/**/*.sql",
    "presence/**/*.md", "web/app/**/*.svelte", "web/app/**/*.ts", "web/client/**/*.ts", "web/*.md", "web/client/*.md",
    "deploy/**/*.md", "deploy/**/*.py", "deploy/**/*.yml", "tests/*.py", "tests/**/*.py", "*.md", ".github/**/*.md",
)  # fmt: skip
# Files with other people's words, and tables of old words.
FOREIGN = (
    "tests/test_structure.py",
    "web/node_modules/",
    "web/dist/",
    "chat/local/talk.txt",
)


@cache
def modules() -> dict[str, Path]:
    """Return the project's modules by their dotted names, without `__init__`."""
    paths = chain((ROOT / "chat").rglob("*.py"), (ROOT / "presence").rglob("*.py"))
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths if path.name != "__init__.py"
    }


@cache
def trees() -> dict[str, ast.Module]:
    """The syntax tree of each module."""
    parsed = sources()
    return {name: parsed[str(path.relative_to(ROOT))] for name, path in modules().items()}


@cache
def imports() -> dict[str, dict[str, set[str]]]:
    """Return which module imports which names from which other: importer → imported → names."""
    found: dict[str, dict[str, set[str]]] = {name: defaultdict(set) for name in modules()}
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    full = f"{node.module}.{alias.name}"
                    target = full if full in modules() else node.module
                    if target in modules() and target != name:
                        found[name][target].add(alias.name)
    return found


def test_modules_are_few_and_deep() -> None:
    """At most 250 modules; the median has at least 110 lines, and few have less than 40."""
    sizes = {name: len(path.read_text().splitlines()) for name, path in modules().items()}
    short = sorted(name for name, size in sizes.items() if size < SHORT_LINES)
    print(f"{len(sizes)} modules, median {median(sizes.values())} lines, {len(short)} under {SHORT_LINES}: {short}")
    assert len(sizes) <= MODULES_MOST
    assert median(sizes.values()) >= MEDIAN_LEAST
    assert len(short) < SHORT_MOST


def test_few_modules_have_one_importer() -> None:
    """A part that only one other part needs belongs to that part, unless it is a subject of its own."""
    importers: dict[str, set[str]] = defaultdict(set)
    for name, targets in imports().items():
        for target in targets:
            importers[target].add(name)
    single = sorted(name for name, found in importers.items() if len(found) == 1)
    print(f"{len(single)} modules with one importer")
    assert len(single) <= SINGLE_IMPORTER_MOST


def test_modules_use_their_own_queries_alone() -> None:
    """A module asks another subject for its data by a function."""
    borrowed = {
        name: list(targets) for name, targets in imports().items() if any("queries" in n for n in targets.values())
    }
    assert borrowed == {}


def test_packages_have_an_order() -> None:
    """No two packages import each other."""
    edges = {
        (package(name), package(target))
        for name, targets in imports().items()
        for target in targets
        if package(name) != package(target)
    }
    assert {tuple(sorted(edge)) for edge in edges if edge[::-1] in edges} == set()


def package(name: str) -> str:
    """Return the part of chat or presence that a module belongs to."""
    return ".".join(name.split(".")[:2])


def test_class_names_are_unique() -> None:
    """Two classes never have the same name."""
    places: dict[str, list[str]] = defaultdict(list)
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(name)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_docstrings_begin_plainly() -> None:
    """A docstring begins with a verb, or names its subject."""
    said = [
        (f"{name}.{node.name}", text)
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (text := ast.get_docstring(node))
    ]
    riddles = [where for where, text in said if RIDDLE.match(text)]
    print(f"{len(riddles)} of {len(said)} docstrings begin like riddles")
    assert len(riddles) < RIDDLES_MOST * len(said), riddles[:20]


def test_old_words_do_not_return() -> None:
    """Code, documents, app and commands speak plain English."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for pattern in TEXTS
        for path in sorted(ROOT.glob(pattern))
        if not str(path.relative_to(ROOT)).startswith(FOREIGN) and "node_modules" not in path.parts
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for match in WORDS.finditer(line)
    ]
    print(f"{len(found)} old words")
    assert found == []
