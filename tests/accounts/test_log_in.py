"""Logging in: every refused attempt does the same work and gets the same words."""

import asyncio

import psycopg
import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from chat.accounts.login_endpoints import ACCOUNTS
from chat.accounts.passwords import dummy_hash
from tests.accounts.visitor import PASSWORD, Visitor, visiting
from tests.nodes import Node
from tests.waiting import eventually


@pytest.fixture
def costly_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash as nodes do outside the tests."""
    monkeypatch.setattr("chat.accounts.passwords.PasswordHasher", PasswordHasher)


async def test_each_log_in_is_a_session(ana: Visitor) -> None:
    """Each session has a token and an id of its own."""
    _, first = await ana.signs_up("ana")
    ana.leaves()
    status, second = await ana.logs_in("Ana", device="phone")
    assert status == 201
    assert second["token"] != first["token"]
    assert (await ana.sessions())[0]["device"] == "phone"
    assert {session["id"]: session["current"] for session in await ana.sessions()} == {
        first["session"]["id"]: False,
        second["session"]["id"]: True,
    }


async def test_wrong_name_and_wrong_password_get_the_same_answer(ana: Visitor, mallory: Visitor, node: Node) -> None:
    """The words are the same, and so is the number of computed hashes, so the time is the same too."""
    await ana.signs_up("ana")
    hasher, answers, costs = node.app[ACCOUNTS].hasher, [], []
    for name, password in (("ana", PASSWORD + "!"), ("nobody", PASSWORD), ("no such\0näme", PASSWORD), ("", PASSWORD)):
        before = hasher.computed
        answers.append(await mallory.logs_in(name, password))
        costs.append(hasher.computed - before)
    assert costs == [1, 1, 1, 1]
    assert answers == [answers[0]] * 4
    assert (answers[0][0], answers[0][1]["code"]) == (401, "bad_credentials")


def test_the_hash_for_unknown_names_costs_the_same() -> None:
    """The hash for unknown names is fixed, not computed; comparing with it must take as long."""
    argon = PasswordHasher()
    nobodys = dummy_hash(argon)
    assert extract_parameters(nobodys) == extract_parameters(argon.hash(PASSWORD))
    assert nobodys != dummy_hash(argon)
    with pytest.raises(VerifyMismatchError):
        argon.verify(nobodys, PASSWORD)


async def test_a_disabled_account_gets_the_same_answer(ana: Visitor, mallory: Visitor, database_url: str) -> None:
    """Mallory's right password for a disabled account gets the same answer."""
    await ana.signs_up("ana")
    with psycopg.connect(database_url) as connection:
        connection.execute("update users set disabled_at = now()")
    status, problem = await mallory.logs_in("ana")
    assert (status, problem["code"]) == (401, "bad_credentials")


async def test_a_password_may_be_typed_on_another_keyboard(ana: Visitor) -> None:
    """Composed or not, wide or narrow: a password that looks the same is the same."""
    await ana.signs_up("ana", "ñandú ｗｉｄｅ ﬁsh")
    assert (await ana.logs_in("ana", "n\u0303andu\u0301 wide fish"))[0] == 201
    assert (await ana.logs_in("ana", "Ñandú wide fish"))[0] == 401


@pytest.mark.usefixtures("costly_hashes")
async def test_an_old_hash_is_renewed(ana: Visitor, database_url: str) -> None:
    """A hash with old parameters is renewed at the next log-in, once."""
    await ana.signs_up("ana")
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("update users set password_hash = %s", [weak])
        assert (await ana.logs_in("ana"))[0] == 201
        ((renewed,),) = connection.execute("select password_hash from users").fetchall()
        assert not PasswordHasher().check_needs_rehash(renewed)
        assert (await ana.logs_in("ana"))[0] == 201
        assert connection.execute("select password_hash from users").fetchall() == [(renewed,)]


async def test_an_account_without_a_password_cannot_log_in(ana: Visitor, database_url: str) -> None:
    """An account with an empty hash cannot log in."""
    with psycopg.connect(database_url) as connection:
        connection.execute("insert into users (name, display_name, password_hash) values ('ana', 'Ana', '')")
    assert (await ana.logs_in("ana"))[0] == 401
    assert (await ana.call("POST", "/api/sessions", {"name": "ana", "password": ""}))[0] == 422


async def test_tokens_are_random_and_stored_hashed(ana: Visitor, database_url: str) -> None:
    """Tokens have 256 bits; a reader of the database cannot use them."""
    _, came = await ana.signs_up("ana")
    assert len(came["token"]) == 43
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("select sessions::text, users::text from sessions, users").fetchall()
    assert came["token"] not in str(rows)
    assert PASSWORD not in str(rows)


async def test_the_device_is_the_browser_where_it_has_no_name(ana: Visitor) -> None:
    """Any bytes of the browser's name are accepted, and shortened for the list."""
    await ana.signs_up("ana")
    ana.headers["User-Agent"] = "Mozilla/5.0 \udcff " + "x" * 200
    _, came = await ana.logs_in("ana")
    assert came["session"]["device"].startswith("Mozilla/5.0 ")
    assert len(came["session"]["device"]) == 100
    assert came["session"]["address"] == "127.0.0.1"
    assert came["session"]["created_at"].endswith("Z")


async def test_a_log_in_with_the_old_password_cannot_overtake_its_change(ana: Visitor, database_url: str) -> None:
    """The password changes after it was verified and before the session is made: there is no session."""
    await ana.signs_up("ana")
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute("update users set password_hash = 'another'")
        trying = asyncio.ensure_future(ana.logs_in("ana"))
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as watcher:

            async def waits() -> bool:
                found = await watcher.execute("select from pg_stat_activity where wait_event_type = 'Lock'")
                return bool(found.rowcount)

            await eventually(waits)
        await connection.commit()
    assert (await trying)[0] == 401


@pytest.mark.usefixtures("costly_hashes")
async def test_hashing_is_bounded(ana: Visitor, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many log-ins at once are refused before they fill the memory: each needs 64 MiB."""
    monkeypatch.setattr("chat.accounts.passwords.WAITING_MOST", 8)
    await ana.signs_up("ana")
    async with visiting(node.url) as crowd:
        statuses = [status for status, _ in await asyncio.gather(*(crowd.logs_in(f"nobody{n}") for n in range(30)))]
    assert set(statuses) == {401, 503}
    assert statuses.count(401) >= 8
