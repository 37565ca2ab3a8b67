"""Audit: who did what with powers that others lack. Written in the transaction that does it: both or neither."""

from dataclasses import dataclass

import orjson

from chat.shared.postgres import Connection
from chat.shared.queries import load

queries = load(__file__, "audit.sql")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, from which address; both None for the command line."""

    user_id: int | None = None
    address: str | None = None


COMMAND_LINE = Actor()


async def record(
    connection: Connection, actor: Actor, action: str, subject: int | None = None, **detail: object
) -> None:
    """One row. `action` is `noun.verb`, `subject` the user whom it is about, `detail` whatever JSON can hold."""
    row = [actor.user_id, action, subject, actor.address, orjson.dumps(detail).decode()]
    await connection.execute(queries.insert_row, row)
