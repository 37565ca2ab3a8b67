"""`tandem user …`, as an operator uses it."""

import json
from typing import Any

import psycopg

from tests.cast import Cast
from tests.test_commands import tandem


def user(database_url: str, *arguments: str, says: str = "") -> tuple[int, str, str]:
    """Run a command; return its exit code and output."""
    done = tandem("user", *arguments, says=says, DATABASE_URL=database_url)
    return done.returncode, done.stdout, done.stderr


def as_json(database_url: str, *arguments: str, says: str = "") -> dict[str, Any]:
    """Return what a command prints with --json."""
    code, out, err = user(database_url, *arguments, "--json", says=says)
    assert code == 0, err
    return dict(json.loads(out))


def listed(database_url: str) -> dict[str, tuple[str, str]]:
    """Return role and state by name."""
    code, out, _ = user(database_url, "list", "--json")
    assert code == 0
    accounts = [json.loads(line) for line in out.splitlines()]
    return {one["name"]: (one["role"], one["state"]) for one in accounts}


def test_an_account_from_beginning_to_end(database_url: str) -> None:
    """Each command reports in one line what it did, or as JSON."""
    secret = "brass-lantern-71-violet\n"
    assert as_json(database_url, "add", "Ana", "--admin", "--password-stdin", says=secret)["role"] == "admin"
    assert user(database_url, "add", "ben", "--password-stdin", says=secret)[:2] == (0, "added ben\n")
    assert listed(database_url) == {"ana": ("admin", "active"), "ben": ("member", "active")}
    assert user(database_url, "admin", "ben")[:2] == (0, "ben is an admin\n")
    assert as_json(database_url, "no-admin", "ben") == {"name": "ben", "role": "member"}
    assert user(database_url, "disable", "ben")[:2] == (0, "disabled ben\n")
    assert listed(database_url)["ben"] == ("member", "disabled")
    assert as_json(database_url, "enable", "ben") == {"name": "ben", "disabled": False}
    link = as_json(database_url, "reset", "ben", "--url", "https://chat.example.com/")["link"]
    assert link.startswith("https://chat.example.com/reset#")
    assert user(database_url, "delete", "ben", "--yes")[:2] == (0, "deleted ben\n")
    assert listed(database_url) == {"ana": ("admin", "active")}
    with psycopg.connect(database_url) as database:
        rows = database.execute("select action from audit where actor is null and subject is not null order by id")
        assert [row[0] for row in rows] == [
            "account.create",
            "account.create",
            "account.role",
            "account.role",
            "account.disable",
            "account.enable",
            "reset.make",
            "account.delete",
        ]


def test_the_last_admin_stays(database_url: str) -> None:
    """The last admin stays, unless forced."""
    user(database_url, "add", "ana", "--admin", "--password-stdin", says="brass-lantern-71-violet\n")
    for command in (["no-admin", "ana"], ["disable", "ana"], ["delete", "ana", "--yes"]):
        code, out, err = user(database_url, *command)
        assert (code, out) == (1, "")
        assert err == "This is the last admin. Make another user an admin first.\n"
    assert listed(database_url) == {"ana": ("admin", "active")}
    assert user(database_url, "no-admin", "ana", "--force")[0] == 0


def test_errors_say_what_to_do(database_url: str) -> None:
    """Unknown names and unconfirmed deletions are explained."""
    for command in ("disable", "enable", "admin", "no-admin", "reset"):
        code, _, err = user(database_url, command, "zed")
        assert (code, err) == (1, "No user is called zed. `tandem user list` shows all of them.\n")
    code, out, _ = user(database_url, "delete", "zed", says="n\n")
    assert (code, "Delete zed?" in out) == (1, True)


async def test_conversations_are_named(cast: Cast, database_url: str) -> None:
    """Conversations that would have no owner are listed, one a line."""
    from tests.verbs import CONVERSATIONS, begins

    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, kind="channel", name="kitchen")
    await ben.call("PUT", f"{CONVERSATIONS}/{room}/members/me", {})
    code, _, err = user(database_url, "delete", "ana", "--yes")
    assert (code, err.splitlines()[-1]) == (1, f"  kitchen ({room})")
