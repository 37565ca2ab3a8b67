"""Commands of programs: a member calls a program by a slash command, and its reply is a message or for them alone."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from standardwebhooks import Webhook

from chat.api_schema.moderation import NewOutgoingHook
from tests.cast import Cast, Person, casting
from tests.integrations.receivers import Receiver, receiving
from tests.integrations.test_slash_commands import refused, runs, says
from tests.nodes import running_node
from tests.verbs import CONVERSATIONS, begins, pages, removes_member, tries
from tests.waiting import eventually

Json = dict[str, Any]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A program that members call."""
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def stage(database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cast]:
    """Users of a node that may reach programs on loopback, and waits for them as long as a busy machine needs."""
    monkeypatch.setattr("chat.integrations.deliveries.COMMAND_SECONDS", 60.0)
    async with (
        running_node(database_url, redis_url, hooks_allow=["127.0.0.1"]) as node,
        casting(database_url, node.url) as cast,
    ):
        yield cast


async def adds(person: Person, room: int, url: str, name: str = "deploy", **more: object) -> Json:
    """Add a command of a program; return its hook and its secret."""
    form = {"url": url, "command": name, "hint": "[version]", "description": "Deploy a version"} | more
    status, made = await person.call("POST", f"{CONVERSATIONS}/{room}/hooks", form)
    assert status == 201, made
    NewOutgoingHook.model_validate(made)
    return dict(made)


async def test_a_program_adds_a_command(stage: Cast, receiver: Receiver) -> None:
    """The signed request says who called what. The reply is posted by its bot, once for each request."""
    ana, ben = await stage.enters("ana", "ben")
    room = await begins(ana, "channel", "deploys", ben)
    made = await adds(ana, room, f"{receiver.url}/ok")
    assert (made["hook"]["command"], made["hook"]["events"]) == ("deploy", [])
    _, listed = await ben.call("GET", f"{CONVERSATIONS}/{room}/commands")
    shown = {"name": "deploy", "hint": "[version]", "description": "Deploy a version"}
    assert listed["commands"][0] == shown
    receiver.reply = {"body": "Deploying **v7**"}
    for _ in range(2):
        status, answer = await runs(ben, room, "/deploy v7 to production", client_id="c-1")
        assert (status, answer["text"], answer["message"]["body"]) == (201, "", "Deploying **v7**")
    assert [one["author"] for one in (await pages(ana, room))["messages"]] == [made["hook"]["user"]]
    (_, headers, body), (_, again, _) = receiver.calls
    event = Webhook(made["secret"]).verify(body, headers)
    assert (event["type"], event["conversation"], event["user"]["name"]) == ("command", room, "ben")
    assert event["data"] == {"command": "deploy", "text": "v7 to production", "thread": None}
    assert headers["webhook-id"] == again["webhook-id"]
    await ben.says(room, "events do not reach a command")
    assert len(receiver.calls) == 2


async def test_a_reply_for_the_caller_alone(stage: Cast, receiver: Receiver) -> None:
    """No one else gets it: neither as a message nor in the list of deliveries. A program may also answer nothing."""
    ana, ben = await stage.enters("ana", "ben")
    room = await begins(ana, "channel", "deploys", ben)
    hook = (await adds(ana, room, f"{receiver.url}/ok"))["hook"]["id"]
    receiver.reply = {"body": "Your token is 4711", "visible_to": "caller"}
    assert await says(ben, room, "/deploy token") == "Your token is 4711"
    assert (await pages(ana, room))["messages"] == []
    _, listed = await ana.call("GET", f"{CONVERSATIONS}/{room}/hooks/{hook}/deliveries")
    assert [(one["event"], one["status"], one["answer"]) for one in listed["deliveries"]] == [("command", 200, "")]
    receiver.reply = None
    assert await says(ben, room, "/deploy") == "/deploy was sent."
    receiver.reply = {"body": "in the thread"}
    await ana.says(room, "Ship it?")
    status, answer = await runs(ben, room, "/deploy now", thread=1)
    assert (status, answer["message"]["thread"]) == (201, 1)


