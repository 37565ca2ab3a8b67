"""Arrays for PostgreSQL, as text: whole columns of a batch in one parameter.

psycopg dumps a list an element at a time, and a post has twenty-five such elements: that was a seventh of a busy node's
time. PostgreSQL reads both alike. Pure.
"""

from collections.abc import Iterable


def numbers(values: Iterable[int]) -> str:
    """`{1,2}`, for `%s::bigint[]`."""
    return f"{{{','.join(map(str, values))}}}"


def texts(values: Iterable[str]) -> str:
    """`{"a","b"}`, for `%s::text[]` or what PostgreSQL reads from text."""
    return f"{{{','.join(map(quote, values))}}}"


def elements(values: Iterable[object]) -> str:
    """Of whatever PostgreSQL reads from the text that Python makes of it; None is null."""
    return f"{{{','.join('null' if value is None else quote(str(value)) for value in values)}}}"


def quote(text: str) -> str:
    """One element: whatever it holds, it cannot end early."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
