"""Slash commands: the answer is for the caller alone, or a message; what cannot be done is refused by name."""

from datetime import datetime
from typing import Any

import psycopg
import pytest

from chat.messages.reminders import parse_when
from tests.accounts.systems import makes_key
from tests.cast import Cast, Person, casting
from tests.nodes import running_node
from tests.presence.presence_client import PresenceClient, open_presence
from tests.verbs import CONVERSATIONS, begins, members_of, opens, pages, removes_member, tries
from tests.waiting import eventually

Json = dict[str, Any]
SUNDAY = datetime(2026, 11, 29, 14, 30, 7)


async def runs(person: Person, room: int, line: str, **more: object) -> tuple[int, Json]:
    """Run a command as it is typed; return the status and the answer."""
    command, _, text = line.removeprefix("/").partition(" ")
    form = {"command": command, "text": text, "client_id": f"c-{abs(hash(line))}"} | more
    return await person.call("POST", f"{CONVERSATIONS}/{room}/commands", form)


async def says(person: Person, room: int, line: str, **more: object) -> str:
    """Run a command that answers with a text; return it."""
    status, answer = await runs(person, room, line, **more)
    assert status == 200, answer
    return str(answer["text"])


async def refused(person: Person, room: int, line: str) -> tuple[int, str]:
    """Run a command that is refused; return the status and the code."""
    status, answer = await runs(person, room, line)
    return status, str(answer["code"])


async def test_the_commands_of_a_conversation(ana: Person, mallory: Person) -> None:
    """A member lists them; others do not find the conversation. An unknown one says how to send the line."""
    room = await begins(ana, "channel", "kitchen")
    _, listed = await ana.call("GET", f"{CONVERSATIONS}/{room}/commands")
    assert [one["name"] for one in listed["commands"]] == ["invite", "mute", "remind", "shrug", "status"]
    assert all(one["hint"] and one["description"] for one in listed["commands"])
    status, problem = await runs(ana, room, "/cook soup")
    assert (status, problem["code"], "two slashes" in problem["detail"]) == (404, "unknown_command", True)
    assert await tries(mallory, "GET", f"{CONVERSATIONS}/{room}/commands") == (404, "not_found")
    assert await refused(mallory, room, "/mute") == (404, "not_found")
    assert await refused(ana, room, "/Mute") == (422, "invalid")


async def test_shrug_posts_a_message_once(ana: Person, ben: Person) -> None:
    """Everyone reads it; the same `client_id` posts nothing more. The rules of posting hold."""
    room = await begins(ana, "channel", "kitchen", ben)
    await ana.says(room, "Who ate it?")
    for _ in range(2):
        status, answer = await runs(ben, room, "/shrug not me", thread=1)
        assert (status, answer["message"]["body"]) == (201, "not me ¯\\\\\\_(ツ)\\_/¯")
    _, thread = await ana.call("GET", f"{CONVERSATIONS}/{room}/messages/1/replies")
    assert [one["author"] for one in thread["messages"]] == [ben.id]
    assert await refused(ana, room, "/shrug " + "x" * 16_000) == (422, "wrong_usage")
    await ana.call("PATCH", f"{CONVERSATIONS}/{room}", {"read_only": True})
    assert await refused(ben, room, "/shrug again") == (403, "read_only")


async def test_answers_leave_no_trace(ana: Person, ben: Person) -> None:
    """Neither a message nor an entry that others receive."""
    room = await begins(ana, "channel", "kitchen", ben)
    reader = await ben.listens()
    assert await says(ana, room, "/mute") == "This conversation is muted."
    assert "remind you" in await says(ana, room, "/remind in 2 hours pale secret")
    await ana.says(room, "done")
    await reader.hears("done")
    assert reader.kinds == ["ready", "message"]
    assert len((await pages(ana, room))["messages"]) == 1


async def test_mute(ana: Person) -> None:
    """Without an end, for a while, until a time, and off."""
    room = await begins(ana, "channel", "kitchen")
    await says(ana, room, "/mute")
    assert str((await opens(ana, room))["muted_until"]) > "2100"
    assert await says(ana, room, "/mute off") == "This conversation is no longer muted."
    assert (await opens(ana, room))["muted_until"] is None
    assert "muted until" in await says(ana, room, "/mute for 2 hours")
    assert str((await opens(ana, room))["muted_until"]) < "2100"
    assert "at 09:00" in await says(ana, room, "/mute until tomorrow", zone="Asia/Kolkata")
    assert str((await opens(ana, room))["muted_until"])[10:] == "T03:30:00.000Z"
    for text in ("soon", "2 hours please", "2026-11-29"):
        assert await refused(ana, room, f"/mute {text}") == (422, "wrong_usage"), text


