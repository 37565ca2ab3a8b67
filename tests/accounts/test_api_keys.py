"""API keys: a program acts as a bot of its own, within its scopes and conversations, until the key is revoked."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from chat.app import ROUTES
from chat.route_limits import SCOPES, find_scope
from tests.accounts.systems import Actor
from tests.cast import Cast, Person
from tests.files.sending import address, bearer, posts, sends
from tests.nodes import Node, running_node
from tests.presence.presence_client import open_presence
from tests.search.asking import finds, indexed
from tests.test_commands import tandem
from tests.verbs import begins, tries
from tests.waiting import eventually

C = "/api/chat/conversations"
EVERY = ["messages:read", "messages:write", "conversations:write", "users:read", "users:write", "presence:read"]


@pytest.fixture
async def ada(cast: Cast) -> Person:
    """An admin."""
    return (await cast.enters("ada", role="admin"))[0]


@pytest.fixture
async def second(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A second node of the same cluster."""
    async with running_node(database_url, redis_url, node="b2") as one:
        yield one


async def makes(ada: Person, cast: Cast, *scopes: str, **limits: Any) -> Person:
    """Make a key; return its bot, which acts with it."""
    status, made = await ada.call("POST", "/api/keys", {"name": "Deploy", "scopes": scopes or EVERY} | limits)
    assert status == 201, made
    return Person(cast.http, ada.at, made["key"]["user"]["name"], made["key"]["user"]["id"], made["secret"])


async def opens_channel(ada: Person, name: str, *people: Person) -> int:
    """Open a channel with these members."""
    members = [one.id for one in people]
    status, made = await ada.call("POST", C, {"kind": "channel", "name": name, "members": members})
    assert status == 201, made
    return int(made["id"])


async def test_a_key_speaks_as_its_bot(ada: Person, cast: Cast) -> None:
    """The bot is named after the key, is added like a person, and its message has it as author."""
    status, made = await ada.call("POST", "/api/keys", {"name": "Deploy tool", "scopes": ["messages:write"]})
    assert status == 201
    key, secret = made["key"], made["secret"]
    assert secret.startswith("tk_")
    assert secret.startswith(key["prefix"])
    assert (key["user"]["name"], key["scopes"], key["last_used_at"]) == ("deploy-tool-bot", ["messages:write"], None)
    bot = Person(cast.http, ada.at, "bot", key["user"]["id"], secret)
    room = await opens_channel(ada, "deploys", bot)
    assert (await bot.says(room, "version 7 is live"))["author"] == bot.id
    _, listed = await ada.call("GET", "/api/keys")
    assert [one["id"] for one in listed["keys"]] == [key["id"]]
    assert "secret" not in json.dumps(listed)


async def test_two_keys_of_one_name_have_two_bots(ada: Person, cast: Cast) -> None:
    """Names of bots are numbered; a name without plain letters becomes `user-bot`."""
    names = [(await makes(ada, cast)).name, (await makes(ada, cast)).name, (await makes(ada, cast, name="キー")).name]
    assert names == ["deploy-bot", "deploy-bot2", "user-bot"]


async def test_the_secret_is_stored_hashed(ada: Person, cast: Cast, database_url: str) -> None:
    """Nothing in the database contains more of it than the prefix."""
    bot = await makes(ada, cast)
    with psycopg.connect(database_url) as database:
        rows = database.execute("select row_to_json(k)::text from api_keys k").fetchall()
        rows += database.execute("select row_to_json(s)::text from sessions s").fetchall()
    assert not [row for row in rows if bot.token in row[0]]


async def test_a_missing_scope_is_named(ada: Person, cast: Cast) -> None:
    """A key that only reads cannot write, and is told which scope it lacks."""
    bot = await makes(ada, cast, "messages:read")
    room = await opens_channel(ada, "lunch", bot)
    assert (await bot.call("GET", f"{C}/{room}/messages"))[0] == 200
    status, problem = await bot.call("POST", f"{C}/{room}/messages", {"body": "hi", "client_id": "1"})
    assert (status, problem["code"]) == (403, "missing_scope")
    assert "messages:write" in problem["detail"]
    status, problem = await bot.call("GET", "/api/users?q=ada")
    assert (status, problem["code"]) == (403, "missing_scope")
    assert "users:read" in problem["detail"]


