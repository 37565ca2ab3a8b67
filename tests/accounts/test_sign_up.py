"""Sign-up: a unique name, and a password that is hard to guess."""

import psycopg
import pytest

from chat.accounts.accounts import UsernameTaken, create
from chat.cli.accounts import add_account
from chat.shared.errors import Invalid
from chat.shared.postgres import open_pool
from tests.accounts.visitor import PASSWORD, Visitor, visiting
from tests.nodes import running_node


async def test_signing_up_logs_in(ana: Visitor) -> None:
    """The answer has the user, the session and a token; afterwards the cookie is enough."""
    status, came = await ana.signs_up("Ana", display_name="Ana Álvarez", device="laptop")
    assert status == 201
    shown = {"name": "ana", "display_name": "Ana Álvarez", "role": "member", "about": "", "time_zone": "", "avatar": ""}
    assert came["user"] == shown | {"id": came["user"]["id"]}
    assert came["session"]["current"] is True
    assert came["session"]["device"] == "laptop"
    assert await ana.call("GET", "/api/users/me") == (200, came["user"] | {"receipts": "on", "language": ""})


async def test_the_token_works_as_a_bearer_too(ana: Visitor, mallory: Visitor) -> None:
    """The token works as a bearer token, where cookies cannot be used."""
    _, came = await ana.signs_up("ana")
    mallory.headers["Authorization"] = f"Bearer {came['token']}"
    assert await mallory.is_known()


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(ana: Visitor) -> None:
    """The cookie is HttpOnly and SameSite=Lax, for the whole site, and lasts as long as the session."""
    await ana.signs_up("ana")
    parts = {part.strip().lower() for part in ana.set_cookie.split(";")[1:]}
    assert parts == {"httponly", "samesite=lax", "path=/", f"max-age={30 * 86_400}"}


async def test_behind_tls_the_cookie_is_secure(database_url: str, redis_url: str) -> None:
    """COOKIE_SECURE makes the cookie Secure."""
    async with running_node(database_url, redis_url, cookie_secure=True) as node, visiting(node.url) as ana:
        await ana.signs_up("ana")
        assert "secure" in ana.set_cookie.lower()


async def test_a_name_is_taken_in_any_case(ana: Visitor, mallory: Visitor) -> None:
    """The name in capitals is taken too."""
    await ana.signs_up("ana")
    status, problem = await mallory.signs_up("ANA")
    assert (status, problem["code"]) == (409, "name_taken")
    assert not await mallory.is_known()


async def test_invalid_names_are_refused(ana: Visitor) -> None:
    """Names that are short or long, with spaces, other alphabets or invisible characters, or with a sign at an end, are
    refused."""
    signs = ("ana.", "-ana", "..", "_ana", "ana_", "a-", "__init__", ".a")
    for name in ("a", "a" * 33, "an a", "аna", "ana\0", "ana\n", "ana\u202e", "\u212aelvin", "", *signs):
        status, problem = await ana.signs_up(name)
        assert (name, status, problem["errors"][0]["field"]) == (name, 422, "name")


async def test_invalid_display_names_are_refused(ana: Visitor) -> None:
    """Display names that are empty, invisible, of several lines, or with control characters are refused."""
    for shown in ("", "  ", "\u200b", "a\nb", "evil\u202eeman", "x\u2066y", "a\0b", "x" * 65):
        status, problem = await ana.signs_up("ana", display_name=shown)
        assert (shown, status, problem["errors"][0]["field"]) == (shown, 422, "display_name")


async def test_display_names_of_the_world(ana: Visitor) -> None:
    """Display names of any script, and emoji, are accepted."""
    await ana.signs_up("ana")
    for shown in ("Ángela 🥨", "李小龙", "فاطمة", "नेहा", "O'Neil-Šťastná", "👩‍👩‍👧‍👦"):
        status, user = await ana.call("PATCH", "/api/users/me", {"display_name": shown})
        assert (status, user["display_name"]) == (200, shown)


async def test_invalid_passwords_are_refused(ana: Visitor) -> None:
    """Passwords that are short, long, common, or the user's name are refused; the answer does not repeat them."""
    for password in ("short", "anaanaanaana", "password12", "x" * 257):
        status, problem = await ana.signs_up("ana", password)
        assert (status, problem["errors"][0]["field"]) == (422, "password")
        assert password not in str(problem).replace("'password'", "")


async def test_signing_up_may_be_closed(database_url: str, redis_url: str) -> None:
    """SIGNUP=closed refuses every sign-up."""
    async with running_node(database_url, redis_url, signup="closed") as node, visiting(node.url) as ana:
        status, problem = await ana.signs_up("ana")
        assert (status, problem["code"]) == (403, "signup_closed")


async def test_being_first_on_the_web_makes_no_admin(ana: Visitor) -> None:
    """The first user is no admin, nor is one who asks for it."""
    status, problem = await ana.signs_up("ana", role="admin")
    assert (status, problem["errors"][0]["field"]) == (422, "role")
    _, came = await ana.signs_up("ana")
    assert came["user"]["role"] == "member"


async def test_the_first_admin_comes_from_the_command_line(ana: Visitor, database_url: str) -> None:
    """An admin made on the command line logs in like everyone."""
    async with open_pool(database_url) as pool:
        await create(pool, "Ana", PASSWORD, role="admin")
        with pytest.raises(UsernameTaken):
            await create(pool, "ana", PASSWORD)
        with pytest.raises(Invalid, match=r"password: .*too easy to guess"):
            await create(pool, "ben", "password123")
    _, came = await ana.logs_in("ana")
    assert came["user"]["role"] == "admin"


def test_the_command_adds_an_account(database_url: str) -> None:
    """`tandem user add` makes an account."""
    user_id = add_account(database_url, "ana", PASSWORD, "admin")
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select id, name, role from users").fetchall() == [(user_id, "ana", "admin")]