async def test_remind(ana: Person) -> None:
    """The time is one of the caller's zone. Reminders are listed with what removes them."""
    room = await begins(ana, "channel", "kitchen")
    assert "You have no reminders" in await says(ana, room, "/remind list")
    told = await says(ana, room, "/remind me to call Ben tomorrow at 9:30", zone="America/New_York")
    assert told.startswith("I will remind you on ")
    assert told.endswith(" at 09:30.")
    await says(ana, room, "/remind me to call Ben tomorrow at 9:30", zone="America/New_York")  # a repeated request
    _, found = await ana.call("GET", "/api/reminders")
    (one,) = found["reminders"]
    assert (one["text"], one["at"][13:]) == ("call Ben", ":30:00.000Z")
    assert one["at"][11:13] in ("13", "14")  # by the season
    assert "at 09:30: call Ben" in await says(ana, room, "/remind list", zone="America/New_York")
    assert await says(ana, room, f"/remind cancel {one['id']}") == "Reminder canceled."
    assert await refused(ana, room, f"/remind cancel {one['id']}") == (404, "not_found")
    lines = "/remind", "/remind me", "/remind call Ben", "/remind in 5 minutes", "/remind @ben in 5 minutes hi"
    for line in (*lines, "/remind #kitchen", "/remind #kitchen in 5 minutes", "/remind #cellar in 5 minutes hi"):
        assert await refused(ana, room, line) == (422, "wrong_usage"), line
    assert await refused(ana, room, "/remind today at 0:00 hi") == (422, "wrong_usage")
    assert await refused(ana, room, "/remind in 99999 weeks hi") == (422, "wrong_usage")
    status, problem = await runs(ana, room, "/remind tomorrow hi", zone="Mars/Olympus")
    assert (status, problem["errors"][0]["field"]) == (422, "zone")


async def test_remind_a_channel(ana: Person, ben: Person, database_url: str) -> None:
    """The user posts it there, if they may at that time. What is refused then reaches the user with the reason."""
    kitchen, cellar = await begins(ana, "channel", "Big Kitchen", ben), await begins(ana, "channel", "cellar", ben)
    told = await says(ben, kitchen, "/remind #big kitchen to cook soup in 2 hours")
    assert told.startswith("I will post this in #Big Kitchen for you on ")
    await says(ben, kitchen, "/remind #cellar tomorrow fetch wine")
    assert ": fetch wine in #cellar (`/remind cancel" in await says(ben, cellar, "/remind list")
    _, found = await ben.call("GET", "/api/reminders")
    assert {one["text"]: one["post_to"] for one in found["reminders"]} == {"cook soup": kitchen, "fetch wine": cellar}
    assert await refused(ben, kitchen, "/remind #dining room in 5 minutes hi") == (422, "wrong_usage")
    await ana.call("PATCH", f"{CONVERSATIONS}/{cellar}", {"read_only": True})
    reader = await ben.listens()
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute("update reminders set at = now()")
    await says(ben, kitchen, "/remind in 2 hours wake")
    refusal = "Reminder: “fetch wine” was not posted in #cellar. Only owners and admins can post here."
    await eventually(lambda: set(reader.bodies()) == {"Reminder: cook soup", refusal})
    (message,) = (await pages(ana, kitchen))["messages"]
    assert (message["author"], message["body"], message["type"]) == (ben.id, "Reminder: cook soup", "reminder")
    assert (await pages(ana, cellar))["messages"] == []


@pytest.mark.parametrize(
    ("text", "local", "rest"),
    [
        ("in 20 minutes call Ben", "2026-11-29 14:50:07", "call Ben"),
        ("to call Ben in 1 hour", "2026-11-29 15:30:07", "to call Ben"),
        ("in an hour: tea", "2026-11-29 15:30:07", "tea"),
        ("in 3d water", "2026-12-02 14:30:07", "water"),
        ("at 17:45 leave", "2026-11-29 17:45:00", "leave"),
        ("at 9 stand-up", "2026-11-30 09:00:00", "stand-up"),
        ("at 9 today late", "2026-11-29 09:00:00", "late"),
        ("leave at 5pm", "2026-11-29 17:00:00", "leave"),
        ("at 12am x", "2026-11-30 00:00:00", "x"),
        ("tomorrow tea", "2026-11-30 09:00:00", "tea"),
        ("tomorrow 3 people come", "2026-11-30 09:00:00", "3 people come"),
        ("tomorrow 8:15 run", "2026-11-30 08:15:00", "run"),
        ("drink water tomorrow at 9.", "2026-11-30 09:00:00", "drink water"),
        ("sunday rest", "2026-12-06 09:00:00", "rest"),
        ("next Friday at 6 pm pub", "2026-12-04 18:00:00", "pub"),
        ("presents 2026-12-24 at 18:00", "2026-12-24 18:00:00", "presents"),
    ],
)
def test_times_in_words(text: str, local: str, rest: str) -> None:
    """At the beginning or at the end of a text."""
    found = parse_when(text, SUNDAY)
    assert found is not None
    assert (str(found.local), found.rest) == (local, rest)


