"""Searches, made once all messages so far are in the index."""

from typing import Any
from urllib.parse import urlencode

import psycopg

from tests.cast import Person
from tests.waiting import eventually

Json = dict[str, Any]


async def indexed(database_url: str) -> None:
    """Wait until the index has caught up with the log."""

    async def caught_up() -> bool:
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            row = await (
                await connection.execute(
                    "select p.followed = h.position and p.seq is null from search_state p, log_head h"
                )
            ).fetchone()
        return bool(row and row[0])

    await eventually(caught_up, 30)


async def asks(person: Person, q: str, **fields: object) -> Json:
    """Search; return the page of results."""
    status, said = await person.call("GET", "/api/chat/search?" + urlencode({"q": q} | fields, doseq=True))
    assert status == 200, said
    return dict(said)


async def finds(person: Person, q: str, **fields: object) -> list[str]:
    """Search; return the texts of the found messages, the newest first."""
    return [result["message"]["body"] for result in (await asks(person, q, **fields))["results"]]
