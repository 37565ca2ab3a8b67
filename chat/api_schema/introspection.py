"""Reading a handler: its docstring, the model of its body, the words of its query, and the errors that it may raise.

Read from its source and that of the functions and methods it calls, so that it cannot be out of date. Errors are found
where they are raised, and where a docstring says so.
"""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from types import FunctionType
from typing import Any, get_args

from pydantic import BaseModel

from chat.shared.errors import ApiError

OURS = ("chat.", "presence.")
DEEP = 6  # calls followed: from an endpoint through its helpers to what they raise
BODIES = {"chat.shared.bodies", "chat.shared.multipart"}  # modules whose classes, too, raise what clients cause
READERS = {"read_model", "parse_model"}
NAMED = re.compile(r"`([A-Z]\w+)`")
Function = Callable[..., Any]


@dataclass(slots=True)
class Reading:
    """What is known of a handler. `empty`: it may answer 204; `full`: it may answer with JSON."""

    summary: str
    body: type[BaseModel] | None = None
    query: set[str] = field(default_factory=set)
    refusals: set[type[ApiError]] = field(default_factory=set)
    empty: bool = False
    full: bool = False
    created: bool = False
    accepted: bool = False


def read_handler(handler: Function) -> Reading:
    """Return all that can be known of a handler without calling it."""
    reading = Reading(inspect.cleandoc(handler.__doc__ or ""))
    follow(handler, reading, {}, DEEP)
    reading.query.discard("")
    return reading


def follow(function: Function, reading: Reading, seen: dict[Function, int], depth: int) -> None:
    """Note what this function or class does, then what those do that it calls."""
    if seen.get(function, 0) >= depth or not function.__module__.startswith(OURS):
        return
    seen[function] = depth
    tree, source = parse(function)
    names = names_of(function)
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise):
            note_refusal(node.exc, names, reading)
        elif isinstance(node, ast.Subscript | ast.Compare | ast.comprehension):
            reading.query |= set(words_of(node, names))
        elif isinstance(node, ast.Call):
            note_refusal(node.func, names, reading)
            note_call(node, names, reading)
            for called in called_by(node, function):
                follow(called, reading, seen, depth - 1)
    reading.refusals |= named_in(function)
    if function.__module__.endswith("endpoints"):
        reading.created |= "201" in source
        reading.empty |= "status=204" in source
        reading.full |= "answer_json(" in source or ("json" in source and "Response(" in source)
    reading.accepted |= ", 202)" in source and depth == DEEP


@cache
def parse(function: Function) -> tuple[ast.AST, str]:
    """Return the function's syntax tree, and its source without comments and its docstring's layout."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return tree, ast.unparse(tree)


def called_by(node: ast.Call, caller: Function) -> Iterator[Function]:
    """Yield the functions that this call may mean; a method is looked for by name in all classes that are at hand."""
    if isinstance(node.func, ast.Name):
        called = names_of(caller).get(node.func.id)
        if inspect.isfunction(called) or (inspect.isclass(called) and called.__module__ in BODIES):
            yield called
    elif isinstance(node.func, ast.Attribute):
        for one in classes_near(caller):
            if isinstance(method := vars(one).get(node.func.attr), FunctionType):
                yield method


@cache
def classes_near(function: Function) -> frozenset[type]:
    """Return our classes that the function's module names, keeps in an app, or is given by what it calls."""
    found: list[Any] = []
    for value in names_of(function).values():
        if isinstance(value, FunctionType):
            found += parts_of(value.__annotations__.get("return"))
        else:
            found += [value, getattr(value, "_t", None)]  # a key of the app knows the type of what it leads to
    return frozenset(one for one in found if isinstance(one, type) and one.__module__.startswith(OURS))


def parts_of(annotation: Any) -> Iterator[Any]:
    """Yield the types in an annotation."""
    yield annotation
    for part in get_args(annotation):
        yield from parts_of(part)


def named_in(function: Function) -> set[type[ApiError]]:
    """Return the errors that the docstring names after the word "raise"."""
    _, _, said = re.sub(r"\s+", " ", function.__doc__ or "").lower().partition("raise")
    names = NAMED.findall(re.sub(r"\s+", " ", function.__doc__ or "")[-len(said) :]) if said else []
    return {refusal for name in names if (refusal := find_refusal(name, function)) is not None}


def find_refusal(name: str, function: Function) -> type[ApiError] | None:
    """Return the error of this name: the one that the module knows, else that of its package, else the only one."""
    here = names_of(function).get(name)
    if isinstance(here, type) and issubclass(here, ApiError):
        return here
    package = function.__module__.split(".")[:2]
    found = [one for one in all_refusals(ApiError) if one.__name__ == name]
    near = [one for one in found if one.__module__.split(".")[:2] == package]
    return near[0] if near else found[0] if len(found) == 1 else None


def all_refusals(base: type[ApiError]) -> Iterator[type[ApiError]]:
    """Yield every error below this one."""
    for one in base.__subclasses__():
        yield one
        yield from all_refusals(one)


def names_of(function: Function) -> dict[str, Any]:
    """Return the names of the module that a function or class stands in."""
    return vars(sys.modules[function.__module__])


def note_refusal(raised: ast.expr | None, names: dict[str, Any], reading: Reading) -> None:
    """Note `raise NotFound`, and `TooLarge()` wherever it is made."""
    refusal = names.get(raised.id) if isinstance(raised, ast.Name) else None
    if isinstance(refusal, type) and issubclass(refusal, ApiError):
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
