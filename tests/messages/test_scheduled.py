"""Scheduled messages: posted once at their time, as their author; what cannot be posted stays with its reason."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from aiohttp import web

from chat.files.uploads import ABANDONED_SECONDS
from chat.files.uploads import queries as files
from chat.messages.scheduled import SCHEDULED, SCHEDULED_MOST
from tests.accounts.systems import makes_key
from tests.cast import Cast, Person
from tests.files.sending import sends
from tests.nodes import running_node
from tests.verbs import CONVERSATIONS, begins, blocks, pages, removes_member, tries
from tests.waiting import eventually

Json = dict[str, Any]
PATH = "/api/chat/scheduled"
LATER = (datetime.now(UTC) + timedelta(days=2)).isoformat()


def client_id(body: str) -> str:
    """Return an id that is the same for the same text."""
    return "c-" + "".join(letter if letter.isalnum() else "-" for letter in body)


async def schedules(person: Person, room: int, body: str, at: str = LATER, **more: object) -> Json:
    """Schedule a message; return it."""
    form = {"conversation": room, "body": body, "at": at, "client_id": client_id(body)} | more
    status, answer = await person.call("POST", PATH, form)
    assert status in (200, 201), answer
    return dict(answer["scheduled"])


async def waiting(person: Person) -> list[Json]:
    """Return the scheduled messages."""
    status, answer = await person.call("GET", PATH)
    assert status == 200, answer
    return list(answer["scheduled"])


def comes_due(database_url: str) -> None:
    """Let all scheduled messages be due."""
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute("update scheduled_messages set at = now()")


async def said_in(person: Person, room: int) -> list[str]:
    """Return the texts in a conversation."""
    return [message["body"] for message in (await pages(person, room))["messages"]]


async def test_a_scheduled_message_is_posted_at_its_time(ana: Person, ben: Person) -> None:
    """As its author, with its files, in its thread; it mentions users, and leaves the list."""
    room = await begins(ana, "channel", "kitchen", ben)
    await ben.says(room, "Who cooks?")
    file = await sends(ana, b"recipe")
    hers, reader = await ana.listens(), await ben.listens()
    soon = (datetime.now(UTC) + timedelta(seconds=0.7)).isoformat()
    made = await schedules(ana, room, "Me, @ben", soon, thread=1, files=[file["id"]])
    assert (made["body"], made["thread"], made["files"][0]["name"]) == ("Me, @ben", 1, "notes.txt")
    await reader.hears("Me, @ben")
    (message,) = reader.messages()
    assert (message["author"], message["client_id"], message["thread"]) == (ana.id, made["client_id"], 1)
    assert (message["mentions"], message["files"][0]["id"]) == ([ben.id], file["id"])
    await eventually(lambda: len(hers.named("scheduled")) == 2)
    assert [one.json()["state"] for one in hers.named("scheduled")] == ["waiting", None]
    assert reader.named("scheduled") == []
    assert await waiting(ana) == []


async def test_a_repeated_request_schedules_and_posts_once(ana: Person) -> None:
    """With the same `client_id`, also when the message is posted already."""
    room = await begins(ana, "channel", "kitchen")
    first = await schedules(ana, room, "soup")
    assert await schedules(ana, room, "soup") == first
    assert (await ana.call("POST", f"{PATH}/{first['id']}/send"))[0] == 201
    again = {"conversation": room, "body": "soup", "at": LATER, "client_id": "c-soup"}
    assert await tries(ana, "POST", PATH, again) == (409, "already_sent")
    assert await tries(ana, "POST", f"{PATH}/{first['id']}/send") == (404, "not_found")
    assert await said_in(ana, room) == ["soup"]


async def test_a_forward_can_be_scheduled_and_moved(ana: Person) -> None:
    """It needs no text of its own, and carries the text that the original has when it is sent."""
    room = await begins(ana, "channel", "kitchen")
    await ana.says(room, "cake")
    made = await schedules(ana, room, "", forward={"conversation": room, "seq": 1})
    path = f"{PATH}/{made['id']}"
    assert (await ana.call("PATCH", path, {"at": (datetime.now(UTC) + timedelta(days=7)).isoformat()}))[0] == 200
    status, sent = await ana.call("POST", f"{path}/send")
    assert (status, sent["message"]["data"]) == (201, {"text": "cake"})


async def test_it_can_be_changed_and_removed_until_then(ana: Person, mallory: Person, database_url: str) -> None:
    """Only by its author. Its files are spared by the clean-up, and stay the author's after a removal."""
    room, file = await begins(ana, "channel", "kitchen"), await sends(ana, b"recipe")
    made = await schedules(ana, room, "soup", files=[file["id"]])
    path = f"{PATH}/{made['id']}"
    for method, body in (("PATCH", {"body": "x"}), ("DELETE", None)):
        assert await tries(mallory, method, path, body) == (404, "not_found")
    assert (await waiting(mallory), await tries(mallory, "POST", f"{path}/send")) == ([], (404, "not_found"))
    next_week = (datetime.now(UTC) + timedelta(days=7)).isoformat(timespec="milliseconds")
    status, answer = await ana.call("PATCH", path, {"body": "stew", "at": next_week})
    assert (status, answer["scheduled"]["body"]) == (200, "stew")
    assert datetime.fromisoformat(answer["scheduled"]["at"]) == datetime.fromisoformat(next_week)
    assert await tries(ana, "PATCH", path, {"body": "", "files": []}) == (422, "invalid")
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute("update files set touched_at = now() - interval '3 days'")
        database.execute(files.remove_abandoned, [ABANDONED_SECONDS])
        assert await tries(ana, "DELETE", path) == (204, "")
        database.execute(files.remove_abandoned, [ABANDONED_SECONDS])
        assert database.execute("select count(*) from files where removed_at is null").fetchone() == (1,)
    assert (await waiting(ana), await tries(ana, "DELETE", path)) == ([], (404, "not_found"))