@pytest.mark.parametrize("text", ["call Ben", "in a minuteman", "in 5 million years", "at home", "the 7th", "", "in"])
def test_texts_without_a_time(text: str) -> None:
    """Words that only look like one."""
    assert parse_when(text, SUNDAY) is None


@pytest.mark.parametrize("text", ["at 25 x", "at 9:75 x", "at 13pm x", "2026-02-30 x", "2999-01-01 x"])
def test_times_that_no_clock_shows(text: str) -> None:
    """They are refused instead of changed."""
    with pytest.raises(ValueError, match=r"There is no|not within"):
        parse_when(text, SUNDAY)


@pytest.mark.usefixtures("chloe")
async def test_invite(ana: Person, ben: Person, mallory: Person) -> None:
    """Users are added by name; a name that nobody has adds nobody."""
    room = await begins(ana, "channel", "kitchen", private=True)
    assert await refused(ana, room, "/invite @ben @nobody") == (422, "wrong_usage")
    assert set(await members_of(ana, room)) == {ana.id}
    assert await says(ana, room, "/invite @ben, Chloe") == "@ben was added.\n@chloe was added."
    assert await says(ana, room, "/invite @ben") == "@ben is a member already."
    assert await refused(mallory, room, "/invite @mallory") == (404, "not_found")
    for names in ("", "@", " ".join(f"@u{n}" for n in range(11))):
        assert await refused(ana, room, f"/invite {names}") == (422, "wrong_usage")
    await ana.call("PUT", f"{CONVERSATIONS}/{room}/bans/{ben.id}", {"reason": "rude"})
    assert await refused(ana, room, "/invite @ben") == (403, "banned")
    told = await says(ana, room, "/invite @chloe @ben")
    assert told.startswith("@chloe is a member already.\n@ben was not added: ")


async def test_a_stranger_is_invited(database_url: str, redis_url: str) -> None:
    """Where STRANGERS says so, the user has to accept."""
    async with (
        running_node(database_url, redis_url, strangers="invite") as node,
        casting(database_url, node.url) as cast,
    ):
        ana, _ = await cast.enters("ana", "ben")
        room = await begins(ana, "channel", "kitchen", private=True)
        assert await says(ana, room, "/invite @ben") == "@ben was invited, and can accept."


async def shows(socket: PresenceClient, *shown: str) -> None:
    """Wait until the user is told this mode, text and emoji of their own."""

    def is_told() -> bool:
        you = [frame["you"] for frame in socket.named("you")][-1:]
        return [(one["mode"], one["text"], one["emoji"]) for one in you] == [shown]

    await eventually(is_told)


async def test_status_reaches_other_nodes(database_url: str, redis_url: str) -> None:
    """A command on one node changes what a socket on another one shows, also of an emoji by name."""
    async with (
        running_node(database_url, redis_url, node="a1") as first,
        running_node(database_url, redis_url, node="b1") as second,
        casting(database_url, first.url) as cast,
    ):
        (ana,) = await cast.enters("ana")
        room = await begins(ana, "channel", "kitchen")
        elsewhere = Person(cast.http, second.url, "ana", ana.id, ana.token)
        async with open_presence(elsewhere) as socket:
            assert await says(ana, room, "/status dnd :palm_tree: On vacation") == (
                "Your status is now: Do not disturb · 🌴 On vacation."
            )
            await shows(socket, "dnd", "On vacation", "🌴")
            assert await says(ana, room, "/status 🍽️ Lunch") == "Your status is now: Do not disturb · 🍽️ Lunch."
            await shows(socket, "dnd", "Lunch", "🍽️")
            assert await says(ana, room, "/status clear") == "Your status is now: Online."
            await shows(socket, "online", "", "")
        assert await refused(ana, room, "/status " + "x" * 141) == (422, "wrong_usage")
        assert await refused(ana, room, "/status two\nlines") == (422, "wrong_usage")


async def test_a_list_does_not_name_channels_that_were_left(ana: Person, ben: Person) -> None:
    """A reminder for a private channel stays; its new name is for members."""
    foyer = await begins(ana, "channel", "foyer", ben)
    room = await begins(ana, "channel", "plans", ben, private=True)
    await says(ben, room, "/remind #plans stand-up tomorrow at 9")
    assert "in #plans" in await says(ben, foyer, "/remind list")
    await removes_member(ana, room, ben)
    assert await tries(ana, "PATCH", f"{CONVERSATIONS}/{room}", {"name": "merger"}) == (200, "")
    listed = await says(ben, foyer, "/remind list")
    assert "stand-up in a channel that you have left" in listed
    assert "merger" not in listed


async def test_keys_run_no_commands(cast: Cast) -> None:
    """A program has the calls behind them, each with its scope."""
    (ada,) = await cast.enters("ada", role="admin")
    bot = await makes_key(ada, cast)
    room = await begins(ada, "channel", "kitchen", bot)
    assert await refused(bot, room, "/shrug") == (403, "not_for_keys")
    assert (await bot.call("GET", f"{CONVERSATIONS}/{room}/commands"))[0] == 200
