"""What the database says in the end: which messages there are, and who was a member from which to which."""

from collections.abc import Iterable

import psycopg

from chat.chaos.history import History, Message, Receipt
from chat.shared.sql import load

queries = load(__file__)

DATABASE = "the database"


async def read_messages(database_url: str, history: History) -> None:
    """What is stored, in the order of positions, as what one more reader received."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        for position, *message in await (await connection.execute(queries.stored_messages)).fetchall():
            if message[0] not in history.stays[DATABASE]:
                history.stay(DATABASE, message[0])
            history.receive(DATABASE, Receipt(position, Message(*message)))


async def read_stays(database_url: str, history: History, readers: Iterable[tuple[str, int]]) -> None:
    """The stays of these `(reader, user)` in every conversation, by their messages' numbers."""
    stays: dict[int, list[tuple[int, int, int]]] = {}
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        for user_id, *stay in await (await connection.execute(queries.stays)).fetchall():
            stays.setdefault(user_id, []).append((stay[0], stay[1], stay[2]))
    for reader, user_id in readers:
        history.stays[reader].clear()
        for conversation, first, last in stays.get(user_id, ()):
            history.stay(reader, conversation, first, None if last < 0 else last)
