"""Statements that a node sends to PostgreSQL, as libpq traces them."""

import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from psycopg.pq import Trace

from chat.shared.web import POOL
from tests.nodes import Node

ASKED = {"Execute": "statements", "Query": "statements", "Parse": "prepared", "Sync": "round trips"}


@asynccontextmanager
async def traced(node: Node) -> AsyncIterator[Counter[str]]:
    """Trace every connection of the node's pool during the block, and count the statements at its end."""
    counts: Counter[str] = Counter()
    pool = node.app[POOL]
    with tempfile.TemporaryFile() as log:
        async with AsyncExitStack() as stack:
            for _ in range(pool.max_size):
                connection = await stack.enter_async_context(pool.connection())
                connection.pgconn.trace(log.fileno())
                connection.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        yield counts
        async with AsyncExitStack() as stack:
            for _ in range(pool.max_size):
                (await stack.enter_async_context(pool.connection())).pgconn.untrace()
        log.seek(0)
        counts.update(ASKED[kind] for kind in map(kind_of, log) if kind in ASKED)


def kind_of(line: bytes) -> str:
    """Return the kind of message in a line of the trace, if the node sent it."""
    fields = line.decode(errors="replace").split("\t")
    return fields[2].strip() if fields[0] == "F" and len(fields) > 2 else ""