async def test_what_cannot_be_scheduled(ana: Person, mallory: Person, database_url: str) -> None:
    """A time in the past or beyond a year, nothing to say, someone else's file or conversation, and too many."""
    room = await begins(ana, "channel", "kitchen", private=True)
    file = await sends(mallory, b"hers")
    good = {"conversation": room, "body": "soup", "at": LATER, "client_id": "1"}
    for wrong in (
        {"at": "2020-01-01T00:00:00Z"},
        {"at": (datetime.now(UTC) + timedelta(days=367)).isoformat()},
        {"body": "\u200b"},
        {"streaming": True},
        {"files": [file["id"]]},
        {"thread": 5},
    ):
        assert await tries(ana, "POST", PATH, good | wrong) == (422, "invalid"), wrong
    assert await tries(mallory, "POST", PATH, good) == (404, "not_found")
    await schedules(ana, room, "first")
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute(
            "insert into scheduled_messages (user_id, conversation_id, client_id, at, draft, files)"
            " select user_id, conversation_id, 'n' || n, at, draft, files"
            "   from scheduled_messages, generate_series(2, %s) n",
            [SCHEDULED_MOST],
        )
    assert await tries(ana, "POST", PATH, good) == (409, "too_many_scheduled")


async def test_what_cannot_be_posted_stays_with_its_reason(ana: Person, ben: Person, database_url: str) -> None:
    """A member who was removed, or blocked, or whose account was disabled. A new time is another chance."""
    room, direct = await begins(ana, "channel", "kitchen", ben), await begins(ben, "direct", "", ana)
    phone = await ben.listens()
    await schedules(ben, room, "soup")
    await schedules(ben, direct, "stew")
    assert (await removes_member(ana, room, ben))[0] == 204
    await blocks(ana, ben)
    comes_due(database_url)
    await schedules(ana, room, "wakes the node")

    async def failed() -> bool:
        return [one.get("problem", {}).get("code") for one in await waiting(ben)] == ["not_member", "blocked"]

    await eventually(failed, 30)
    await eventually(lambda: len(phone.named("scheduled")) == 4)
    assert [one.json()["state"] for one in phone.named("scheduled")] == ["waiting", "waiting", "failed", "failed"]
    first, second = await waiting(ben)
    assert await tries(ben, "POST", f"{PATH}/{second['id']}/send") == (403, "blocked")
    assert (await ben.call("PUT", f"{CONVERSATIONS}/{room}/members/me", {}))[0] in (200, 201)
    status, answer = await ben.call("PATCH", f"{PATH}/{first['id']}", {"at": LATER})
    assert (status, "problem" in answer["scheduled"]) == (200, False)
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute("update users set disabled_at = now() where id = %s", [ben.id])
        database.execute("update scheduled_messages set at = now() where id = %s", [first["id"]])
        await schedules(ana, room, "wakes it again")

        def disabled() -> bool:
            row = database.execute("select problem from scheduled_messages where id = %s", [first["id"]]).fetchone()
            return "author_disabled" in str(row)

        await eventually(disabled, 30)
    assert "soup" not in await said_in(ana, room)