async def test_a_limited_key_stays_in_its_conversations(ada: Person, cast: Cast) -> None:
    """Others do not exist for it, it opens none, and its bot cannot be added to any."""
    room, other = await opens_channel(ada, "orders"), await opens_channel(ada, "salaries")
    bot = await makes(ada, cast, conversations=[room])
    assert (await ada.call("PUT", f"{C}/{room}/members/{bot.id}", {}))[0] == 201
    await bot.says(room, "order 4711")
    assert (await bot.call("GET", f"{C}/{other}/messages"))[0] == 404
    assert (await bot.call("PUT", f"{C}/{other}/members/{bot.id}", {}))[0] == 404
    status, problem = await bot.call("POST", C, {"kind": "channel", "name": "mine"})
    assert (status, problem["code"]) == (403, "limited_key")
    assert (await ada.call("PUT", f"{C}/{other}/members/{bot.id}", {}))[0] == 422
    assert (await ada.call("POST", C, {"kind": "direct", "members": [bot.id]}))[0] == 422
    status, found = await bot.call("GET", C)
    assert [one["id"] for one in found["conversations"]] == [room]


async def test_a_limited_key_reads_no_other_channel(ada: Person, cast: Cast, database_url: str) -> None:
    """Not by the directory, a search, a link, a file or a forwarded message, although others may read the channel."""
    room, other = await opens_channel(ada, "orders"), await opens_channel(ada, "salaries")
    file = await sends(ada, b"4711")
    message = await posts(ada, other, file, body="payroll 4711")
    bot = await makes(ada, cast, conversations=[room])
    assert (await ada.call("PUT", f"{C}/{room}/members/{bot.id}", {}))[0] == 201
    await indexed(database_url)
    assert await finds(ada, "payroll in:salaries") == ["payroll 4711"]
    assert await finds(bot, "payroll in:salaries") == await finds(bot, "payroll", conversation=other) == []
    assert (await bot.call("GET", "/api/chat/channels"))[1]["channels"] == [
        {"id": room, "name": "orders", "topic": "", "role": "member", "members": 2}
    ]
    assert (await bot.call("GET", f"/api/chat/cards?messages={other}.{message['seq']}"))[1]["messages"] == []
    assert (await ada.call("GET", f"/api/files/{file['id']}"))[0] == 200
    for path in (f"/api/files/{file['id']}", address(file)):
        assert await tries(bot, "GET", path) == (404, "not_found")
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    arguments = {"name": "search", "arguments": {"query": "payroll in:salaries"}}
    status, answer = await bot.call("POST", "/mcp", call | {"params": arguments})
    assert (status, json.loads(answer["result"]["content"][0]["text"])["results"]) == (200, [])


