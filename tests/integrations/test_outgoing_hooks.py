"""Outgoing hooks: another program gets what happens in a conversation, signed and in order, and its answer is posted.

Receivers that fail, hang, redirect or answer too much are bounded, retried and disabled. No request leaves for an
address that is not public.
"""

import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import ResolveResult
from standardwebhooks import Webhook

from chat.api_schema.moderation import (
    Delivered,
    HookDeliveries,
    NewOutgoingHook,
    OutgoingHooks,
    SubscriptionPage,
)
from chat.app import TASKS
from tests.cast import Cast, Person, casting
from tests.integrations.receivers import Receiver, receiving
from tests.nodes import Node, running_node
from tests.verbs import CONVERSATIONS, begins, deletes, edits, members_of, pages, reacts, removes_member, tries
from tests.waiting import eventually

LOOPBACK = {"hooks_allow": ["127.0.0.1"]}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed deliveries are tried again at once."""
    monkeypatch.setattr("chat.integrations.deliveries.FIRST_WAIT", 0.01)
    monkeypatch.setattr("chat.log.subscriptions.CLAIM_SECONDS", 0.05)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A program that receives."""
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def stage(database_url: str, redis_url: str) -> AsyncIterator[tuple[Node, Cast]]:
    """A node that may reach receivers on loopback, and its users."""
    async with running_node(database_url, redis_url, **LOOPBACK) as node, casting(database_url, node.url) as cast:
        yield node, cast


def place(room: int, *more: object) -> str:
    """Return the path of the conversation's outgoing hooks."""
    return "/".join(map(str, (f"{CONVERSATIONS}/{room}/hooks", *more)))


async def hooks(person: Person, room: int, url: str, *events: str) -> tuple[int, str]:
    """Make a hook; return its id and its secret."""
    status, made = await person.call("POST", place(room), {"url": url, **({"events": [*events]} if events else {})})
    assert status == 201, made
    NewOutgoingHook.model_validate(made)
    return made["hook"]["id"], made["secret"]


async def state_of(person: Person, room: int) -> dict[str, Any]:
    """Return the conversation's only hook."""
    _, listed = await person.call("GET", place(room))
    OutgoingHooks.model_validate(listed)
    (hook,) = listed["hooks"]
    return dict(hook)


async def deliveries(person: Person, room: int, hook: int) -> list[dict[str, Any]]:
    """Return the last deliveries of a hook, the newest first."""
    _, listed = await person.call("GET", place(room, hook, "deliveries"))
    HookDeliveries.model_validate(listed)
    return list(listed["deliveries"])


async def test_events_arrive_signed_and_in_order(stage: tuple[Node, Cast], receiver: Receiver) -> None:
    """The library of Standard Webhooks accepts them. Only the events asked for, of this conversation, are sent."""
    _, cast = stage
    ana, ben = await cast.enters("ana", "ben")
    room, other = await begins(ana, "channel", "deploys", ben), await begins(ana, "channel", "lunch")
    _, secret = await hooks(ana, room, f"{receiver.url}/ok", "message", "edit", "delete")
    await ana.says(other, "not for the hook")
    for n in range(5):
        await ben.says(room, f"hello {n}")
    await edits(ben, room, 1, "hello again")
    await reacts(ana, room, 2, "👍")
    await deletes(ben, room, 3)
    await eventually(lambda: len(receiver.calls) == 7)
    assert [event["type"] for event in receiver.events] == ["message"] * 5 + ["edit", "delete"]
    assert [event["data"]["seq"] for event in receiver.events] == [1, 2, 3, 4, 5, 1, 3]
    assert receiver.events[0]["user"] == {"id": ben.id, "name": "ben", "display_name": ben.name.title()}
    for _, headers, body in receiver.calls:
        Webhook(secret).verify(body.decode(), {name.lower(): value for name, value in headers.items()})
    assert len({headers["webhook-id"] for _, headers, _ in receiver.calls}) == 7
    assert (await state_of(ana, room))["state"] == "running"


