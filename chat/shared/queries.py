"""Named SQL: `<module>.sql` beside `<module>.py`, each query under a `-- name: verb_noun` heading."""

import re
from pathlib import Path

HEADING = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


class Queries:
    """The queries of one file, as attributes: `queries.lock_head` is its SQL text."""

    def __init__(self, text: str) -> None:
        parts = HEADING.split(text)
        self._texts = {name: sql.strip() for name, sql in zip(parts[1::2], parts[2::2], strict=True)}

    def __getattr__(self, name: str) -> bytes:
        try:
            # bytes: psycopg takes a str only where a type checker can see that it is a literal
            return self._texts[name].encode()
        except KeyError:
            raise AttributeError(name) from None


def load(module_file: str) -> Queries:
    """Return the queries in the `.sql` file beside a module (pass `__file__`)."""
    return Queries(Path(module_file).with_suffix(".sql").read_text())
