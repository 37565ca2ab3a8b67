"""Rules for the sources: imports, sizes, names. Each exception is listed here, with its reason."""

import ast
import gc
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILE_LINES, FUNCTION_LINES = 400, 40
LONG_FILES = {
    "web/client/schema.ts": "made by a command, a shape after the other",
}
LONG_FUNCTIONS = {
    "chat/app.py open_parts": "one list of all parts in the order they open; cutting it would hide the order",
    "tests/journeys/test_talk.py test_the_keyboard_does_it_all": "one story without a pointer, from end to end",
    "tests/journeys/test_walk.py test_running_a_conversation": "one story on three screens, from end to end",
}
TOP_LEVEL = {"LICENSE", "README.md", "chat", "deploy", "presence", "pyproject.toml", "tests", "web"}

# Written in parts, so that this file itself names none.
REGISTRY_HOSTS = re.compile(r"\b(?:pypi\.|pythonhosted\.|npmjs\.|debian\.)(?:org|com)\b|\bregistry\.\w+\.(?:org|com)\b")


def tracked(*patterns: str) -> list[Path]:
    """Return the project's files, those about to be committed included."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in sorted(names.split("\0")) if name and (ROOT / name).is_file()]


@cache
def sources() -> dict[str, ast.Module]:
    """Return every Python file with its syntax tree. The trees are kept, so no garbage is collected meanwhile, which
    takes three times as long as the rest."""
    gc.disable()
    try:
        return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in tracked("*.py")}
    finally:
        gc.freeze()
        gc.enable()


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Return every function with a name that says where it is."""
    for name, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name} {node.name}", node


def dotted(node: ast.AST) -> str:
    """Return a name as written: `asyncio.sleep`, `sleep`; `.sleep` of what has no name. `ast.unparse` takes longer."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def calls(tree: ast.AST) -> Iterator[str]:
    """Return the names of what a file calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield dotted(node.func)


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the number of lines."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_import_directions() -> None:
    """The contracts of pyproject.toml hold."""
    program = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_files_are_short() -> None:
    """A file has at most 400 lines, unless the table has a reason."""
    lines = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in tracked("*.py", "web/*.ts")}
    assert {name for name, count in lines.items() if count > FILE_LINES} == set(LONG_FILES)


def test_functions_are_short() -> None:
    """A function has at most 40 lines, unless the table has a reason."""
    assert {name for name, node in functions() if length(node) > FUNCTION_LINES} == set(LONG_FUNCTIONS)


def test_every_module_says_what_it_is() -> None:
    """Each Python file begins with a docstring."""
    assert [name for name, tree in sources().items() if not ast.get_docstring(tree)] == []


def test_background_tasks_are_supervised() -> None:
    """Tasks are started only where they get a name and a supervisor."""
    bare = {"asyncio.create_task", "asyncio.ensure_future", "create_task", "ensure_future"}
    found = [
        name for name, tree in sources().items() if name.startswith(("chat/", "presence/")) and bare & set(calls(tree))
    ]
    assert set(found) <= {"chat/shared/tasks.py"}


BODY_READERS = {"content", "read", "post", "multipart", "json", "text", "readline", "iter_any", "iter_chunked"}


def test_bodies_are_read_in_one_module() -> None:
    """Only `chat/shared/bodies.py` reads a request's body, with a deadline and a size."""
    found = {
        f"{name}: {ast.unparse(node)}"
        for name, tree in sources().items()
        if name.startswith(("chat/", "presence/")) and not name.startswith("chat/tools/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in BODY_READERS and dotted(node.value) == "request"
    }
    assert {one.partition(":")[0] for one in found} == {"chat/shared/bodies.py"}, found


def test_servers_are_made_in_one_module() -> None:
    """Only `chat/http_server.py` serves a node: it refuses malformed requests and cuts stalled readers."""
    makers = {"web.AppRunner", "web.Server", "web.run_app", "web.ServerRunner", "AppRunner", "TestServer"}
    found = {
        name
        for name, tree in sources().items()
        if name.startswith(("chat/", "presence/", "tests/nodes.py")) and not name.startswith("chat/tools/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name) and dotted(node) in makers
    }
    assert found == {"chat/http_server.py"}


def test_tests_do_not_sleep() -> None:
    """Tests wait for a condition or a signal; only `tests/waiting.py` sleeps."""
    sleepers = {
        name
        for name, tree in sources().items()
        if name.startswith("tests/") and any(call.split(".")[-1] == "sleep" for call in calls(tree))
    }
    assert sleepers == {"tests/waiting.py"}


def test_top_level_is_fixed() -> None:
    """The top level has only the known folders and files, dot files aside."""
    found = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in found if not name.startswith(".")} == TOP_LEVEL


def test_no_file_names_a_package_registry() -> None:
    """Packages may come from mirrors, so no file names a registry."""
    guilty = [path for path in tracked() if REGISTRY_HOSTS.search(path.read_bytes().decode(errors="ignore"))]
    assert guilty == []


@pytest.mark.parametrize("script", ["deploy/run", "deploy/test", "deploy/backup", "deploy/restore", ".ci/run"])
def test_scripts_can_be_run(script: str) -> None:
    """The commands that the README names are executable."""
    assert (ROOT / script).stat().st_mode & 0o111