async def test_a_reply_is_posted_once_and_calls_no_hook(stage: tuple[Node, Cast], receiver: Receiver) -> None:
    """The answer `{body, data?}` becomes a message of the hook's bot; two hooks do not answer each other."""
    _, cast = stage
    (ana,) = await cast.enters("ana")
    room = await begins(ana, "channel", "deploys")
    receiver.reply = {"body": "Deployed **v7**", "data": {"build": 7}, "type": "deploy.done"}
    hook, _ = await hooks(ana, room, f"{receiver.url}/one")
    await hooks(ana, room, f"{receiver.url}/two")
    await ana.says(room, "deploy v7")
    await eventually(lambda: len(receiver.calls) == 2)

    async def replies() -> list[dict[str, Any]]:
        found = (await pages(ana, room))["messages"]
        return [message for message in found if message["author"] != ana.id]

    await eventually(lambda: has(replies, 2))
    first = (await deliveries(ana, room, hook))[0]
    status, again = await ana.call("POST", place(room, hook, "deliveries", first["id"], "redeliver"))
    assert (status, Delivered.model_validate(again).delivery.webhook_id) == (200, first["webhook_id"])
    assert receiver.calls[-1][1]["webhook-id"] == first["webhook_id"]
    assert len(receiver.calls) == 3  # neither reply has called a hook
    found = await replies()
    assert len(found) == 2
    assert {message["body"] for message in found} == {"Deployed **v7**"}
    assert found[0]["data"] == {"build": 7}
    assert {message["author"] for message in found} < set(await members_of(ana, room))


async def has(read: Any, count: int) -> bool:
    """Return whether this reads so many."""
    return len(await read()) == count


BAD_REPLIES: list[tuple[Any, str]] = [
    ({"body": "x" * 20_000}, "not posted"),
    ({"data": [1]}, "not posted"),
    ({"text": "of another program"}, ""),
    ([1, 2], ""),
    ("words", ""),
]


async def test_bad_replies_are_noted(stage: tuple[Node, Cast], receiver: Receiver) -> None:
    """The event counts as delivered; the list of deliveries says why its reply was not posted."""
    _, cast = stage
    (ana,) = await cast.enters("ana")
    room = await begins(ana, "channel", "deploys")
    hook, _ = await hooks(ana, room, f"{receiver.url}/ok")
    for receiver.reply, problem in BAD_REPLIES:
        status, tested = await ana.call("POST", place(room, hook, "test"))
        assert (status, tested["delivery"]["status"]) == (200, 200)
        assert problem in tested["delivery"]["problem"]
        assert bool(problem) == bool(tested["delivery"]["problem"])
    assert (await pages(ana, room))["messages"] == []


async def test_failed_deliveries_are_repeated_in_order(stage: tuple[Node, Cast], receiver: Receiver) -> None:
    """After 500, 503 and 302 the same event arrives again with the same id, and the next one only after it."""
    _, cast = stage
    (ana,) = await cast.enters("ana")
    room = await begins(ana, "channel", "deploys")
    hook, _ = await hooks(ana, room, f"{receiver.url}/ok")
    receiver.answers = [500, 503, 302]
    await ana.says(room, "one")
    await ana.says(room, "two")
    await eventually(lambda: len(receiver.calls) == 5)
    assert receiver.texts == ["one"] * 4 + ["two"]
    assert len({headers["webhook-id"] for _, headers, _ in receiver.calls}) == 2
    noted = (await deliveries(ana, room, hook))[::-1]
    assert [one["status"] for one in noted[:3]] == [500, 503, 302]
    assert noted[0]["answer"] == "not now"
    assert "Redirects are not followed" in noted[2]["problem"]