async def test_a_limited_key_forwards_nothing_from_elsewhere(ada: Person, cast: Cast) -> None:
    """Neither what its bot may read, nor what the user may for whom it acts. It gets no session of that user either."""
    (ana,) = await cast.enters("ana")
    room, private = await opens_channel(ada, "orders", ana), await begins(ana, "channel", "diary", private=True)
    other = await opens_channel(ada, "salaries")
    await ada.says(other, "payroll 4711")
    await ana.says(private, "only mine")
    bot = await makes(ada, cast, *EVERY, "act-as", conversations=[room])
    assert (await ada.call("PUT", f"{C}/{room}/members/{bot.id}", {}))[0] == 201
    actor = Actor(cast, bot, str(ana.id), ana.id)
    for key, place in ((bot, other), (actor, private), (actor, other)):
        draft = {"client_id": "1", "forward": {"conversation": place, "seq": 1}}
        status, refused = await key.call("POST", f"{C}/{room}/messages", draft)
        assert (status, refused["errors"][0]["field"]) == (422, "forward")
    addressed = draft | {"conversation": room}
    status, answer = await bot.call("POST", "/api/chat/messages", {"messages": [addressed]})
    assert (status, answer["results"][0]["status"]) == (200, 422)
    later = addressed | {"at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    assert await tries(bot, "POST", "/api/chat/scheduled", later) == (422, "invalid")
    async with cast.http.ws_connect(f"{bot.at}/api/chat/socket", headers=bearer(bot)) as socket:
        await socket.send_json({"type": "post", "id": 1} | addressed)
        frames = [await socket.receive_json() for _ in range(2)]
    assert [one["code"] for one in frames if one.get("type") == "problem"] == ["invalid"]
    assert await tries(bot, "POST", f"/api/users/{ana.id}/sessions") == (403, "limited_key")
    own = {"client_id": "2", "forward": {"conversation": room, "seq": (await ada.says(room, "order 1"))["seq"]}}
    assert (await bot.call("POST", f"{C}/{room}/messages", own))[0] == 201


async def test_a_key_that_may_not_read_sees_no_message(ada: Person, cast: Cast) -> None:
    """Not by forwarding it, nor in the answers to changes of a conversation."""
    bot = await makes(ada, cast, "messages:write", "conversations:write")
    room = await opens_channel(ada, "orders", bot)
    await ada.says(room, "order 4711")
    draft = {"client_id": "1", "forward": {"conversation": room, "seq": 1}}
    assert await tries(bot, "POST", f"{C}/{room}/messages", draft) == (403, "missing_scope")
    status, answer = await bot.call("POST", "/api/chat/messages", {"messages": [draft | {"conversation": room}]})
    assert (status, answer["results"][0]["problem"]["code"]) == (200, "missing_scope")
    assert (await ada.call("PUT", f"{C}/{room}/members/{bot.id}", {"role": "admin"}))[0] == 200
    status, shown = await bot.call("PATCH", f"{C}/{room}", {"topic": "all of them"})
    assert (status, shown["last_seq"], shown["last_message"]) == (200, 1, None)
    reader = await makes(ada, cast)
    assert (await ada.call("PUT", f"{C}/{room}/members/{reader.id}", {}))[0] == 201
    assert (await reader.call("GET", f"{C}/{room}"))[1]["last_message"]["body"] == "order 4711"


async def test_a_revoked_key_ends_on_every_node(ada: Person, cast: Cast, second: Node) -> None:
    """Its streams end there, its next request is refused, and its bot stays as the author of what it said."""
    bot = await makes(ada, cast)
    room = await opens_channel(ada, "deploys", bot)
    message = await bot.says(room, "live")
    here = await bot.listens()
    bot.at = second.url
    there = await bot.listens()
    _, listed = await ada.call("GET", "/api/keys")
    assert (await ada.call("DELETE", f"/api/keys/{listed['keys'][0]['id']}"))[0] == 204
    await eventually(lambda: here.closed and there.closed)
    assert (await bot.call("GET", C))[0] == 401
    assert (await ada.call("GET", "/api/keys"))[1]["keys"] == []
    assert (await ada.call("DELETE", f"/api/keys/{listed['keys'][0]['id']}"))[0] == 404
    assert (await ada.call("GET", f"{C}/{room}/messages/{message['seq']}"))[1]["message"]["author"] == bot.id


async def test_an_expired_key_is_refused(ada: Person, cast: Cast, database_url: str) -> None:
    """By the database's clock; and none is made that has expired already."""
    status, _ = await ada.call(
        "POST", "/api/keys", {"name": "x", "scopes": ["messages:read"], "expires_at": "2020-01-01T00:00:00Z"}
    )
    assert status == 422
    bot = await makes(ada, cast, expires_at="2999-01-01T00:00:00Z")
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute("update sessions set expires_at = now() where user_id = %s", [bot.id])
    assert (await bot.call("GET", C))[0] == 401


async def test_an_idle_key_stays_valid(ada: Person, cast: Cast, database_url: str) -> None:
    """Unlike a session of a person."""
    bot = await makes(ada, cast)
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute("update sessions set last_seen_at = now() - interval '3 years' where user_id = %s", [bot.id])
    assert (await bot.call("GET", C))[0] == 200


async def test_a_key_is_no_person(ada: Person, cast: Cast) -> None:
    """Whatever its scopes, it makes no keys, touches no sessions or passwords, and is never present."""
    bot = await makes(ada, cast, *EVERY, "admin")
    for method, path in (
        ("POST", "/api/keys"),
        ("GET", "/api/sessions"),
        ("PUT", "/api/users/me/password"),
        ("POST", "/api/users/me/totp"),
        ("POST", "/api/presence/ticket"),
    ):
        status, problem = await bot.call(method, path, None if method == "GET" else {})
        assert (status, problem["code"]) == (403, "not_for_keys"), path
    assert (await bot.call("GET", "/api/audit"))[0] == 200


async def test_a_bot_has_an_owner(ada: Person, cast: Cast) -> None:
    """The user who made its key or hook, whom others see."""
    bot = await makes(ada, cast)
    room = await opens_channel(ada, "deploys", bot)
    _, made = await ada.call("POST", f"{C}/{room}/incoming-hooks", {"name": "Grafana"})
    for user in (bot.id, made["hook"]["user"]):
        _, shown = await ada.call("GET", f"/api/users/{user}")
        assert (shown["bot"], shown["owner"]) == (True, ada.id)
    _, shown = await bot.call("PATCH", "/api/users/me", {"about": "posts"})
    assert shown["owner"] == ada.id
    _, found = await ada.call("GET", f"/api/users?q={bot.name}")
    assert [one["owner"] for one in found["users"]] == [ada.id]
    assert "owner" not in (await ada.call("GET", "/api/users/me"))[1]


@pytest.mark.parametrize("how", ["disabled", "deleted"])
async def test_keys_end_with_their_owner(how: str, ada: Person, cast: Cast) -> None:
    """Also what they have open. Keys of others, and incoming hooks, which are of their conversation, stay."""
    (eve,) = await cast.enters("eve", role="admin")
    bot, other = await makes(eve, cast), await makes(ada, cast)
    room = await opens_channel(ada, "deploys", bot, eve)
    await ada.call("PUT", f"{C}/{room}/members/{eve.id}", {"role": "admin"})
    _, made = await eve.call("POST", f"{C}/{room}/incoming-hooks", {"name": "Grafana"})
    stream = await bot.listens()
    if how == "disabled":
        assert (await ada.call("PUT", f"/api/users/{eve.id}/disabled", {"disabled": True}))[0] == 204
    else:
        assert (await eve.call("DELETE", "/api/users/me"))[0] == 204
    await eventually(lambda: stream.closed)
    assert (await bot.call("GET", C))[0] == 401
    assert (await other.call("GET", C))[0] == 200
    async with cast.http.post(made["url"], json={"text": "up"}) as answer:
        assert answer.status == 200
    _, listed = await ada.call("GET", "/api/keys")
    assert [one["user"]["id"] for one in listed["keys"]] == [other.id]
    if how == "disabled":
        assert (await ada.call("PUT", f"/api/users/{eve.id}/disabled", {"disabled": False}))[0] == 204
        assert (await bot.call("GET", C))[0] == 401  # like the owner's sessions


async def test_the_scope_admin_needs_an_owner_who_is_an_admin(ada: Person, cast: Cast, second: Node) -> None:
    """On every node, from the demotion until the role returns. The key's other scopes stay."""
    (eve,) = await cast.enters("eve", role="admin")
    bot, other = await makes(eve, cast, *EVERY, "admin"), await makes(ada, cast, "admin")
    elsewhere = Person(cast.http, second.url, bot.name, bot.id, bot.token)

    async def may(allowed: bool) -> bool:
        return [(await one.call("GET", "/api/audit"))[0] == 200 for one in (bot, elsewhere)] == [allowed] * 2

    assert await may(True)
    assert (await ada.call("PUT", f"/api/users/{eve.id}/role", {"role": "member"}))[0] == 204
    await eventually(lambda: may(False))
    status, problem = await bot.call("GET", "/api/audit")
    assert (status, problem["code"], "is not an admin anymore" in problem["detail"]) == (403, "missing_scope", True)
    assert (await bot.call("GET", C))[0] == (await other.call("GET", "/api/audit"))[0] == 200
    assert (await ada.call("PUT", f"/api/users/{eve.id}/role", {"role": "admin"}))[0] == 204
    await eventually(lambda: may(True))


async def test_a_socket_observes_by_a_key_while_its_owner_is_an_admin(ada: Person, cast: Cast, second: Node) -> None:
    """On another node too, the socket closes at the demotion. It opens again, without the dashboard's figures."""
    (eve,) = await cast.enters("eve", role="admin")
    bot = await makes(eve, cast, "presence:read", "admin")
    bot.at = second.url
    async with open_presence(bot) as watcher:
        await watcher.says("observe")
        await watcher.gets("stats")
        assert (await ada.call("PUT", f"/api/users/{eve.id}/role", {"role": "member"}))[0] == 204
        assert await watcher.closes() == 1001
    async with open_presence(bot) as watcher:
        await watcher.says("observe")
        assert (await watcher.gets("problem"))["code"] == "admins_only"
        assert watcher.named("stats") == []


async def test_presence_of_members_needs_its_scope(ada: Person, cast: Cast) -> None:
    """A key without `presence:read` lists the members alone."""
    bot, watcher = await makes(ada, cast, "messages:read"), await makes(ada, cast, "messages:read", "presence:read")
    room = await opens_channel(ada, "deploys", bot, watcher)
    status, problem = await bot.call("GET", f"{C}/{room}/members?presence=1")
    assert (status, problem["code"], "presence:read" in problem["detail"]) == (403, "missing_scope", True)
    _, listed = await bot.call("GET", f"{C}/{room}/members")
    assert {one["user"] for one in listed["members"]} == {ada.id, bot.id, watcher.id}
    _, listed = await watcher.call("GET", f"{C}/{room}/members?presence=1")
    assert any("presence" in one for one in listed["members"])


async def test_a_bot_does_not_log_in(ada: Person, cast: Cast) -> None:
    """It has no password, and gets none."""
    bot = await makes(ada, cast)
    for password in ("", "tandem"):
        status, _ = await ada.call("POST", "/api/sessions", {"name": bot.name, "password": password})
        assert status in (401, 422)
    assert (await ada.call("POST", f"/api/users/{bot.id}/reset", {}))[0] == 409


async def test_only_admins_make_keys(cast: Cast) -> None:
    """A member can neither make nor see them."""
    (ben,) = await cast.enters("ben")
    assert (await ben.call("POST", "/api/keys", {"name": "x", "scopes": ["messages:read"]}))[0] == 403
    assert (await ben.call("GET", "/api/keys"))[0] == 403


def test_every_route_has_a_scope_or_is_for_people() -> None:
    """A new route is found here: someone has to decide what a key needs for it."""
    decided = [start for start, _, _ in SCOPES]
    undecided = [
        operation.path
        for operation in ROUTES["all"]
        if operation.path.startswith("/api/") and not any(operation.path.startswith(start) for start in decided)
    ]
    assert undecided == []
    assert find_scope("GET", f"{C}/{{conversation}}/messages") == "messages:read"
    assert find_scope("POST", C) == "conversations:write"


def test_keys_from_the_command_line(database_url: str) -> None:
    """Add, list, revoke; a wrong scope is explained."""

    def key(*arguments: str) -> tuple[int, str, str]:
        done = tandem("key", *arguments, DATABASE_URL=database_url)
        return done.returncode, done.stdout, done.stderr

    code, out, err = key("add", "Deploy", "--scope", "messages:write", "--days", "30", "--json")
    assert code == 0, err
    made = json.loads(out)
    assert made["secret"].startswith("tk_")
    assert made["expires_at"]
    assert key("list")[1].split()[1:4] == [f"{made['prefix']}…", "deploy-bot", "messages:write"]
    assert key("revoke", str(made["id"]))[:2] == (0, f"revoked key {made['id']}\n")
    assert key("list")[1] == ""
    code, _, err = key("add", "Deploy", "--scope", "everything")
    assert code == 1
    assert "scopes" in err
