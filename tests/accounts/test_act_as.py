"""Acting for users: a key with the scope act-as sends the header Tandem-User, on every route, stream and socket."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import aiohttp
import psycopg
import pytest

from chat.client.client import Client
from tests.accounts.events import finds
from tests.accounts.systems import EVERY, Actor, makes_key, puts_room, puts_user, user_path
from tests.cast import Cast, Person, casting
from tests.nodes import Node, running_node
from tests.presence.presence_client import open_presence, opens_presence
from tests.waiting import eventually

C = "/api/chat/conversations"


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


async def test_a_key_speaks_for_a_user(shop: Person, ada: Person, cast: Cast) -> None:
    """By id or by external id; the user is the author, and the audit log keeps both identities."""
    dora = await puts_user(shop, "u/1 ü")
    for named in (str(dora["id"]), "ext:u%2F1%20%C3%BC"):
        actor = Actor(cast, shop, named, dora["id"])
        assert (await actor.call("GET", "/api/users/me"))[1]["id"] == dora["id"]
    status, room = await actor.call("POST", C, {"kind": "channel", "name": "orders"})
    assert (status, room["role"]) == (201, "owner")
    assert (await actor.says(room["id"], "hello"))["author"] == dora["id"]
    assert (await shop.call("GET", f"{C}/{room['id']}/messages"))[0] == 200  # a public channel
    assert (await actor.call("PATCH", f"{C}/{room['id']}", {"topic": "all orders"}))[0] == 200
    (event,) = await finds(ada, "conversation.change")
    assert (event["actor"], event["acted_by"], event["device"]) == (dora["id"], shop.id, "Shop")
    (event,) = await finds(ada, "account.create")
    assert (event["actor"], event["acted_by"]) == (shop.id, None)


async def test_streams_and_sockets_are_the_users(shop: Person, cast: Cast) -> None:
    """The event stream, the message socket with its commands, and presence."""
    dora, emil = await puts_user(shop, "u-1"), await puts_user(shop, "u-2")
    room = await puts_room(shop, "order-1")
    assert (await shop.call("PUT", f"{C}/{room}/members", {"users": [dora["id"], "ext:u-2"]}))[0] == 200
    actor, other = Actor(cast, shop, "ext:u-1", dora["id"]), Actor(cast, shop, "ext:u-2", emil["id"])
    reader = await actor.listens()
    headers = {"Authorization": f"Bearer {shop.token}", **other.headers}
    async with cast.http.ws_connect(f"{shop.at}/api/chat/socket?format=message", headers=headers) as socket:
        await socket.send_json({"type": "post", "id": 1, "conversation": room, "body": "hi", "client_id": "1"})
        answers = [(await socket.receive_json()) for _ in range(2)]
    assert {one.get("author") or one["message"]["author"] for one in answers} == {emil["id"]}
    await reader.hears("hi")
    async with open_presence(actor) as mine, open_presence(other) as theirs:
        await mine.watches(other)
        await mine.sees(other, "online")
        await theirs.says("status", status="dnd")
        await mine.sees(other, "dnd")


async def test_the_python_client_acts_for_a_user(shop: Person) -> None:
    """The client posts and reads as the user; the external id may have any letters."""
    dora, room = await puts_user(shop, "u/1:ü"), await puts_room(shop, "order-1")
    assert (await shop.call("PUT", f"{C}/{room}/members", {"users": [dora["id"]]}))[0] == 200
    async with Client(shop.at, shop.token, user="ext:u/1:ü") as client:
        cursor = (await client.call("GET", C))["cursor"]
        assert (await client.post(room, "hi"))["author"] == dora["id"]
        async with aclosing(client.stream(cursor)) as entries:
            assert (await anext(entries)).json()["author"] == dora["id"]


async def test_who_cannot_be_acted_for(shop: Person, ada: Person, cast: Cast) -> None:
    """Unknown and disabled users, admins, and bots; and only a key with the scope may."""
    dora = await puts_user(shop, "u-1")
    other = await makes_key(ada, cast, "messages:read", "users:read")
    for key, named, code in (
        (shop, "4711", "unknown_user"),
        (shop, "ext:nobody", "unknown_user"),
        (shop, "dora", "unknown_user"),
        (shop, "ext:%00", "unknown_user"),
        (shop, str(other.id), "unknown_user"),
        (shop, str(ada.id), "more_rights"),
        (other, "ext:u-1", "missing_scope"),
        (ada, "ext:u-1", "missing_scope"),
        (shop, "9" * 1001, "invalid"),
    ):
        status, problem = await Actor(cast, key, named).call("GET", C)
        assert (status, problem["code"]) == (422 if code == "invalid" else 403, code), named
    await puts_user(shop, "u-1", disabled=True)
    assert (await Actor(cast, shop, str(dora["id"])).call("GET", C))[1]["code"] == "user_disabled"
    headers = [("Authorization", f"Bearer {shop.token}"), ("Tandem-User", "1"), ("Tandem-User", "2")]
    async with cast.http.get(shop.at + C, headers=headers) as answer:
        assert answer.status == 422


async def test_an_admin_needs_a_key_of_an_admin(ada: Person, cast: Cast) -> None:
    """With the scope admin, while its maker is one; then the user's own rights count, not the key's."""
    (eve, ben) = (*await cast.enters("eve", role="admin"), *await cast.enters("ben"))
    chief = await makes_key(eve, cast, *EVERY, "admin")
    assert (await Actor(cast, chief, str(ada.id)).call("GET", "/api/audit"))[0] == 200
    assert (await Actor(cast, chief, str(ben.id)).call("GET", "/api/audit"))[1]["code"] == "admins_only"
    assert (await ada.call("PUT", f"/api/users/{eve.id}/role", {"role": "member"}))[0] == 204
    await puts_user(chief, "u-1")
    await eventually(lambda: is_refused(Actor(cast, chief, f"{ada.id:02}"), "more_rights"))


async def is_refused(actor: Person, code: str) -> bool:
    """Return whether a call is refused for this reason."""
    return bool((await actor.call("GET", C))[1].get("code") == code)


async def test_a_limited_key_acts_only_where_it_may(shop: Person, ada: Person, cast: Cast) -> None:
    """Its users are in other conversations too: what spans conversations is refused."""
    dora = await puts_user(shop, "u-1")
    room, other = await puts_room(shop, "order-1"), await puts_room(shop, "order-2")
    for one in (room, other):
        assert (await shop.call("PUT", f"{C}/{one}/members", {"users": ["ext:u-1"]}))[0] == 200
    limited = await makes_key(ada, cast, conversations=[room])
    actor = Actor(cast, limited, "ext:u-1", dora["id"])
    assert (await actor.says(room, "hi"))["author"] == dora["id"]
    assert (await actor.call("GET", f"{C}/{other}/messages"))[0] == 404
    for path in (C, "/api/chat/search?q=hi", "/api/chat/stream", "/api/chat/threads", "/api/users/me", "/api/files/1"):
        assert (await actor.call("GET", path))[1]["code"] == "limited_key", path


@pytest.mark.parametrize("end", [{"disabled": True}, None])
async def test_all_of_it_ends_when_the_user_is_disabled_or_erased(
    shop: Person, cast: Cast, second: Node, end: dict[str, bool] | None
) -> None:
    """On two nodes within a second, streams and presence sockets alike; other users of the key are not touched."""
    dora, emil = await puts_user(shop, "u-1"), await puts_user(shop, "u-2")
    actor, other = Actor(cast, shop, str(dora["id"]), dora["id"]), Actor(cast, shop, str(emil["id"]), emil["id"])
    readers, sockets = [], []
    for at in (shop.at, second.url):
        actor.at = at
        readers.append(await actor.listens())
        sockets.append(await opens_presence(actor))
    stays = await other.listens()
    assert (await shop.call("PUT" if end else "DELETE", user_path("u-1"), end))[0] in (200, 204)
    await eventually(lambda: all(reader.closed for reader in readers), 1)
    assert [await socket.closes(limit=1.0) for socket in sockets] == [4401, 4401]
    for at in (shop.at, second.url):
        actor.at = at
        assert (await actor.call("GET", C))[0] == 403
    assert not stays.closed


async def test_all_of_it_ends_with_the_key(shop: Person, ada: Person, cast: Cast, second: Node) -> None:
    """Revoking the key closes what it opened for users, on both nodes."""
    dora = await puts_user(shop, "u-1")
    actor = Actor(cast, shop, "ext:u-1", dora["id"])
    here = await actor.listens()
    actor.at = second.url
    there, socket = await actor.listens(), await opens_presence(actor)
    _, listed = await ada.call("GET", "/api/keys")
    assert (await ada.call("DELETE", f"/api/keys/{listed['keys'][0]['id']}"))[0] == 204
    await eventually(lambda: here.closed and there.closed, 1)
    assert await socket.closes(limit=1.0) == 4401
    assert (await actor.call("GET", C))[0] == 401


async def test_the_key_pays(database_url: str, redis_url: str) -> None:
    """Requests for many users count against one limit; the users keep theirs."""
    async with (
        running_node(database_url, redis_url, node="b2", rate_limits=True, rate_post="3/hour") as node,
        casting(database_url, node.url) as cast,
    ):
        ada, ben, chloe = *await cast.enters("ada", role="admin"), *await cast.enters("ben", "chloe")
        room, shop = await cast.share(ada, ben, chloe), await makes_key(ada, cast)
        actors = [Actor(cast, shop, str(one.id), one.id) for one in (ben, chloe)]
        for n in range(3):
            await actors[n % 2].says(room, f"{n}")
        for actor in actors:
            status, _ = await actor.call("POST", f"{C}/{room}/messages", {"body": "x", "client_id": "x"})
            assert status == 429
        await ben.says(room, "mine")


async def test_a_page_of_another_site_may_ask_for_the_header(database_url: str, redis_url: str) -> None:
    """The preflight names it."""
    async with (
        running_node(database_url, redis_url, node="b2", allowed_origins=["https://shop.example"]) as node,
        aiohttp.ClientSession() as http,
    ):
        headers = {
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "tandem-user",
        }
        async with http.options(node.url + C, headers=headers) as answer:
            assert "tandem-user" in answer.headers["Access-Control-Allow-Headers"].lower()


async def test_rows_of_two_users_do_not_mix(shop: Person, cast: Cast, database_url: str) -> None:
    """A node that remembers one user of a key does not answer for another; a deleted id is not remembered."""
    await puts_user(shop, "u-1")
    await puts_user(shop, "u-2")
    ids = [(await Actor(cast, shop, f"ext:u-{n}").call("GET", "/api/users/me"))[1]["id"] for n in (1, 2, 1, 2)]
    assert ids[:2] == ids[2:]
    assert ids[0] != ids[1]
    assert (await shop.call("DELETE", user_path("u-1")))[0] == 204
    assert (await Actor(cast, shop, "ext:u-1").call("GET", C))[1]["code"] == "unknown_user"
    again = await puts_user(shop, "u-1")
    assert (await Actor(cast, shop, "ext:u-1").call("GET", "/api/users/me"))[1]["id"] == again["id"]
    with psycopg.connect(database_url) as database:
        assert database.execute("select count(*) from sessions where user_id = %s", [again["id"]]).fetchone() == (0,)
