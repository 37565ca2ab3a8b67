"""Incoming hooks: all who have the address post into one conversation, with what other programs send already."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.models.blocks import DividerBlock, HeaderBlock, SectionBlock
from slack_sdk.webhook import WebhookClient

from tests.cast import Cast, Person, casting
from tests.integrations.sender_payloads import SENDERS, Sent
from tests.nodes import Node, running_node
from tests.transfer.slack_export import shapes_as_markdown
from tests.verbs import CONVERSATIONS, begins, members_of, pages, removes_member, tries


async def hooks(person: Person, room: int, name: str = "Deploy") -> tuple[dict[str, Any], str]:
    """Make a hook; return it and its URL."""
    status, made = await person.call("POST", f"{CONVERSATIONS}/{room}/incoming-hooks", {"name": name})
    assert status == 201, made
    return made["hook"], made["url"]


async def delivers(person: Person, url: str, body: Any, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Deliver as a stranger; return the status, and `ok` or the error code."""
    data = body if isinstance(body, bytes) else json.dumps(body)
    kind = {"Content-Type": "application/json"}
    async with person._http.post(url, data=data, headers=kind | (headers or {})) as answer:
        text = await answer.text()
        return answer.status, text if answer.status == 200 else json.loads(text)["code"]


async def bodies(person: Person, room: int) -> list[str]:
    """Return the texts of the conversation's messages."""
    return [message["body"] for message in (await pages(person, room))["messages"]]


@pytest.mark.parametrize("name", SENDERS)
async def test_what_programs_send_already(name: str, ana: Person) -> None:
    """Their payload becomes a message that says the same, with links and without foreign markup."""
    sent: Sent = SENDERS[name]
    room = await begins(ana, "channel", "deploys")
    hook, url = await hooks(ana, room)
    assert await delivers(ana, url, sent.fields, sent.headers) == (200, "ok")
    (message,) = (await pages(ana, room))["messages"]
    assert message["body"] == sent.body
    assert message["author"] == hook["user"]


async def test_clients_of_slack_and_mattermost(ana: Person) -> None:
    """`slack_sdk` and `apprise` post with nothing but the address."""
    room = await begins(ana, "channel", "deploys")
    _, url = await hooks(ana, room)
    blocks = [HeaderBlock(text="Deploy"), DividerBlock(), SectionBlock(text="*v7* is live :tada:")]
    answer = await asyncio.to_thread(WebhookClient(url).send, text="v7", blocks=blocks)
    assert (answer.status_code, answer.body) == (200, "ok")
    apprise = Path(sys.executable).with_name("apprise")
    address = url.replace("http://", "mmost://").replace("/hooks/", "/")
    process = await asyncio.create_subprocess_exec(apprise, "--body", "The disk is full", address)
    assert await process.wait() == 0
    first, second = await bodies(ana, room)
    assert first.splitlines()[0] == "**Deploy**"
    assert first.endswith("**v7** is live \N{PARTY POPPER}")
    assert "The disk is full" in second


async def test_a_repeated_delivery_posts_once(ana: Person) -> None:
    """A sender that repeats a delivery with the same id finds its first message, also if it was cut into several."""
    room = await begins(ana, "channel", "deploys")
    _, url = await hooks(ana, room)
    long = "many words " * 3_000
    for id_, text in (("a", "one"), ("a", "one"), ("b", "one"), ("c", long), ("c", long)):
        assert await delivers(ana, url, {"text": text}, {"webhook-id": id_}) == (200, "ok")
    assert len(await bodies(ana, room)) == 2 + 3


async def test_too_much_text_is_cut(ana: Person) -> None:
    """The rest of a very long payload is left out, and the last message says so."""
    room = await begins(ana, "channel", "deploys")
    _, url = await hooks(ana, room)
    assert await delivers(ana, url, {"text": "words " * 30_000}) == (200, "ok")
    found = await bodies(ana, room)
    assert (len(found), "too long" in found[-1]) == (5, True)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid"),
        (b"no json", 422, "invalid"),
        (b"[" * 100_000, 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b'{"text": "\\u200b"}', 422, "invalid"),
        (b'{"blocks": 7, "attachments": {"text": []}}', 422, "invalid"),
        (b'{"something": "else"}', 422, "invalid"),
        (b'{"blocks": [{"type": "table", "rows": 7}]}', 422, "invalid"),
        (b'{"body": "words", "author": 1}', 422, "invalid"),
        (b'{"body": "", "streaming": true}', 422, "invalid"),
        (b'{"body": "", "data": {"a": 1, "a": 2}}', 422, "invalid"),
        (b'{"body": "", "data": {"order": 7}, "type": "order.shipped"}', 200, "ok"),
        (b'{"alerts": [[[{"labels": 1}]], 2], "status": "x"}', 200, "ok"),
        (b'{"text": "half \\ud83e of a character"}', 200, "ok"),
        (b'{"text": "' + b"x" * 600_000 + b'"}', 413, "too_large"),
    ],
)
async def test_hostile_payloads(body: bytes, status: int, code: str, ana: Person) -> None:
    """Each is posted or refused by name; the hook says why its last delivery was refused."""
    room = await begins(ana, "channel", "deploys")
    _, url = await hooks(ana, room)
    assert await delivers(ana, url, body) == (status, code)
    _, listed = await ana.call("GET", f"{CONVERSATIONS}/{room}/incoming-hooks")
    assert listed["hooks"][0]["problem"] == (code if status == 422 else "")