async def test_a_program_that_fails(stage: Cast, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller is told the reason, without the address; owners see all of it. A slow program is not waited for."""
    ana, ben = await stage.enters("ana", "ben")
    room = await begins(ana, "channel", "deploys", ben)
    hook = (await adds(ana, room, f"{receiver.url}/ok"))["hook"]
    receiver.answers = [500]
    status, problem = await runs(ben, room, "/deploy")
    assert (status, problem["code"]) == (424, "command_failed")
    assert problem["detail"] == "The program answered with status 500."
    receiver.reply = {"body": "x" * 20_000}
    assert "not posted" in (await runs(ben, room, "/deploy"))[1]["detail"]
    change = f"{CONVERSATIONS}/{room}/hooks/{hook['id']}"
    for path, reason in (("/redirect", "with status 302"), ("/slow", "within 0.2 s"), (":1/closed", "not be reached")):
        monkeypatch.setattr("chat.integrations.deliveries.COMMAND_SECONDS", 0.2 if path == "/slow" else 60.0)
        at = f"{receiver.url}{path}" if path[0] == "/" else f"http://127.0.0.1{path}"
        assert (await ana.call("PATCH", change, {"url": at}))[0] == 204
        told = (await runs(ben, room, "/deploy"))[1]["detail"]
        assert reason in told
        assert "127.0.0.1" not in told
    _, listed = await ana.call("GET", f"{change}/deliveries")
    assert "127.0.0.1" in listed["deliveries"][0]["problem"]
    assert all(path != "/inside" for path, *_ in receiver.calls)
    await removes_member(ana, room, Person(stage.http, ana.at, "bot", hook["user"], ""))
    _, listed = await ben.call("GET", f"{CONVERSATIONS}/{room}/commands")
    assert "deploy" not in {one["name"] for one in listed["commands"]}
    assert "removed from the conversation" in (await runs(ben, room, "/deploy"))[1]["detail"]


async def test_who_adds_and_calls_commands(stage: Cast, receiver: Receiver) -> None:
    """Owners and admins add them, with free names, at public addresses. Members who may post call them."""
    ana, ben, mallory = await stage.enters("ana", "ben", "mallory")
    room, other = await begins(ana, "channel", "deploys", ben), await begins(ana, "channel", "kitchen", ben)
    place, good = f"{CONVERSATIONS}/{room}/hooks", f"{receiver.url}/ok"
    assert await tries(ben, "POST", place, {"url": good, "command": "deploy"}) == (403, "forbidden")
    assert await tries(mallory, "POST", place, {"url": good, "command": "deploy"}) == (404, "not_found")
    await adds(ana, room, good)
    for form in (
        {"command": "deploy"},  # taken
        {"command": "remind"},  # built in
        {"command": "Deploy"},
        {"command": "1st"},
        {"command": "ship", "events": ["message"]},
        {"command": "ship", "hint": "x" * 101},
        {"command": "ship", "url": "https://10.0.0.1/"},
    ):
        assert await tries(ana, "POST", place, {"url": good} | form) == (422, "invalid"), form
    assert await refused(ben, other, "/deploy") == (404, "unknown_command")
    await adds(ana, other, good)
    hook = (await ana.call("GET", place))[1]["hooks"][0]["id"]
    assert (await ana.call("PATCH", f"{place}/{hook}", {"enabled": False}))[0] == 204
    assert await refused(ben, room, "/deploy") == (404, "unknown_command")
    assert (await ana.call("GET", place))[1]["hooks"][0]["state"] == "disabled"
    assert await tries(ana, "PATCH", f"{place}/{hook}", {"events": ["message"]}) == (422, "invalid")
    assert (await ana.call("PATCH", f"{place}/{hook}", {"enabled": True}))[0] == 204
    await ana.call("PATCH", f"{CONVERSATIONS}/{room}", {"read_only": True})
    assert await refused(ben, room, "/deploy") == (403, "read_only")
    await ana.call("PATCH", f"{CONVERSATIONS}/{room}", {"read_only": False, "archived": True})
    assert await refused(ben, room, "/deploy") == (403, "archived")
    assert receiver.calls == []
    assert (await ana.call("DELETE", f"{CONVERSATIONS}/{other}/hooks/{hook + 1}"))[0] == 204
    assert await refused(ben, other, "/deploy") == (404, "unknown_command")


async def test_commands_at_once_are_limited(stage: Cast, receiver: Receiver) -> None:
    """Five of a program that hangs; another one is refused at once, and answers again when those have ended."""
    ana, ben = await stage.enters("ana", "ben")
    room = await begins(ana, "channel", "deploys", ben)
    await adds(ana, room, f"{receiver.url}/slow")
    calls = [asyncio.create_task(runs(ben, room, f"/deploy {n}")) for n in range(5)]
    await eventually(lambda: len(receiver.calls) == 5)
    status, problem = await runs(ana, room, "/deploy")
    assert (status, "Too many commands" in problem["detail"]) == (424, True)
    receiver.go.set()
    assert [status for status, _ in await asyncio.gather(*calls)] == [200] * 5
    assert await says(ana, room, "/deploy") == "/deploy was sent."
