"""SQL: queries by name, and arrays as text, which are whole columns of a batch in one parameter. Pure.

psycopg dumps a list element by element, and a post has twenty-five elements: that took a seventh of a busy node's time.
PostgreSQL reads both forms alike.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any


def numbers(values: Iterable[int]) -> str:
    """Return `{1,2}`, for `%s::bigint[]`."""
    return f"{{{','.join(map(str, values))}}}"


def texts(values: Iterable[str]) -> str:
    """Return `{"a","b"}`, for `%s::text[]` or any type that PostgreSQL reads from text."""
    return f"{{{','.join(map(quote, values))}}}"


def columns(kinds: str, rows: Iterable[Sequence[Any]]) -> list[str]:
    """Return the columns of `rows`, each as `numbers` or as `texts`: `kinds` has `n` or `t` for each column."""
    return [
        numbers(column) if kind == "n" else texts(column)
        for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)
    ]


def elements(values: Iterable[object]) -> str:
    """Return an array of any type that PostgreSQL reads from `str(value)`; None is null."""
    return f"{{{','.join('null' if value is None else quote(str(value)) for value in values)}}}"


def optional_columns(rows: Sequence[tuple[str | None, ...]]) -> list[str]:
    """Return the columns. One without a value is an empty array, which `unnest` fills with nulls: posts pay nothing."""
    return [elements(column) if any(column) else "{}" for column in zip(*rows, strict=True)]


def quote(text: str) -> str:
    """Quote one element; no text in it can end it early."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


# Named queries: `<module>.sql` beside `<module>.py`, each query under a `-- name: verb_noun` heading.

HEADING = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


class Queries:
    """The queries of one file, as attributes: `queries.lock_head` is its SQL text."""

    def __init__(self, text: str) -> None:
        parts = HEADING.split(text)
        # bytes: psycopg takes a str only where a type checker can see that it is a literal
        self.__dict__.update({name: sql.strip().encode() for name, sql in zip(parts[1::2], parts[2::2], strict=True)})

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> bytes: ...


def load(module_file: str) -> Queries:
    """Return the queries in the `.sql` file beside a module (pass `__file__`)."""
    return Queries(Path(module_file).with_suffix(".sql").read_text())