async def test_a_revoked_key_posts_nothing_later(cast: Cast, database_url: str) -> None:
    """What its bot has scheduled stays unsent when it is due; what the bot of another key has scheduled is sent."""
    (ada,) = await cast.enters("ada", role="admin")
    revoked, other = [await makes_key(ada, cast, "messages:read", "messages:write") for _ in range(2)]
    room = await begins(ada, "channel", "kitchen", revoked, other)
    for bot in (revoked, other):
        await schedules(bot, room, f"from {bot.name}")
    _, listed = await ada.call("GET", "/api/keys")
    (key,) = [one["id"] for one in listed["keys"] if one["user"]["id"] == revoked.id]
    assert await tries(ada, "DELETE", f"/api/keys/{key}") == (204, "")
    comes_due(database_url)
    with psycopg.connect(database_url, autocommit=True) as database:
        find = "select problem::json ->> 'code' from scheduled_messages"
        await eventually(lambda: database.execute(find).fetchall() == [("author_disabled",)])
    assert await said_in(ada, room) == [f"from {other.name}"]


async def test_nodes_that_stop_post_each_once(database_url: str, redis_url: str, cast: Cast) -> None:
    """One that is taken cannot be changed; one that was posted before its node died is not posted again."""
    (ana,) = await cast.enters("ana")
    room = await begins(ana, "channel", "kitchen")
    for n in range(10):
        await schedules(ana, room, f"n{n}")
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute("create table kept as select * from scheduled_messages")
        database.execute("update scheduled_messages set taken_until = now() + interval '1 hour', attempted = true")
        (first, *_) = await waiting(ana)
        for method, body in (("PATCH", {"body": "x"}), ("DELETE", None)):
            assert await tries(ana, method, f"{PATH}/{first['id']}", body) == (409, "being_sent")
        database.execute("update scheduled_messages set taken_until = now() - interval '1 second', at = now()")
        async with running_node(database_url, redis_url, node="b1") as node:
            await eventually(lambda: count(database) == 0, 30)
            # as if the node had died before it deleted them
            database.execute("insert into scheduled_messages overriding system value select * from kept")
            database.execute("update scheduled_messages set at = now()")
            await deliver_all(node.app)
        await eventually(lambda: count(database) == 0, 30)
    assert sorted(await said_in(ana, room)) == sorted(f"n{n}" for n in range(10))


async def deliver_all(app: web.Application) -> None:
    """Deliver what is due."""
    while await app[SCHEDULED].deliver():
        pass


def count(database: psycopg.Connection) -> int:
    """Return the number of scheduled messages."""
    row = database.execute("select count(*) from scheduled_messages").fetchone()
    assert row is not None
    return int(row[0])


async def test_export_and_erasure_have_scheduled_messages(cast: Cast, database_url: str) -> None:
    """A user's own export has them; of a deleted account none is left, and none is posted."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ben, "channel", "kitchen", ana)
    await schedules(ana, room, "pale secret")
    async with ana._http.get(f"{ana.at}/api/users/me/export", headers={"Authorization": f"Bearer {ana.token}"}) as got:
        text = await got.text()
    assert '"type":"scheduled"' in text
    assert "pale secret" in text
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute("update sessions set proved_at = now()")
        assert (await ana.call("DELETE", "/api/users/me"))[0] == 204
        await eventually(lambda: count(database) == 0, 30)
    assert await said_in(ben, room) == []
