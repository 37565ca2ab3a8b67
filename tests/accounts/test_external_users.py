"""Users of another system: created, changed, read and deleted by the ids that they have there."""

import asyncio
import os
import ssl
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiohttp import web
from PIL import Image

from chat.accounts import admin_endpoints
from chat.shared.http_client import fetch_public
from tests.accounts.events import finds
from tests.accounts.systems import EVERY, makes_key, puts_room, puts_user, user_path
from tests.cast import Cast, Person
from tests.deploy.proxies import make_certificate, trust
from tests.nodes import Node, running_node
from tests.operations.answers import ANSWERS
from tests.waiting import eventually

C = "/api/chat/conversations"
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def ada(cast: Cast) -> Person:
    """An admin."""
    return (await cast.enters("ada", role="admin"))[0]


@pytest.fixture
async def shop(ada: Person, cast: Cast) -> Person:
    """A key with every scope but admin."""
    return await makes_key(ada, cast)


@pytest.fixture
async def second(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A second node of the same cluster."""
    async with running_node(database_url, redis_url, node="b2") as one:
        yield one


def session_of(cast: Cast, node_url: str, name: str, made: dict[str, Any]) -> Person:
    """Return the user of a session that a key has opened."""
    person = Person(cast.http, node_url, name, made["user"]["id"], made["token"])
    cast.people.append(person)
    return person


async def test_a_user_is_created_once_and_changed_afterwards(shop: Person, ada: Person) -> None:
    """The first call answers 201, later ones 200 with the same id; fields that are missing stay."""
    form = {"name": "dora", "display_name": "Dora K", "email": "dora@example.com"}
    status, made = await shop.call("PUT", user_path("u-1"), form)
    assert (status, made["name"], made["external_id"], made["email"]) == (201, "dora", "u-1", "dora@example.com")
    status, same = await shop.call("PUT", user_path("u-1"), form)
    assert (status, same) == (200, made)
    changed = await puts_user(shop, "u-1", display_name="Dora King")
    assert changed == made | {"display_name": "Dora King"}
    renamed = await puts_user(shop, "u-1", name="dora.king", email="")
    assert (renamed["id"], renamed["name"], "email" in renamed) == (made["id"], "dora.king", False)
    assert (await shop.call("GET", user_path("u-1"))) == (200, renamed)
    assert (await shop.call("GET", user_path("u-2")))[0] == 404
    for wrong in ("dora", "@x", "dora@", "a b@x", "a@b@c", "a\u2028@x"):
        status, problem = await shop.call("PUT", user_path("u-1"), {"email": wrong})
        assert (status, problem["errors"][0]["field"]) == (422, "email"), wrong
    (event,) = await finds(ada, "account.create")
    assert (event["actor"], event["subject"], event["detail"]) == (shop.id, made["id"], {"external_id": "u-1"})


@pytest.mark.parametrize(
    "external_id", ["a/b", "100%", "%2F", "messages", "me", "ünï 🦖", "?q=1&x#y", "x" * 255, "{id}", "a\nb", "🦖" * 63]
)
async def test_ids_have_any_characters(shop: Person, external_id: str) -> None:
    """Up to 255 bytes, percent-encoded in the URL, and also those that look like other addresses."""
    made = await puts_user(shop, external_id)
    assert made["external_id"] == external_id
    assert (await shop.call("GET", user_path(external_id)))[1]["id"] == made["id"]
    assert (await shop.call("DELETE", user_path(external_id)))[0] == 204
    assert (await shop.call("GET", user_path(external_id)))[0] == 404


@pytest.mark.parametrize("external_id", ["x" * 256, "🦖" * 64, "a\0b"])
async def test_wrong_ids_are_refused(shop: Person, external_id: str) -> None:
    """Longer ones, and NUL, which PostgreSQL cannot store."""
    status, problem = await shop.call("PUT", user_path(external_id), {})
    assert (status, problem["errors"][0]["field"]) == (422, "external_id")


async def test_ten_calls_at_once_make_one_user(shop: Person, second: Node) -> None:
    """On two nodes; one answers 201."""
    nodes = [shop.at, second.url]

    async def put(number: int) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {shop.token}"}
        url = nodes[number % 2] + user_path("u-1")
        async with shop._http.put(url, json={"display_name": "Dora"}, headers=headers) as answer:
            return answer.status, (await answer.json())["id"]

    answers = await asyncio.gather(*(put(n) for n in range(10)))
    assert sorted(status for status, _ in answers) == [200] * 9 + [201]
    assert len({id_ for _, id_ in answers}) == 1


async def test_names_that_are_taken(shop: Person, cast: Cast) -> None:
    """A given name is refused; without one the user gets a name with a number, as with a JSON Web Token."""
    await cast.enters("dora")
    status, problem = await shop.call("PUT", user_path("u-1"), {"name": "dora"})
    assert (status, problem["code"]) == (409, "name_taken")
    assert (await shop.call("GET", user_path("u-1")))[0] == 404
    assert (await puts_user(shop, "u-1", display_name="Dora"))["name"] == "dora2"
    assert (await puts_user(shop, "Dora"))["name"] == "dora3"
    assert (await puts_user(shop, "東京"))["name"] == "user"
    status, problem = await shop.call("PUT", user_path("u-1"), {"name": "dora"})
    assert (status, problem["code"]) == (409, "name_taken")


async def test_nobody_gets_more_rights_than_the_caller_has(shop: Person, ada: Person, cast: Cast) -> None:
    """Without the scope admin a key makes no admin, changes none and deletes none; with it, it does."""
    status, problem = await shop.call("PUT", user_path("u-1"), {"role": "admin"})
    assert (status, problem["code"]) == (403, "more_rights")
    assert (await shop.call("GET", user_path("u-1")))[0] == 404
    chief = await makes_key(ada, cast, *EVERY, "admin")
    assert (await puts_user(chief, "u-1", role="admin"))["role"] == "admin"
    for method, body in (("PUT", {"display_name": "Mine"}), ("PUT", {"disabled": True}), ("DELETE", None)):
        status, problem = await shop.call(method, user_path("u-1"), body)
        assert (status, problem["code"]) == (403, "more_rights"), method
    assert (await puts_user(chief, "u-1", role="member"))["role"] == "member"
    assert (await puts_user(shop, "u-1", display_name="Dora"))["display_name"] == "Dora"


async def test_members_cannot_and_keys_need_the_scope(ada: Person, cast: Cast) -> None:
    """An admin can, after a proof of identity; a key that only reads cannot write."""
    (ben,) = await cast.enters("ben")
    for method in ("PUT", "GET", "DELETE"):
        assert (await ben.call(method, user_path("u-1"), {}))[1]["code"] == "admins_only", method
    reader = await makes_key(ada, cast, "users:read")
    assert "users:write" in (await reader.call("PUT", user_path("u-1"), {}))[1]["detail"]
    assert (await ada.call("PUT", user_path("u-1"), {"display_name": "Dora"}))[0] == 201
    assert (await reader.call("GET", user_path("u-1")))[0] == 200
    status, problem = await ada.call("PUT", user_path("u-2"), {"display_name": "Ada"})
    assert (status, problem["code"]) == (409, "imitates_admin")


async def test_disabling_ends_the_sessions_everywhere(shop: Person, cast: Cast, second: Node) -> None:
    """On two nodes within a second; enabling lets the user in again."""
    dora = await puts_user(shop, "u-1")
    _, made = await shop.call("POST", f"/api/users/{dora['id']}/sessions")
    person = session_of(cast, shop.at, "dora", made)
    here = await person.listens()
    person.at = second.url
    there = await person.listens()
    assert (await puts_user(shop, "u-1", disabled=True))["disabled"] is True
    await eventually(lambda: here.closed and there.closed, 1)
    assert (await shop.call("POST", f"/api/users/{dora['id']}/sessions"))[0] == 404
    assert "disabled" not in await puts_user(shop, "u-1", disabled=False)
    assert (await shop.call("POST", f"/api/users/{dora['id']}/sessions"))[0] == 201


async def test_a_minted_session_is_the_users_own(shop: Person, ada: Person, cast: Cast) -> None:
    """Its token works as bearer and as cookie until it ends; it is no proof of identity, and it is in the audit."""
    dora = await puts_user(shop, "u-1", display_name="Dora")
    status, made = await shop.call("POST", f"/api/users/{dora['id']}/sessions", {"device": "SSR", "expires_in": 600})
    assert (status, made["user"]["id"], made["session"]["device"]) == (201, dora["id"], "SSR")
    ANSWERS["post_user_session"].model_validate(made)
    person = session_of(cast, shop.at, "dora", made)
    assert (await person.call("GET", "/api/users/me"))[1]["display_name"] == "Dora"
    async with cast.http.get(f"{shop.at}/api/users/me", headers={"Cookie": f"tandem={made['token']}"}) as answer:
        assert answer.status == 200
    assert (await person.call("DELETE", "/api/users/me"))[1]["code"] == "reauthentication_required"
    (event,) = await finds(ada, "login.mint")
    assert (event["actor"], event["subject"], event["detail"]["minted"]) == (shop.id, dora["id"], made["session"]["id"])
    with psycopg.connect(cast.database_url) as database:
        query = "select expires_at < now() + interval '11 minutes' from sessions where id = %s"
        assert database.execute(query, [made["session"]["id"]]).fetchone() == (True,)


async def test_no_session_is_minted_for_more_rights(shop: Person, ada: Person, cast: Cast) -> None:
    """Neither for an admin by a lesser key, nor for a bot, nor by a person, nor once the key's maker is no admin."""
    (eve,) = await cast.enters("eve", role="admin")
    assert (await shop.call("POST", f"/api/users/{ada.id}/sessions"))[1]["code"] == "more_rights"
    chief = await makes_key(eve, cast, *EVERY, "admin")
    assert (await chief.call("POST", f"/api/users/{ada.id}/sessions"))[0] == 201
    assert (await chief.call("POST", f"/api/users/{shop.id}/sessions"))[0] == 404
    assert (await ada.call("POST", f"/api/users/{eve.id}/sessions"))[1]["code"] == "keys_only"
    assert (await ada.call("PUT", f"/api/users/{eve.id}/role", {"role": "member"}))[0] == 204
    assert (await chief.call("POST", f"/api/users/{ada.id}/sessions"))[1]["code"] == "more_rights"


@pytest.mark.usefixtures("quick_erasures")
async def test_erasure_removes_the_user_and_frees_the_id(
    shop: Person, cast: Cast, database_url: str, second: Node
) -> None:
    """Streams on both nodes end at once; then nothing tells who it was, and the id makes a new user."""
    dora = await puts_user(shop, "person-4711", name="dora", display_name="Dora King", email="dora@example.com")
    room = await puts_room(shop, "order-1")
    assert (await shop.call("PUT", f"{C}/{room}/members", {"users": ["ext:person-4711"]}))[0] == 200
    _, made = await shop.call("POST", f"/api/users/{dora['id']}/sessions")
    person = session_of(cast, shop.at, "dora", made)
    await person.says(room, "a secret")
    bot = await shop.listens()
    here = await person.listens()
    person.at = second.url
    there = await person.listens()
    assert (await shop.call("DELETE", user_path("person-4711") + "?messages=erase"))[0] == 204
    await eventually(lambda: here.closed and there.closed, 1)
    await eventually(lambda: bot.named("delete"))
    _, page = await shop.call("GET", f"{C}/{room}/messages")
    assert [(one["author"], one["body"]) for one in page["messages"]] == [(dora["id"], "")]
    await eventually(lambda: rows(database_url, "select from erasures") == [])
    for table in ("users", "user_names", "sessions", "audit", "messages", "log"):
        text = str(rows(database_url, f"select t::text from {table} t where t::text !~ 'order-1'"))
        frames = str(rows(database_url, "select encode(frame, 'escape') from log"))
        for trace in ("4711", "dora@", "Dora King", "a secret"):
            assert trace not in text + frames, (table, trace)
    assert rows(database_url, "select from audit where action = 'account.delete' and subject = %s", dora["id"])
    assert (await shop.call("DELETE", user_path("person-4711")))[0] == 404
    assert (await puts_user(shop, "person-4711", name="dora"))["id"] != dora["id"]


@pytest.mark.usefixtures("quick_erasures")
async def test_a_lone_owner_hands_over(shop: Person, cast: Cast, database_url: str) -> None:
    """A program cannot be asked who shall own a conversation: its oldest member does."""
    dora, emil = await puts_user(shop, "u-1"), await puts_user(shop, "u-2")
    _, made = await shop.call("POST", f"/api/users/{dora['id']}/sessions")
    person = session_of(cast, shop.at, "dora", made)
    status, room = await person.call("POST", C, {"kind": "channel", "name": "orders"})
    assert status == 201
    _, made = await shop.call("POST", f"/api/users/{emil['id']}/sessions")
    other = session_of(cast, shop.at, "emil", made)
    assert (await other.call("PUT", f"{C}/{room['id']}/members/me", {}))[0] == 201
    assert (await shop.call("DELETE", user_path("u-1")))[0] == 204
    owners = "select user_id from memberships where role = 'owner' and until is null and conversation_id = %s"
    await eventually(lambda: rows(database_url, owners, room["id"]) == [(emil["id"],)])


@asynccontextmanager
async def serving_pictures(folder: Path, asked: list[str]) -> AsyncIterator[str]:
    """Serve a picture, a long text and a redirect over HTTPS. Yield the URL; note the paths in `asked`."""

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        if request.path == "/away":
            raise web.HTTPFound("https://10.0.0.1/face.png")
        return web.Response(body=picture() if request.path == "/face.png" else b"text" * 2_000_000)

    app = web.Application()
    app.router.add_get("/{path}", answer)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(make_certificate(folder))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"https://localhost:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_pictures_are_fetched_from_public_addresses_only(
    shop: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for each URL; what cannot be fetched, or is no picture, is refused, and nothing changes."""
    asked: list[str] = []
    async with serving_pictures(tmp_path, asked) as place:

        async def is_refused(url: str, why: str) -> bool:
            status, problem = await shop.call("PUT", user_path("u-1"), {"avatar_url": url})
            return status == 422 and why in problem["errors"][0]["detail"]

        assert await is_refused(f"{place}/face.png", "not a public address")
        trusting = partial(fetch_public, allowed=frozenset({"127.0.0.1", "::1"}), tls=trust(tmp_path))
        monkeypatch.setattr(admin_endpoints, "fetch_public", trusting)
        assert await is_refused(f"{place}/away", "not a public address")
        assert await is_refused(f"{place}/text", "more than 5,242,880 bytes")
        assert await is_refused("http://example.com/face.png", "https://")
        assert (await shop.call("GET", user_path("u-1")))[0] == 404
        first = await puts_user(shop, "u-1", avatar_url=f"{place}/face.png")
        again = await puts_user(shop, "u-1", avatar_url=f"{place}/face.png")
        assert first["avatar"] == again["avatar"] != ""
        assert asked.count("/face.png") == 1
        headers = {"Authorization": f"Bearer {shop.token}"}
        async with shop._http.get(shop.at + first["avatar"], headers=headers) as shown:
            assert (shown.status, shown.content_type) == (200, "image/webp")
        assert (await puts_user(shop, "u-1", avatar_url=""))["avatar"] == ""


async def test_the_lines_of_the_documentation_work(shop: Person) -> None:
    """Each command of chat/README.md, in its order."""
    section = (ROOT / "chat" / "README.md").read_text().partition("## Users and conversations of another system")[2]
    lines = section.partition("```sh\n")[2].partition("```")[0].splitlines()
    env = os.environ | {"TANDEM": shop.at, "KEY": shop.token}
    for line in lines:
        done = await asyncio.create_subprocess_shell(line, env=env, stdout=PIPE, stderr=PIPE)
        out, err = await done.communicate()
        assert done.returncode == 0, (line, out, err)
    assert len(lines) == 6
    assert (await shop.call("GET", user_path("u-17")))[0] == 404


def picture() -> bytes:
    """Return a PNG."""
    body = BytesIO()
    Image.new("RGB", (64, 64), "teal").save(body, "PNG")
    return body.getvalue()


def rows(database_url: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with psycopg.connect(database_url) as database:
        return database.execute(query, values).fetchall()  # type: ignore[call-overload]
