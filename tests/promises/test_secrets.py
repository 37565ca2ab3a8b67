"""Secrets: no password, token or code gets into a log or an error, and no text breaks out of its line."""

import asyncio
import json

import psycopg
import pytest

from tests.accounts.visitor import PASSWORD, visiting
from tests.promises.conftest import StartNode

BAD_REQUEST = "GET /api/users/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nX: \0\r\n\r\n"


@pytest.mark.parametrize("form", ["json", "console"])
async def test_logs_hold_no_secrets(start_node: StartNode, database_url: str, form: str) -> None:
    """Requests succeed, fail, and cause internal errors, with passwords and tokens in each."""
    node = await start_node("a1", LOG_FORMAT=form, SIGNUP="invite")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("insert into invites values (sha256('the-invite'), 1, null, now(), now() + interval '1 h')")
        async with visiting(node.url) as ana:
            status, came = await ana.signs_up("ana", invite="the-invite")
            assert status == 201
            answers = [await ana.logs_in("ana", "a-wrong-password"), await ana.signs_up("ben", "password1234")]
            connection.execute("alter table sessions rename column token_hash to gone")
            answers += [await ana.logs_in("ana"), await ana.signs_up("ben", invite="the-invite")]
            answers.append(await ana.call("PUT", "/api/users/me/password", {"old": PASSWORD, "new": "new-password-1"}))
            await talks_nonsense(node.port, came["token"])
    assert [status for status, _ in answers] == [401, 422, 500, 403, 500]
    assert answers[2][1] == answers[4][1]
    assert "gone" not in str(answers)
    assert "sessions" not in str(answers)
    log = node.log.read_text()
    assert "UndefinedColumn" in log
    secrets = [PASSWORD, "a-wrong-password", "password1234", "new-password-1", came["token"], "the-invite"]
    assert [secret for secret in [*secrets, "$argon2"] if secret in log + str(answers)] == []
    assert password_of(database_url) not in log


def password_of(url: str) -> str:
    """Return the database's password."""
    return url.partition("@")[0].rpartition(":")[2]


async def talks_nonsense(port: int, token: str) -> None:
    """Send an invalid request with a token in it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(BAD_REQUEST.format(token=token).encode())
    assert (await reader.read()).split(b" ")[1] == b"400"
    writer.close()


@pytest.mark.parametrize("form", ["json", "console"])
async def test_foreign_text_stays_on_its_line(start_node: StartNode, database_url: str, form: str) -> None:
    """An address with line breaks and terminal commands in it is logged on one line."""
    node = await start_node("a1", LOG_FORMAT=form)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("alter table sessions rename column token_hash to gone")
        async with visiting(node.url) as mallory:
            mallory.headers["Authorization"] = "Bearer x"
            forged = "/api/sessions/%0a2026-11-24%20[info]%20all%20is%20well%1b[2J%0d"
            status, _ = await mallory.call("DELETE", forged)
            assert status == 500
    log = node.log.read_text()
    assert "all is well" in log
    assert "\n2026-11-24 [info] all" not in log
    assert "\x1b[2J" not in log
    if form == "json":
        assert all(json.loads(line) for line in log.splitlines() if line.startswith("{"))
