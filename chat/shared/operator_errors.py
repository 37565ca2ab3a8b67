"""Errors of commands: an operator reads the reason and what to do, never a traceback."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

# What a URL of a server needs, and many passwords break.
ENCODE = "In user names and passwords, write / as %2F, @ as %40, : as %3A, # as %23, ? as %3F, and % as %25."


class OperatorError(Exception):
    """A command cannot do its work. The message says why, and what to do."""

    heading: ClassVar[str] = ""  # printed before the message
    exit_code: ClassVar[int] = 1


class DatabaseUnavailable(OperatorError):
    """DATABASE_URL names a server that does not answer, or refuses the connection."""

    def __init__(self, reason: str) -> None:
        owner = " and MIGRATE_DATABASE_URL" if os.environ.get("MIGRATE_DATABASE_URL") else ""
        super().__init__(
            f"The database cannot be used: {reason}\n"
            f"Check DATABASE_URL{owner}, or unset it to let Tandem bring its own PostgreSQL."
        )


@contextmanager
def report_errors() -> Iterator[None]:
    """Print an expected error to standard error, and exit with its code."""
    from psycopg.errors import UndefinedTable  # here: `tandem --help` needs no database driver

    from chat.shared.errors import ApiError
    from chat.shared.postgres import UNAVAILABLE

    try:
        yield
    except OperatorError as error:
        sys.exit(complain(f"{error.heading}{error}", error.exit_code))
    except ApiError as error:
        details = [f"  {one['detail']}" for one in error.errors or []]
        sys.exit(complain("\n".join([str(error), *details]), 1))
    except UndefinedTable:
        sys.exit(complain("The database has no tables yet, or older ones. Run `tandem migrate` first.", 1))
    except UNAVAILABLE as reason:
        sys.exit(complain(str(DatabaseUnavailable(str(reason))), 1))


def complain(text: str, code: int) -> int:
    """Print `text` to standard error; return the exit code."""
    print(text, file=sys.stderr)
    return code
