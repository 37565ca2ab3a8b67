"""What a handler says of itself: its docstring, the model that it reads its body as, the words of the query that it
knows, and how it may refuse. Read from its source and that of the functions it calls, so that it cannot be out of date.
"""

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from chat.shared.problems import Refusal

OURS = ("chat.", "presence.")
DEEP = 4  # calls followed: from an endpoint through its helpers to what they refuse
BODIES = {"chat.shared.bodies", "chat.shared.multipart"}  # whose classes, too, refuse what a client sends
READERS = {"read_model", "parse_model"}
Function = Callable[..., Any]


@dataclass(slots=True)
class Reading:
    """`empty`: it may answer 204."""

    summary: str
    body: type[BaseModel] | None = None
    query: set[str] = field(default_factory=set)
    refusals: set[type[Refusal]] = field(default_factory=set)
    empty: bool = False
    created: bool = False
    accepted: bool = False


def read_handler(handler: Function) -> Reading:
    """All that can be known of it without calling it."""
    reading = Reading(inspect.cleandoc(handler.__doc__ or ""))
    follow(handler, reading, set(), DEEP)
    return reading


def follow(function: Function, reading: Reading, seen: set[Function], depth: int) -> None:
    """Note what this function or class does, then what those do that it calls."""
    if function in seen or depth == 0 or not function.__module__.startswith(OURS):
        return
    seen.add(function)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    names = vars(sys.modules[function.__module__])
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise):
            note_refusal(node, names, reading)
        elif isinstance(node, ast.Subscript | ast.Compare | ast.comprehension):
            reading.query |= set(words_of(node, names))
        elif isinstance(node, ast.Call):
            note_call(node, names, reading)
            called = names.get(node.func.id) if isinstance(node.func, ast.Name) else None
            if isinstance(called, type) and issubclass(called, Refusal):
                reading.refusals.add(called)
            elif callable(called) and (inspect.isfunction(called) or called.__module__ in BODIES):
                follow(called, reading, seen, depth - 1)
    source = ast.unparse(tree)
    reading.created |= "201" in source and function.__module__.endswith("endpoints")
    reading.accepted |= ", 202)" in source and depth == DEEP
    reading.empty |= "status=204" in source and depth == DEEP


def note_refusal(node: ast.Raise, names: dict[str, Any], reading: Reading) -> None:
    """`raise NotFound`, `raise Invalid(…)`."""
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    refusal = names.get(raised.id) if isinstance(raised, ast.Name) else None
    if isinstance(refusal, type) and issubclass(refusal, Refusal):
        reading.refusals.add(refusal)


def note_call(node: ast.Call, names: dict[str, Any], reading: Reading) -> None:
    """`read_model(request, Draft)`, `parse_count(request, "limit")`, `request.query.get("q")`."""
    called = ast.unparse(node.func)
    second = node.args[1] if len(node.args) > 1 else None
    if called in READERS and isinstance(second, ast.Name):
        reading.body = names.get(second.id, reading.body)
    elif called.startswith("parse_") and isinstance(second, ast.Constant) and isinstance(second.value, str):
        reading.query.add(second.value)
    elif called == "request.query.get" and isinstance(node.args[0], ast.Constant):
        reading.query.add(str(node.args[0].value))


def words_of(node: ast.Subscript | ast.Compare | ast.comprehension, names: dict[str, Any]) -> Iterator[str]:
    """`request.query["ids"]`, `"poll" in request.query`, `for name in DIRECTIONS if name in request.query`."""
    if isinstance(node, ast.comprehension):
        if any("request.query" in ast.unparse(one) for one in node.ifs) and isinstance(node.iter, ast.Name):
            yield from names.get(node.iter.id, ())
        return
    left, where = (node.slice, node.value) if isinstance(node, ast.Subscript) else (node.left, node.comparators[0])
    if ast.unparse(where) == "request.query" and isinstance(left, ast.Constant):
        yield str(left.value)
