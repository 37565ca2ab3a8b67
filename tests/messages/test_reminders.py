"""Reminders: a text arrives at its time, once, also if nodes stop meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from chat.messages.endpoints import HERE, POSTS
from chat.messages.reminders import REMINDERS_MOST, ReminderDelivery
from chat.shared.web import POOL, RATES
from tests.cast import Cast, Person, casting
from tests.nodes import running_node
from tests.verbs import begins, blocks, pages, sees, tries
from tests.waiting import eventually

Json = dict[str, Any]
LATER = "2029-01-01T09:00:00Z"


def run(database_url: str, query: str, *parameters: object) -> None:
    """Run a statement in the database."""
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute(query.encode(), parameters)


async def comes_due(person: Person, database_url: str) -> None:
    """Let all reminders that are set be due, and wake the node by setting one more."""
    run(database_url, "update reminders set at = now()")
    await reminds(person, "woken")


async def reminds(person: Person, text: str, at: str = LATER, **more: object) -> Json:
    """Set a reminder; return it."""
    status, answer = await person.call("POST", "/api/reminders", {"text": text, "at": at} | more)
    assert status in (200, 201), answer
    return dict(answer["reminder"])


async def waiting(person: Person) -> list[Json]:
    """Return the reminders that have not arrived."""
    status, answer = await person.call("GET", "/api/reminders")
    assert status == 200
    return list(answer["reminders"])


async def place_of(person: Person) -> int:
    """Return the conversation in which reminders arrive."""
    found = [one["id"] for one in (await sees(person))["conversations"] if one["kind"] == "direct"]
    return int(found[0])


async def arrived(person: Person) -> list[str]:
    """Return the texts of the reminders that have arrived."""
    return [message["body"] for message in (await pages(person, await place_of(person)))["messages"]]


async def test_a_reminder_arrives_once_at_its_time(ana: Person, database_url: str) -> None:
    """As an unread message of a bot, in a direct conversation; then it is no longer in the list."""
    room = await begins(ana, "channel", "kitchen")
    said = await ana.says(room, "The oven is on")
    later = await reminds(ana, "Turn it off", at="2029-01-02T09:00:00Z", conversation=room, seq=said["seq"])
    first = await reminds(ana, "Call Ben")
    assert [one["id"] for one in await waiting(ana)] == [first["id"], later["id"]]
    assert (later["conversation"], later["seq"], later["at"]) == (room, 1, "2029-01-02T09:00:00.000Z")
    reader = await ana.listens()
    run(database_url, "update reminders set at = now() where id = %s", first["id"])
    woken = await reminds(ana, "woken")
    await reader.hears("Reminder: Call Ben")
    await eventually_waiting(ana, woken["id"], later["id"])
    place = await place_of(ana)
    (listed,) = [one for one in (await sees(ana))["conversations"] if one["id"] == place]
    (bot,) = [user for user in listed["members"] if user != ana.id]
    assert (listed["unread"], listed["last_message"]["author"], listed["last_message"]["type"]) == (1, bot, "reminder")
    _, user = await ana.call("GET", f"/api/users/{bot}")
    assert (user["bot"], user["display_name"], "owner" in user) == (True, "Reminders", False)


async def eventually_waiting(person: Person, *ids: int) -> None:
    """Wait until these reminders are left."""

    async def are_left() -> bool:
        return [one["id"] for one in await waiting(person)] == list(ids)

    await eventually(are_left)


async def test_a_reminder_about_a_message_names_it(ana: Person) -> None:
    """Its message has the place of the other one in its data, and needs no text. The node knows when it is due."""
    room = await begins(ana, "channel", "kitchen")
    await ana.says(room, "The oven is on")
    reader = await ana.listens()
    at = (datetime.now(UTC) + timedelta(seconds=0.5)).isoformat()
    await reminds(ana, "", at=at, conversation=room, seq=1)
    await reader.hears("Reminder about a message")
    assert reader.messages()[0]["data"] == {"conversation": room, "seq": 1}


async def test_a_repeated_request_sets_one_reminder(ana: Person) -> None:
    """With the same `client_id`; without one, each request sets another."""
    first = await reminds(ana, "Call Ben", client_id="r1")
    assert await reminds(ana, "Call Ben", client_id="r1") == first
    await reminds(ana, "Call Ben")
    assert len(await waiting(ana)) == 2


async def test_what_cannot_be_set(ana: Person, mallory: Person) -> None:
    """A time that has passed, no text, a message that the user cannot read."""
    room = await begins(ana, "channel", "kitchen", private=True)
    await ana.says(room, "secret")
    for form in (
        {"text": "x", "at": "2020-01-01T00:00:00Z"},
        {"text": "x", "at": "2999-01-01T00:00:00Z"},
        {"text": "x", "at": "tomorrow"},
        {"text": "\u200b", "at": LATER},
        {"text": "x" * 1_001, "at": LATER},
        {"text": "x", "at": LATER, "seq": 1},
    ):
        assert await tries(ana, "POST", "/api/reminders", form) == (422, "invalid"), form
    for about in ({"conversation": room, "seq": 1}, {"conversation": room}):
        asked = {"text": "x", "at": LATER} | about
        assert await tries(mallory, "POST", "/api/reminders", asked) == (404, "not_found")
    assert await tries(ana, "POST", "/api/reminders", {"text": "", "at": LATER, "conversation": room, "seq": 2}) == (
        404,
        "not_found",
    )


async def test_a_reminder_is_its_users_alone(ana: Person, mallory: Person) -> None:
    """Others neither see nor remove it; removed, it does not arrive."""
    made = await reminds(ana, "Call Ben")
    assert await waiting(mallory) == []
    path = f"/api/reminders/{made['id']}"
    assert await tries(mallory, "DELETE", path) == (404, "not_found")
    assert await tries(ana, "DELETE", path) == (204, "")
    assert await tries(ana, "DELETE", path) == (404, "not_found")
    assert await waiting(ana) == []


async def test_the_number_of_reminders_is_limited(ana: Person, database_url: str) -> None:
    """The error says what to do."""
    await reminds(ana, "the first")
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute(
            "insert into reminders (user_id, client_id, text, at, place_id)"
            " select user_id, 'n' || n, 'x', at, place_id from reminders, generate_series(2, %s) n",
            [REMINDERS_MOST],
        )
    asked = {"text": "one more", "at": LATER}
    assert await tries(ana, "POST", "/api/reminders", asked) == (409, "too_many_reminders")


async def test_who_has_blocked_the_bot_is_told(ana: Person, ben: Person, cast: Cast, database_url: str) -> None:
    """A reminder that could not arrive is refused; one that was set before is dropped, and others arrive."""
    await reminds(ana, "early")
    (place,) = [one for one in (await sees(ana))["conversations"] if one["kind"] == "direct"]
    bot = Person(cast.http, ana.at, "bot", next(user for user in place["members"] if user != ana.id), "")
    await blocks(ana, bot)
    assert await tries(ana, "POST", "/api/reminders", {"text": "x", "at": LATER}) == (403, "blocked")
    reader = await ben.listens()
    await reminds(ben, "mine")
    await comes_due(ben, database_url)
    await reader.hears("Reminder: mine")
    await eventually_waiting(ana)
    assert await arrived(ana) == []


async def test_nodes_that_stop_lose_and_repeat_nothing(database_url: str, redis_url: str) -> None:
    """Reminders survive a restart. Two nodes deliver each once, and a delivery that is repeated posts nothing new."""
    async with running_node(database_url, redis_url) as node, casting(database_url, node.url) as cast:
        (ana,) = await cast.enters("ana")
        for n in range(20):
            await reminds(ana, f"number {n}")
    run(database_url, "update reminders set at = now()")
    run(database_url, "create table kept as select * from reminders")
    expected = sorted(f"Reminder: number {n}" for n in range(20))
    async with (
        running_node(database_url, redis_url, node="b1") as first,
        running_node(database_url, redis_url, node="c1"),
        casting(database_url, first.url) as cast,
    ):
        ana = Person(cast.http, first.url, "ana", ana.id, ana.token)
        await eventually_waiting(ana)
        assert sorted(await arrived(ana)) == expected
        # as if the node had died before it deleted them
        run(database_url, "insert into reminders overriding system value select * from kept")
        delivery = ReminderDelivery(first.app[POOL], first.app[POSTS], first.app[HERE], first.app[RATES].post, "en")
        while await waiting(ana):
            await delivery.deliver()
        assert sorted(await arrived(ana)) == expected


async def test_a_reminder_is_changed(ana: Person, ben: Person, database_url: str) -> None:
    """Its text, its time or both, by the user who set it, until it arrives."""
    room = await begins(ana, "channel", "kitchen", ben)
    said = await ana.says(room, "The oven is on")
    about, plain = await reminds(ana, "", conversation=room, seq=said["seq"]), await reminds(ana, "Call Ben")
    path = f"/api/reminders/{plain['id']}"
    assert (await ana.call("PATCH", path, {"text": "Call Chloe"}))[1]["reminder"]["text"] == "Call Chloe"
    _, changed = await ana.call("PATCH", path, {"at": "2029-02-01T09:00:00Z"})
    assert (changed["reminder"]["text"], changed["reminder"]["at"]) == ("Call Chloe", "2029-02-01T09:00:00.000Z")
    assert [one["id"] for one in await waiting(ana)] == [about["id"], plain["id"]]
    assert (await ana.call("PATCH", f"/api/reminders/{about['id']}", {"text": ""}))[0] == 200
    for form in ({"text": " "}, {"text": "x" * 1_001}, {"at": "2020-01-01T09:00:00Z"}, {"seq": 1}):
        assert await tries(ana, "PATCH", path, form) == (422, "invalid"), form
    assert await tries(ben, "PATCH", path, {"text": "mine"}) == (404, "not_found")
    reader = await ana.listens()
    await comes_due(ana, database_url)
    await eventually(lambda: set(reader.bodies()) == {"Reminder: Call Chloe", "Reminder about a message"})
    await eventually(lambda: is_gone(ana, plain["id"]))
    assert await tries(ana, "PATCH", path, {"text": "late"}) == (404, "not_found")


async def test_a_reminder_speaks_its_user_s_language(cast: Cast, database_url: str) -> None:
    """So does the reason why one for a channel was not posted there; in the channel the default language is used."""
    ana, ben = await cast.enters("ana", "ben")
    assert (await ben.call("PATCH", "/api/users/me", {"language": "de"}))[0] == 200
    room, shut = await begins(ana, "channel", "kitchen", ben), await begins(ana, "channel", "cellar", ben)
    for text in ("#kitchen in 2 hours cook", "#cellar in 2 hours fetch wine"):
        form = {"command": "remind", "text": text, "client_id": text[1:6]}
        assert (await ben.call("POST", f"/api/chat/conversations/{room}/commands", form))[0] == 200
    assert (await ana.call("PATCH", f"/api/chat/conversations/{shut}", {"read_only": True}))[0] == 200
    await reminds(ben, "Ana anrufen")
    reader = await ben.listens()
    await comes_due(ana, database_url)
    refused = "Erinnerung: „fetch wine“ wurde nicht in #cellar gesendet. Dort können nur Besitzer und Admins schreiben."
    await eventually(lambda: set(reader.bodies()) == {"Reminder: cook", "Erinnerung: Ana anrufen", refused})


async def is_gone(person: Person, reminder: int) -> bool:
    """Return whether a reminder is not waiting any more."""
    return all(one["id"] != reminder for one in await waiting(person))


async def test_a_disabled_user_posts_no_reminder(cast: Cast, database_url: str) -> None:
    """The reminder for a channel waits in the user's own conversation."""
    ada, ben = (*await cast.enters("ada", role="admin"), *await cast.enters("ben"))
    room = await begins(ada, "channel", "kitchen", ben)
    form = {"command": "remind", "text": "#kitchen in 2 hours cook", "client_id": "c-1"}
    assert (await ben.call("POST", f"/api/chat/conversations/{room}/commands", form))[0] == 200
    assert (await ada.call("PUT", f"/api/users/{ben.id}/disabled", {"disabled": True}))[0] == 204
    await comes_due(ada, database_url)
    with psycopg.connect(database_url, autocommit=True) as database:

        def arrived() -> bool:
            found = database.execute("select body from messages where type = 'reminder'").fetchall()
            return found == [("Reminder: “cook” was not posted in #kitchen. Your account was disabled.",)]

        await eventually(arrived)
    assert (await pages(ada, room))["messages"] == []


