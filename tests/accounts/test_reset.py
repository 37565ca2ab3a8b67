"""A new password from the command line."""

import asyncio

import psycopg
import pytest

from chat.accounts.command import give_password
from chat.shared.problems import Invalid, NotFound
from tests.accounts.door import visiting
from tests.cast import Cast
from tests.nodes import Node
from tests.waiting import eventually


async def test_who_came_in_with_an_import_gets_a_first_password(cast: Cast, node: Node, database_url: str) -> None:
    """It opens the door; logins from before are over, and their streams; the audit knows."""
    (ana,) = await cast.enters("ana")  # by SQL, as an import does: no password is hers
    ear = await ana.listens()
    await asyncio.to_thread(give_password, database_url, "ana", "as good as new")
    await eventually(lambda: ear.closed)
    async with visiting(node.url) as door:
        status, _ = await door.call("POST", "/api/sessions", {"name": "ana", "password": "as good as new"})
        assert status == 201
    assert (await ana.call("GET", "/api/users/me"))[0] == 401
    with psycopg.connect(database_url) as database:
        rows = database.execute("select actor, subject from audit where action = 'account.password'").fetchall()
    assert rows == [(None, ana.id)]


async def test_a_bad_password_or_nobody(cast: Cast, database_url: str) -> None:
    """The same rules as everywhere; and who is not there is said."""
    await cast.enters("ana")
    with pytest.raises(Invalid):
        await asyncio.to_thread(give_password, database_url, "ana", "short")
    with pytest.raises(NotFound, match="nobody called zed"):
        await asyncio.to_thread(give_password, database_url, "zed", "as good as new")