def test_a_payload_becomes_no_more_than_it_says() -> None:
    """A table with one wide row, a deep list and nested buttons do not become texts that are many times as long."""
    for number in (500, 4_000):
        assert max(map(len, shapes_as_markdown("x" * number))) < 100 * number


async def test_a_large_payload_costs_more(database_url: str, redis_url: str) -> None:
    """Each 16 KiB cost a post, because reading them takes time. Other payloads of the same hook wait then."""
    async with (
        running_node(database_url, redis_url, rate_limits=True, rate_post="40/hour") as node,
        casting(database_url, node.url) as cast,
    ):
        (ana,) = await cast.enters("ana")
        _, url = await hooks(ana, await begins(ana, "channel", "deploys"))
        assert await delivers(ana, url, {"text": "a" * 480_000}) == (200, "ok")
        assert await delivers(ana, url, {"text": "a" * 480_000}) == (429, "too_fast")
        assert await delivers(ana, url, {"text": "small"}) == (200, "ok")


async def test_a_form_with_a_payload(ana: Person) -> None:
    """Old senders of Slack's payload put it into the field of a form."""
    room = await begins(ana, "channel", "deploys")
    _, url = await hooks(ana, room)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert await delivers(ana, url, b"payload=%7B%22text%22%3A%22hello%22%7D", kind) == (200, "ok")
    assert await delivers(ana, url, b"&".join([b"a=1"] * 100), kind) == (422, "invalid")
    assert await bodies(ana, room) == ["hello"]


async def test_who_may_make_and_remove_hooks(ana: Person, ben: Person, mallory: Person) -> None:
    """Owners and admins, who also test them. A removed hook is unknown at once, and its bot leaves."""
    room = await begins(ana, "channel", "deploys", ben, private=True)
    hook, url = await hooks(ana, room)
    place = f"{CONVERSATIONS}/{room}/incoming-hooks"
    assert await tries(ben, "GET", place) == (403, "forbidden")
    assert await tries(ben, "POST", place, {"name": "mine"}) == (403, "forbidden")
    for path, method in ((place, "GET"), (f"{place}/{hook['id']}", "DELETE"), (f"{place}/{hook['id']}/test", "POST")):
        assert await tries(mallory, method, path) == (404, "not_found")
    assert await tries(ben, "POST", f"{place}/{hook['id']}/test") == (403, "forbidden")
    assert await tries(ana, "POST", f"{place}/{hook['id']}/test") == (204, "")
    assert await bodies(ben, room) == ["This is a test of the hook."]
    assert (await members_of(ana, room))[hook["user"]] == "member"
    assert await tries(ana, "DELETE", f"{place}/{hook['id']}") == (204, "")
    assert await delivers(ana, url, {"text": "late"}) == (404, "not_found")
    assert hook["user"] not in await members_of(ana, room)


async def test_a_bot_that_was_removed_posts_nothing(ana: Person) -> None:
    """The hook says why."""
    room = await begins(ana, "channel", "deploys", private=True)
    hook, url = await hooks(ana, room)
    bot = str(hook["user"])
    assert (await removes_member(ana, room, bot))[0] == 204
    assert await delivers(ana, url, {"text": "words"}) == (404, "not_found")
    _, listed = await ana.call("GET", f"{CONVERSATIONS}/{room}/incoming-hooks")
    assert listed["hooks"][0]["problem"] == "not_found"


async def test_a_loud_sender_is_slowed_down(database_url: str, redis_url: str) -> None:
    """Each hook has the rate of a user. Guessing addresses counts against the sender's address."""
    limits = {"rate_limits": True, "rate_post": "3/minute", "rate_stranger": "5/minute"}
    async with running_node(database_url, redis_url, **limits) as node, casting(database_url, node.url) as cast:
        (ana,) = await cast.enters("ana")
        room = await begins(ana, "channel", "deploys")
        (_, loud), (_, other) = await hooks(ana, room), await hooks(ana, room, "Other")
        found = [await delivers(ana, loud, {"text": "words"}) for _ in range(4)]
        assert found == [(200, "ok")] * 3 + [(429, "too_fast")]
        assert await delivers(ana, other, {"text": "words"}) == (200, "ok")
        guesses = [await delivers(ana, f"{node.url}/hooks/{n}", {"text": "words"}) for n in range(8)]
        assert guesses[0] == (404, "not_found")
        assert guesses[-1] == (429, "too_fast")


async def test_the_secret_is_in_no_log(database_url: str, redis_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither the log of requests nor the database has it."""
    async with (
        running_node(database_url, redis_url, log_requests="all") as node,
        casting(database_url, node.url) as cast,
    ):
        (ana,) = await cast.enters("ana")
        _, url = await hooks(ana, await begins(ana, "channel", "deploys"))
        secret = url.rpartition("/")[2]
        assert await delivers(ana, url, {"text": "words"}) == (200, "ok")
    told = "".join(capfd.readouterr())
    assert "/hooks/…" in told
    assert secret not in told


@pytest.fixture
async def ana(cast: Cast, node: Node) -> Person:
    """Ana, who makes hooks."""
    (ana,) = await cast.enters("ana")
    assert ana.at == node.url
    return ana
