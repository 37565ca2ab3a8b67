"""Invites: with SIGNUP=invite a code lets a number of users sign up."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from chat.cli.accounts import add_invite
from tests.accounts.visitor import PASSWORD, Visitor, visiting
from tests.cast import Cast
from tests.nodes import Node, running_node


@pytest.fixture
async def node(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A node with SIGNUP=invite."""
    async with running_node(database_url, redis_url, signup="invite") as one:
        yield one


async def invited(cast: Cast, **form: int) -> str:
    """A code that an admin has made."""
    (admin,) = await cast.enters("admin", role="admin")
    status, made = await admin.call("POST", "/api/invites", form)
    assert status == 201
    return str(made["invite"])


async def test_a_single_use_code_works_once(ana: Visitor, mallory: Visitor, cast: Cast) -> None:
    """The second use of a single-use code is refused."""
    code = await invited(cast)
    assert (await ana.signs_up("ana", invite=code))[0] == 201
    status, problem = await mallory.signs_up("mallory", invite=code)
    assert (status, problem["code"]) == (403, "bad_invite")


@pytest.mark.parametrize("code", ["", "guess"])
async def test_sign_up_needs_a_code(mallory: Visitor, code: str) -> None:
    """Sign-up without a code or with a guessed one is refused."""
    status, problem = await mallory.signs_up("mallory", invite=code)
    assert (status, problem["code"]) == (403, "bad_invite")


async def test_an_expired_code_is_refused(ana: Visitor, cast: Cast, database_url: str) -> None:
    """The database's clock decides."""
    code = await invited(cast)
    with psycopg.connect(database_url) as connection:
        connection.execute("update invites set expires_at = now() - interval '1 second'")
    assert (await ana.signs_up("ana", invite=code))[0] == 403


async def test_a_name_that_is_taken_uses_up_nothing(ana: Visitor, cast: Cast) -> None:
    """The account and the use of the code commit together or not at all."""
    code = await invited(cast)
    assert (await ana.signs_up("admin", invite=code))[0] == 409
    assert (await ana.signs_up("ana", invite=code))[0] == 201


async def test_a_code_admits_its_number_of_users(node: Node, database_url: str) -> None:
    """Five sign up at once with a code for three, made on the command line (`tandem invite`)."""
    code = await asyncio.to_thread(add_invite, database_url, 3, 1)
    async with visiting(node.url) as crowd:
        came = await asyncio.gather(*(crowd.signs_up(f"guest{n}", invite=code) for n in range(5)))
    assert sorted(status for status, _ in came) == [201, 201, 201, 403, 403]


async def test_only_admins_invite(cast: Cast) -> None:
    """Everyone may know that there are invites; only admins make them."""
    (ben,) = await cast.enters("ben")
    status, problem = await ben.call("POST", "/api/invites", {})
    assert (status, problem["code"]) == (403, "admins_only")


async def test_codes_are_stored_hashed(cast: Cast, database_url: str) -> None:
    """A reader of the database cannot use an invite."""
    code = await invited(cast, uses=2, days=1)
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("select invites::text from invites").fetchall()
    assert code not in str(rows)
    assert PASSWORD not in str(rows)