async def test_a_deleted_account_leaves_no_reminder(cast: Cast, database_url: str) -> None:
    """Neither one that is set, nor the text of one that has arrived."""
    ana, ben = await cast.enters("ana", "ben")
    reader = await ana.listens()
    await reminds(ana, "pale secret")
    await comes_due(ana, database_url)
    await reader.hears("Reminder: pale secret")
    await reminds(ben, "mine")
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute("update sessions set proved_at = now()")
        assert (await ana.call("DELETE", "/api/users/me"))[0] == 204

        def erased() -> bool:
            row = database.execute("select count(*) from erasures").fetchone()
            return row == (0,)

        await eventually(erased)
        left = database.execute("select user_id from reminders").fetchall()
        log = database.execute("select string_agg(encode(frame, 'escape'), '') from log").fetchone()
        bodies = database.execute("select string_agg(body, '') from messages").fetchone()
    assert left == [(ben.id,)]
    assert "pale secret" not in str(log) + str(bodies)


async def test_a_users_own_export_has_their_reminders(ana: Person) -> None:
    """Those that have not arrived."""
    await reminds(ana, "Call Ben")
    async with ana._http.get(f"{ana.at}/api/users/me/export", headers={"Authorization": f"Bearer {ana.token}"}) as got:
        assert '"type":"reminder","text":"Call Ben"' in await got.text()