async def test_a_dead_receiver_is_disabled_and_continues_later(
    database_url: str, redis_url: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its time the hook is off, and the activity log says so. Turned on, it gets what it missed."""
    monkeypatch.setattr("chat.integrations.deliveries.PATIENCE_SECONDS", 0.2)
    async with running_node(database_url, redis_url, **LOOPBACK) as node, casting(database_url, node.url) as cast:
        ana, root = *await cast.enters("ana"), *await cast.enters("root", role="admin")
        room = await begins(ana, "channel", "deploys")
        hook, _ = await hooks(ana, room, f"{receiver.url}/ok")
        receiver.answers = [500] * 100
        await ana.says(room, "one")
        await eventually(lambda: is_in(ana, room, "disabled"))
        receiver.answers.clear()
        asked = len(receiver.calls)
        await ana.says(room, "two")
        assert (await state_of(ana, room))["problem"] == "Status 500."
        _, notes = await ana.call("GET", f"{CONVERSATIONS}/{room}/audit")
        assert notes["rows"][0]["action"] == "hook.disable"
        _, told = await root.call("GET", "/api/subscriptions")
        (row,) = SubscriptionPage.model_validate(told).subscriptions
        assert (row.target, row.state, row.waiting) == (f"hook:{hook}", "disabled", 2)
        assert await tries(ana, "GET", "/api/subscriptions") == (403, "admins_only")
        assert await tries(ana, "PATCH", place(room, hook), {"enabled": True}) == (204, "")
        await eventually(lambda: receiver.texts[asked:] == ["one", "two"])
        await eventually(lambda: is_in(ana, room, "running"))


async def is_in(person: Person, room: int, state: str) -> bool:
    """Return whether the conversation's hook is in this state."""
    return bool((await state_of(person, room))["state"] == state)


async def test_receivers_that_misbehave_are_bounded(
    stage: tuple[Node, Cast], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirect is not followed, ten megabytes are not read, and a receiver that hangs is left after its time."""
    _, cast = stage
    (ana,) = await cast.enters("ana")
    room = await begins(ana, "channel", "deploys")
    found = {}
    for path in ("redirect", "huge", "slow", "gone"):
        monkeypatch.setattr("chat.integrations.deliveries.SECONDS", 0.3 if path == "slow" else 30.0)
        hook, _ = await hooks(ana, room, f"{receiver.url}/{path}")
        receiver.answers = [410] if path == "gone" else []
        _, tested = await ana.call("POST", place(room, hook, "test"))
        found[path] = tested["delivery"]
    assert {path: one["status"] for path, one in found.items()} == {
        "redirect": 302,
        "huge": 200,
        "slow": None,
        "gone": 410,
    }
    assert "No answer within 0.3 s" in found["slow"]["problem"]
    assert found["huge"]["answer"] == ""
    assert receiver.sent < 10 * 1024 * 1024
    assert "/inside" not in {path for path, _, _ in receiver.calls}


async def test_a_receiver_that_is_gone_is_disabled_at_once(stage: tuple[Node, Cast], receiver: Receiver) -> None:
    """410 says so, by Standard Webhooks. A hook whose bot was removed is disabled too: it may not read any more."""
    _, cast = stage
    (ana,) = await cast.enters("ana")
    gone, left = await begins(ana, "channel", "gone"), await begins(ana, "channel", "left", private=True)
    await hooks(ana, gone, f"{receiver.url}/ok")
    receiver.answers = [410]
    await ana.says(gone, "one")
    await eventually(lambda: is_in(ana, gone, "disabled"))
    await hooks(ana, left, f"{receiver.url}/ok")
    bot = (await state_of(ana, left))["user"]
    assert (await removes_member(ana, left, str(bot)))[0] == 204
    await ana.says(left, "a secret")
    await eventually(lambda: is_in(ana, left, "disabled"))
    assert receiver.texts == ["one"]


async def test_a_text_that_was_deleted_meanwhile_is_not_sent(stage: tuple[Node, Cast], receiver: Receiver) -> None:
    """While the hook was off, a message was deleted and another one edited: their old texts stay secret."""
    _, cast = stage
    (ana,) = await cast.enters("ana")
    room = await begins(ana, "channel", "deploys")
    hook, _ = await hooks(ana, room, f"{receiver.url}/ok")
    assert await tries(ana, "PATCH", place(room, hook), {"enabled": False}) == (204, "")
    await ana.says(room, "a secret")
    await deletes(ana, room, 1)
    await ana.says(room, "a slip")
    await edits(ana, room, 2, "fine")
    assert await tries(ana, "PATCH", place(room, hook), {"enabled": True, "events": ["message"]}) == (204, "")
    await eventually(lambda: len(receiver.calls) == 2)
    assert receiver.texts == ["", "fine"]


async def test_who_may_manage_outgoing_hooks(stage: tuple[Node, Cast], receiver: Receiver) -> None:
    """Owners and admins. A removed hook gets nothing more, and its bot leaves."""
    _, cast = stage
    ana, ben, mallory = await cast.enters("ana", "ben", "mallory")
    room = await begins(ana, "channel", "deploys", ben, private=True)
    hook, _ = await hooks(ana, room, f"{receiver.url}/ok")
    for method, path, body in (
        ("GET", place(room), None),
        ("POST", place(room), {"url": receiver.url}),
        ("PATCH", place(room, hook), {"url": receiver.url}),
        ("DELETE", place(room, hook), None),
        ("POST", place(room, hook, "test"), None),
        ("GET", place(room, hook, "deliveries"), None),
        ("POST", place(room, hook, "deliveries", 1, "redeliver"), None),
    ):
        assert await tries(ben, method, path, body) == (403, "forbidden")
        assert await tries(mallory, method, path, body) == (404, "not_found")
    bot = (await state_of(ana, room))["user"]
    assert await tries(ana, "DELETE", place(room, hook)) == (204, "")
    assert bot not in await members_of(ana, room)
    await ana.says(room, "late")
    assert await tries(ana, "POST", place(room, hook, "test")) == (404, "not_found")
    assert receiver.calls == []


async def test_another_node_continues_after_a_death(
    database_url: str, redis_url: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node that reads dies in the middle of a delivery and keeps its lease for a while. Nothing is lost."""
    monkeypatch.setattr("chat.log.subscriptions.LEASE_SECONDS", 1.0)
    monkeypatch.setattr("chat.log.subscriptions.RENEW_SECONDS", 0.2)
    async with running_node(database_url, redis_url, **LOOPBACK) as first, casting(database_url, first.url) as cast:
        (ana,) = await cast.enters("ana")
        room = await begins(ana, "channel", "deploys")
        await hooks(ana, room, f"{receiver.url}/slow")
        await ana.says(room, "one")
        await eventually(lambda: len(receiver.calls) == 1)
        (dying,) = [task for task in first.app[TASKS]._running if task.get_name() == "read subscriptions"]
        monkeypatch.setattr("chat.log.subscriptions.Subscriptions._release", nothing)  # as a death would have it
        dying.cancel()
        async with running_node(database_url, redis_url, node="b2", **LOOPBACK):
            await ana.says(room, "two")
            receiver.go.set()
            await eventually(lambda: receiver.texts == ["one", "one", "two"])
        assert len({headers["webhook-id"] for _, headers, _ in receiver.calls}) == 2


async def nothing(*_: object) -> None:
    """Do nothing."""


async def test_a_name_that_moves_to_a_private_address_is_refused(
    stage: tuple[Node, Cast], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leads to a public address when the hook is made, and to this machine when the hook is called."""
    _, cast = stage
    (ana,) = await cast.enters("ana")
    room = await begins(ana, "channel", "deploys")
    answers = ["93.184.216.34", "127.0.0.2", "127.0.0.2"]

    async def resolve(_self: object, host: str, port: int = 0, _family: int = 0) -> list[ResolveResult]:
        found: ResolveResult = {
            "hostname": host,
            "host": answers.pop(0),
            "port": port,
            "family": socket.AF_INET,
            "proto": 0,
            "flags": 0,
        }
        return [found]

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)
    hook, _ = await hooks(ana, room, "https://hooks.example.com/in")
    _, tested = await ana.call("POST", place(room, hook, "test"))
    assert tested["delivery"]["status"] is None
    assert "not a public address" in tested["delivery"]["problem"]
    status, problem = await ana.call("POST", place(room), {"url": "https://hooks.example.com/in"})
    assert (status, problem["errors"][0]["field"]) == (422, "url")
