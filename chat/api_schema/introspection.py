"""Reading a handler's source: its docstring, body model, and the errors that it can return.

The source of the functions and methods it calls is read too, so that the description is never out of date. Errors are
found where they are raised, and where a docstring names them after the word "raise".
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
MAX_DEPTH = 6  # of calls, from an endpoint through its helpers to what they raise
BODY_MODULES = {"chat.shared.bodies", "chat.shared.multipart"}  # their classes raise errors too
READERS = {"read_model", "read_draft", "parse_model"}
NAMED = re.compile(r"`([A-Z]\w+)`")
Function = Callable[..., Any]


@dataclass(slots=True)
class Reading:
    """Facts about a handler. `empty`: it can answer 204; `full`: it can answer with JSON."""

    summary: str
    body: type[BaseModel] | None = None
    errors: set[type[ApiError]] = field(default_factory=set)
    empty: bool = False
    full: bool = False
    created: bool = False
    accepted: bool = False


def read_handler(handler: Function) -> Reading:
    """Return the facts about a handler, without calling it."""
    reading = Reading(inspect.cleandoc(handler.__doc__ or ""))
    follow(handler, reading, {}, MAX_DEPTH)
    return reading


def follow(function: Function, reading: Reading, seen: dict[Function, int], depth: int) -> None:
    """Note the facts about this function or class, then about those it calls."""
    if seen.get(function, 0) >= depth or not function.__module__.startswith(OURS):
        return
    seen[function] = depth
    tree, source = parse(function)
    names = names_of(function)
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise):
            note_error(node.exc, names, reading)
        elif isinstance(node, ast.Call):
            note_error(node.func, names, reading)
            note_call(node, names, reading)
            for called in called_by(node, function):
                follow(called, reading, seen, depth - 1)
    reading.errors |= named_in(function)
    if function.__module__.endswith("endpoints") or depth == MAX_DEPTH:
        reading.created |= "201" in source
        reading.empty |= "status=204" in source
        reading.full |= "answer_json(" in source or ("json" in source and "Response(" in source)
    reading.accepted |= ", 202)" in source and depth == MAX_DEPTH


@cache
def parse(function: Function) -> tuple[ast.AST, str]:
    """Return the function's syntax tree, and its source without comments or layout."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return tree, ast.unparse(tree)


def called_by(node: ast.Call, caller: Function) -> Iterator[Function]:
    """Yield the functions that a call may mean. A method is looked up by name in all classes in reach."""
    if isinstance(node.func, ast.Name):
        called = names_of(caller).get(node.func.id)
        if inspect.isfunction(called) or (inspect.isclass(called) and called.__module__ in BODY_MODULES):
            yield called
    elif isinstance(node.func, ast.Attribute):
        for one in classes_near(caller):
            if isinstance(method := vars(one).get(node.func.attr), FunctionType):
                yield method


@cache
def classes_near(function: Function) -> frozenset[type]:
    """Return our classes that the function's module names, stores in the app, or gets from what it calls."""
    found: list[Any] = []
    for value in names_of(function).values():
        if isinstance(value, FunctionType):
            found += parts_of(value.__annotations__.get("return"))
        else:
            found += [value, getattr(value, "_t", None)]  # an app key knows the type of its value
    return frozenset(one for one in found if isinstance(one, type) and one.__module__.startswith(OURS))


def parts_of(annotation: Any) -> Iterator[Any]:
    """Yield an annotation and the types within it."""
    yield annotation
    for part in get_args(annotation):
        yield from parts_of(part)


def named_in(function: Function) -> set[type[ApiError]]:
    """Return the errors that the docstring names after the word "raise"."""
    _, _, raised = re.sub(r"\s+", " ", function.__doc__ or "").lower().partition("raise")
    names = NAMED.findall(re.sub(r"\s+", " ", function.__doc__ or "")[-len(raised) :]) if raised else []
    return {error for name in names if (error := find_error(name, function)) is not None}


def find_error(name: str, function: Function) -> type[ApiError] | None:
    """Return the error of this name: the module's, else its package's, else the only one in the project."""
    here = names_of(function).get(name)
    if isinstance(here, type) and issubclass(here, ApiError) and here is not ApiError:
        return here
    package = function.__module__.split(".")[:2]
    found = [one for one in subclasses_of(ApiError) if one.__name__ == name]
    near = [one for one in found if one.__module__.split(".")[:2] == package]
    return near[0] if near else found[0] if len(found) == 1 else None


def subclasses_of(base: type[ApiError]) -> Iterator[type[ApiError]]:
    """Yield all subclasses of an error."""
    for one in base.__subclasses__():
        yield one
        yield from subclasses_of(one)


def names_of(function: Function) -> dict[str, Any]:
    """Return the global names of the module of a function or class."""
    return vars(sys.modules[function.__module__])


def note_error(raised: ast.expr | None, names: dict[str, Any], reading: Reading) -> None:
    """Note the error in `raise NotFound` or in a call such as `TooLarge()`."""
    error = names.get(raised.id) if isinstance(raised, ast.Name) else None
    if isinstance(error, type) and issubclass(error, ApiError) and error is not ApiError:
        reading.errors.add(error)


def note_call(node: ast.Call, names: dict[str, Any], reading: Reading) -> None:
    """Note the body model of `read_model(request, Draft)`."""
    second = node.args[1] if len(node.args) > 1 else None
    if ast.unparse(node.func) in READERS and isinstance(second, ast.Name):
        reading.body = names.get(second.id, reading.body)
