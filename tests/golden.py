"""The public face of Tandem as files: OpenAPI, AsyncAPI and TypeScript types without descriptions, options, metrics.

    python -m tests.golden      write `tests/golden/`; look at the difference before you commit it

`tests/test_public_face.py` compares the program with the files. An addition is free. A change or a removal breaks
clients, scripts or dashboards that others wrote.
"""

import json
import re
from pathlib import Path
from typing import Any

import orjson
import typer

from chat.__main__ import main as tandem
from chat.app import describe

FOLDER = Path(__file__).parent / "golden"


def without_texts(node: Any) -> Any:
    """Return a JSON document without its descriptions and summaries."""
    if isinstance(node, list):
        return [without_texts(one) for one in node]
    if not isinstance(node, dict):
        return node
    texts = {key for key in ("description", "summary") if isinstance(node.get(key), str)}
    return {key: without_texts(value) for key, value in node.items() if key not in texts}


def error_codes(document: dict[str, Any]) -> dict[str, list[str]]:
    """Return the codes of the errors that each operation documents."""
    return {
        f"{method} {path}": sorted(
            code
            for answer in call["responses"].values()
            for code in re.findall(r"^`(\w+)`:", answer.get("description", ""), re.MULTILINE)
        )
        for path, calls in document["paths"].items()
        for method, call in calls.items()
    }


def list_options() -> dict[str, list[str]]:
    """Return the options and arguments of every command."""
    found: dict[str, list[str]] = {}

    def walk(command: Any, path: str) -> None:
        found[path] = sorted("/".join(param.opts) for param in command.params)
        for name, child in getattr(command, "commands", {}).items():
            walk(child, f"{path} {name}")

    walk(typer.main.get_command(tandem), "tandem")
    return found


def faces() -> dict[str, Any]:
    """Return what is compared, by the name of its file, metrics aside."""
    openapi, asyncapi = (orjson.loads(describe("all", what)) for what in ("openapi", "asyncapi"))
    return {
        "openapi.json": without_texts(openapi),
        "errors.json": error_codes(openapi),
        "asyncapi.json": without_texts(asyncapi),
        "options.json": list_options(),
    }


def write() -> None:
    """Write every file but `metrics.txt`, which is edited by hand: a node is needed to read it."""
    FOLDER.mkdir(exist_ok=True)
    for name, face in faces().items():
        (FOLDER / name).write_text(json.dumps(face, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    write()
