"""What an operator reads when a command cannot do its work: the reason and what to do, never a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def told_plainly() -> Iterator[None]:
    """Print what is foreseen to go wrong, and end with 1; wrong settings, a line each, and end with 2."""
    from psycopg.errors import UndefinedTable

    from chat.local.errors import DatabaseAway, EngineTrouble, UpTrouble
    from chat.operations.audit import ExportError
    from chat.operations.node_admin import NodeTrouble
    from chat.shared.errors import ApiError as Refusal
    from chat.shared.postgres import UNAVAILABLE
    from chat.shared.settings import BadSettings
    from chat.transfer.errors import ExchangeTrouble

    try:
        yield
    except BadSettings as wrong:
        sys.exit(complain(f"These settings are wrong:\n{wrong}", 2))
    except (UpTrouble, EngineTrouble, ExchangeTrouble, ExportError, NodeTrouble, Refusal) as trouble:
        named = [f"  {one['detail']}" for one in getattr(trouble, "errors", None) or []]
        sys.exit(complain("\n".join([str(trouble), *named]), 1))
    except UndefinedTable:
        sys.exit(complain("The database has no tables yet, or older ones: run `tandem migrate` first.", 1))
    except UNAVAILABLE as reason:
        sys.exit(complain(str(DatabaseAway(str(reason))), 1))


def complain(what: str, code: int) -> int:
    """Say it on standard error; returns the exit code."""
    print(what, file=sys.stderr)
    return code
