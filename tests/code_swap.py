"""Changes functions of a running interpreter to those of another source of their module. See `tests/mutants.py`."""

import gc
import inspect
import sys
from collections import defaultdict
from pathlib import Path
from types import CodeType, FunctionType
from typing import Self

Pairs = list[tuple[CodeType, CodeType]]
AT_ONCE = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")  # runs while the body around it does


def find_changes(old: CodeType, new: CodeType) -> Pairs | None:
    """Return the outermost functions that differ between two modules, or None if more than functions differs."""
    if not is_same_body(old, new):
        return None
    found: Pairs = []
    for before, after in nested_codes(old, new):
        if not is_function(before) or before.co_name in AT_ONCE:
            inside = find_changes(before, after)
            if inside is None:
                return None
            found += inside
        elif not is_same(before, after):
            if before.co_freevars != after.co_freevars:
                return None
            found.append((before, after))
    return found


def is_function(code: CodeType) -> bool:
    """Return True for the code of a function, False for that of a class or module."""
    return bool(code.co_flags & inspect.CO_OPTIMIZED)


def nested_codes(old: CodeType, new: CodeType) -> Pairs:
    """Return the functions and classes in the constants of both."""
    return [
        (before, after)
        for before, after in zip(old.co_consts, new.co_consts, strict=False)
        if isinstance(before, CodeType) and isinstance(after, CodeType)
    ]


def is_same_body(old: CodeType, new: CodeType) -> bool:
    """Return True if both do the same, apart from what is nested in them and from the numbers of lines."""
    names = ("co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_exceptiontable", "co_flags")
    plain, changed = (
        [(type(const), None if isinstance(const, CodeType) else repr(const)) for const in code.co_consts]
        for code in (old, new)
    )
    return plain == changed and all(getattr(old, name) == getattr(new, name) for name in names)


def is_same(old: CodeType, new: CodeType) -> bool:
    """Return True if both do the same, apart from the numbers of lines."""
    return is_same_body(old, new) and all(is_same(before, after) for before, after in nested_codes(old, new))


def is_swappable(old: str, new: str) -> bool:
    """Return True if only functions differ between two sources, so that `Functions.swap` can be used."""
    return find_changes(compile(old, "old", "exec"), compile(new, "new", "exec")) is not None


class Functions:
    """The functions of a folder's sources. Collect them after importing all in a `with` block."""

    def __init__(self, folder: Path) -> None:
        self._folder = f"{folder}/"
        self._by_path: dict[str, list[FunctionType]] = defaultdict(list)
        self._called: set[CodeType] = set()

    def __enter__(self) -> Self:
        sys.setprofile(lambda frame, event, _: self._called.add(frame.f_code) if event == "call" else None)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        gc.unfreeze()  # which the fixtures of the tests have frozen
        for found in gc.get_objects():
            if type(found) is FunctionType and (path := found.__code__.co_filename).startswith(self._folder):
                self._by_path[path.removeprefix(self._folder)].append(found)

    def swap(self, path: str, old: str, new: str) -> bool:
        """Give the functions of the source `old` at `path` the code that they have in `new`.

        Return False if one of those that differ has been called, as its results may be in use.
        """
        swapped = pair_all(find_changes(compile(old, "old", "exec"), compile(new, "new", "exec")) or [])
        for function in self._by_path[path]:
            code = function.__code__
            if after := swapped.get((code.co_qualname, code.co_firstlineno)):
                if code in self._called:
                    return False
                function.__code__ = after
        return True


def pair_all(pairs: Pairs) -> dict[tuple[str, int], CodeType]:
    """Return the new code of these functions, and of those inside them, by the name and the first line."""
    found: dict[tuple[str, int], CodeType] = {}
    for before, after in pairs:
        if before.co_freevars == after.co_freevars:
            found[before.co_qualname, before.co_firstlineno] = after
        found |= pair_all(nested_codes(before, after))
    return found
