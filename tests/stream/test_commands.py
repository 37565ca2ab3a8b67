"""Commands over the message socket: they do what the routes do, and each is answered."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from tests.cast import Cast, Person, casting
from tests.nodes import Node, running_node
from tests.stream.websocket_client import WebSocketClient, listens_at_socket
from tests.verbs import sees
from tests.waiting import eventually

C = "/api/chat/conversations"


async def asks(socket: WebSocketClient, **command: Any) -> dict[str, Any]:
    """Send a command with an id; return its answer."""
    number = len(socket.named("ack")) + len(socket.named("problem")) + 1

    def answer() -> dict[str, Any] | None:
        found = [one.json() for one in [*socket.named("ack"), *socket.named("problem")]]
        return next((one for one in found if one.get("id") == number), None)

    await socket.says(json.dumps({"id": number, **command}))
    return dict(await eventually(answer))


async def test_a_post_is_acknowledged_when_it_is_stored(cast: Cast, ana: Person, ben: Person) -> None:
    """The author gets it twice, as ack and as entry; posting it again, also by HTTP, finds the same message."""
    room = await cast.share(ana, ben)
    socket, reader = await listens_at_socket(ana), await ben.listens()
    post = {"type": "post", "conversation": room, "body": "hi 🥨", "client_id": "once"}
    ack = await asks(socket, **post)
    assert (ack["type"], ack["message"]["body"], ack["message"]["author"]) == ("ack", "hi 🥨", ana.id)
    assert (await asks(socket, **post))["message"]["seq"] == ack["message"]["seq"]
    assert (await ana.says(room, "hi 🥨", "once"))["seq"] == ack["message"]["seq"]
    await reader.hears("hi 🥨")
    await socket.hears("hi 🥨")


async def test_everything_a_command_can_do(cast: Cast, ana: Person, ben: Person) -> None:
    """Edit, react, read, delete; the others see it."""
    room = await cast.share(ana, ben)
    said = await ana.says(room, "first")
    socket = await listens_at_socket(ana)
    where = {"conversation": room, "seq": said["seq"]}
    edited = await asks(socket, type="edit", **where, body="second")
    assert edited["message"]["body"] == "second"
    assert (await asks(socket, type="react", **where, emoji="👍"))["type"] == "ack"
    _, shown = await ben.call("GET", f"{C}/{room}/messages/{said['seq']}")
    assert shown["message"]["reactions"] == [{"emoji": "👍", "users": [ana.id]}]
    assert (await asks(socket, type="react", **where, emoji="👍", remove=True))["type"] == "ack"
    assert (await asks(socket, type="read", **where))["type"] == "ack"
    assert (await sees(ana))["conversations"][0]["read_seq"] == said["seq"]
    assert (await asks(socket, type="delete", **where))["type"] == "ack"
    _, shown = await ben.call("GET", f"{C}/{room}/messages/{said['seq']}")
    assert "reactions" not in shown["message"]
    assert shown["message"]["body"] == ""


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"type": "post", "body": "x", "client_id": "1", "conversation": 4711}, "not_found"),
        ({"type": "post", "body": " ", "client_id": "1", "conversation": 1}, "invalid"),
        ({"type": "post", "body": "x", "conversation": 1}, "invalid"),
        ({"type": "post", "body": "x", "client_id": "1", "conversation": "1"}, "invalid"),
        ({"type": "post", "body": "x", "client_id": "1", "conversation": 1, "color": "red"}, "invalid"),
        ({"type": "shout", "conversation": 1}, "invalid"),
        ({"conversation": 1}, "invalid"),
        ({"type": "edit", "conversation": 1, "seq": 1, "body": "x"}, "not_member"),
        ({"type": "delete", "conversation": 1, "seq": 9999}, "not_member"),
        ({"type": "react", "conversation": 1, "seq": 1, "emoji": "no emoji"}, "invalid"),
        ({"type": "read", "conversation": 4711, "seq": 1}, "not_found"),
    ],
)
async def test_a_refused_command_says_why(
    cast: Cast, ana: Person, ben: Person, mallory: Person, command: dict[str, Any], code: str
) -> None:
    """With the problem document that the route answers, and the id of the command; the socket stays open."""
    room = await cast.share(ana, ben)
    await ana.says(room, "private")
    socket = await listens_at_socket(mallory)
    problem = await asks(socket, **command)
    assert (problem["type"], problem["code"]) == ("problem", code)
    assert problem["status"] in (403, 404, 422)
    assert not socket.closed


async def test_commands_are_carried_out_in_their_order(cast: Cast, ana: Person, ben: Person) -> None:
    """Fifty posts sent at once are numbered as they were sent. Without an id only failures are answered."""
    room = await cast.share(ana, ben)
    socket, reader = await listens_at_socket(ana), await ben.listens()
    for n in range(50):
        await socket.says(json.dumps({"type": "post", "conversation": room, "body": f"{n}", "client_id": f"c{n}"}))
    await reader.hears(*[f"{n}" for n in range(50)])
    assert socket.named("ack") == []


async def test_limits_are_those_of_the_routes(database_url: str, redis_url: str) -> None:
    """The limit of posts counts both ways together."""
    async with (
        running_node(database_url, redis_url, rate_limits=True, rate_post="3/hour") as node,
        casting(database_url, node.url) as cast,
    ):
        (ana,) = await cast.enters("ana")
        room = await cast.share(ana)
        socket = await listens_at_socket(ana)
        await ana.says(room, "one")
        for n in range(2):
            post = {"type": "post", "conversation": room, "body": f"{n}", "client_id": f"c{n}"}
            assert (await asks(socket, **post))["type"] == "ack"
        problem = await asks(socket, type="post", conversation=room, body="x", client_id="x")
        assert (problem["code"], problem["status"], problem["retry_after"] > 0) == ("too_fast", 429, True)


async def test_a_key_needs_the_scope_for_its_commands(cast: Cast) -> None:
    """Reading the socket does not allow posting over it."""
    (ada,) = await cast.enters("ada", role="admin")
    status, made = await ada.call("POST", "/api/keys", {"name": "Reader", "scopes": ["messages:read"]})
    assert status == 201
    bot = Person(cast.http, ada.at, "bot", made["key"]["user"]["id"], made["secret"])
    room = await cast.share(ada, bot)
    socket = await listens_at_socket(bot)
    problem = await asks(socket, type="post", conversation=room, body="x", client_id="x")
    assert problem["code"] == "missing_scope"


async def test_a_command_whose_client_leaves_is_finished(cast: Cast, ana: Person, ben: Person) -> None:
    """It may have been stored already; the client finds out by posting it again."""
    room = await cast.share(ana, ben)
    socket, reader = await listens_at_socket(ana), await ben.listens()
    await socket.says(json.dumps({"type": "post", "conversation": room, "body": "bye", "client_id": "bye"}))
    assert socket.socket is not None
    await socket.socket.close()
    await reader.hears("bye")


async def test_the_four_line_client(cast: Cast, ana: Person, ben: Person, node: Node) -> None:
    """With `format=message` each frame is a message, and nothing else arrives: no ready, no beat, no other entry."""
    room = await cast.share(ana, ben)
    url = f"{node.url}/api/chat/socket?format=message"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {ana.token}"}) as http:
        async with http.ws_connect(url) as socket:
            await socket.send_json({"type": "post", "conversation": room, "body": "hello", "client_id": "1"})
            message = json.loads((await asyncio.wait_for(socket.receive(), 10)).data)
            assert (message["body"], message["author"], message["conversation"]) == ("hello", ana.id, room)
            await ben.call("PUT", f"{C}/{room}/messages/{message['seq']}/reactions/%F0%9F%91%8D")
            await ben.says(room, "hello too")
            assert json.loads((await asyncio.wait_for(socket.receive(), 10)).data)["body"] == "hello too"
            await socket.send_json({"type": "post", "conversation": room, "id": 7, "body": "", "client_id": "2"})
            problem = json.loads((await asyncio.wait_for(socket.receive(), 10)).data)
            assert (problem["type"], problem["id"]) == ("problem", 7)
        async with http.get(f"{node.url}/api/chat/socket?format=xml") as answer:
            assert answer.status in (400, 422, 426)
