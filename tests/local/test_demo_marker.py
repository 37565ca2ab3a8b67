"""The demo's accounts are noticed on a public server."""

from pathlib import Path

import psycopg
import pytest

from chat.accounts.accounts import is_reachable, read_demo_accounts
from chat.local.demo import USERS, fill_empty
from chat.shared.settings import read_settings
from chat.tools.doctor.checks import check_database
from tests.local.running import refused, running_up
from tests.local.test_demo_fill import settings_of
from tests.promises.conftest import StartNode, start_node

__all__ = ["start_node"]


def test_public_addresses_are_recognized() -> None:
    """An address beyond this machine, or a proxy in front of the node, counts as public."""
    plain = read_settings(database_url="", redis_url="")
    proxied = read_settings(database_url="", redis_url="", trusted_proxies="127.0.0.1")
    secure = read_settings(database_url="", redis_url="", cookie_secure=True)
    assert not any(is_reachable(host, plain) for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8"))
    assert all(is_reachable(host, plain) for host in ("0.0.0.0", "::", "10.0.0.1", "chat.example.org", ""))
    assert is_reachable("127.0.0.1", proxied)
    assert is_reachable("127.0.0.1", secure)


@pytest.mark.parametrize("more", [{"host": "0.0.0.0"}, {"TRUSTED_PROXIES": "127.0.0.1"}])
def test_the_demo_is_refused_where_others_reach_it(more: dict[str, str], tmp_path: Path) -> None:
    """The start is refused before anything runs, and the error says what to do."""
    options = ["--demo", *(f"--{name}={value}" for name, value in more.items() if name.islower())]
    settings = {name: value for name, value in more.items() if name.isupper()}
    code, said = refused(tmp_path / "data", options=options, **settings)
    assert code == 1
    assert "add --demo-anyway" in said
    assert not (tmp_path / "data").exists()


async def test_demo_accounts_are_noticed_until_they_are_disabled(
    database_url: str, redis_url: str, tmp_path: Path, start_node: StartNode
) -> None:
    """A public node logs them, and the doctor names them."""
    assert await read_demo_accounts(database_url) == 0
    await fill_empty(settings_of(database_url, redis_url, tmp_path))
    assert await read_demo_accounts(database_url) == len(USERS)
    inside, outside = await start_node("a1"), await start_node("b2", TRUSTED_PROXIES="127.0.0.1")
    assert "demo accounts are reachable" not in inside.log.read_text()
    assert "demo accounts are reachable" in outside.log.read_text()
    (found,) = [one for one in await check_database(database_url) if one.about == "demo accounts"]
    assert (found.state, found.found.split()[0]) == ("bad", str(len(USERS)))
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute("update users set disabled_at = now()")
    assert await read_demo_accounts(database_url) == 0
    (found,) = [one for one in await check_database(database_url) if one.about == "demo accounts"]
    assert found.state == "good"


def test_a_start_without_the_demo_still_warns(tmp_path: Path) -> None:
    """The folder was filled earlier on loopback, and now a proxy is in front of it."""
    with running_up(tmp_path / "data", options=["--demo"]) as up:
        assert "demo accounts can log in" not in up.said()
    with running_up(tmp_path / "data", TRUSTED_PROXIES="127.0.0.1") as up:
        assert f"{len(USERS)} demo accounts can log in" in up.said()
