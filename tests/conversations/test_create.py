"""Creating conversations."""

import asyncio
from typing import Any

import psycopg
import pytest

from tests.cast import Person, casting
from tests.nodes import running_node
from tests.verbs import CONVERSATIONS, begins, opens, sees, sets_member, tries


async def test_a_channel_is_created_as_requested(ana: Person, ben: Person) -> None:
    """The answer describes the channel as its creator sees it."""
    asked = {"kind": "channel", "name": " plans ", "topic": "what next", "private": True, "members": [ben.id]}
    status, made = await ana.call("POST", CONVERSATIONS, asked)
    assert status == 201
    assert made == {
        "id": made["id"],
        "kind": "channel",
        "name": "plans",
        "topic": "what next",
        "private": True,
        "role": "owner",
        "last_seq": 0,
        "read_seq": 0,
        "unread": 0,
        "mentions": 0,
        "level": "all",
        "muted_until": None,
        "last_message": None,
    }
    assert (await opens(ben, made["id"]))["role"] == "member"


async def test_a_group_needs_no_name_and_is_private(ana: Person, ben: Person, chloe: Person, mallory: Person) -> None:
    """The answer has its members, and no one else can see it."""
    group = await begins(ana, "group", "", ben, chloe)
    seen = await opens(ben, group)
    assert seen["private"] is True
    assert seen["members"] == [ana.id, ben.id, chloe.id]
    assert await tries(mallory, "GET", f"{CONVERSATIONS}/{group}") == (404, "not_found")


async def test_the_same_direct_conversation_again_is_the_same(ana: Person, ben: Person) -> None:
    """Either of the two may ask, any number of times."""
    first, made = await ana.call("POST", CONVERSATIONS, {"kind": "direct", "members": [ben.id]})
    again, found = await ben.call("POST", CONVERSATIONS, {"kind": "direct", "members": [ana.id]})
    assert (first, again) == (201, 200)
    assert made["id"] == found["id"]
    assert found["members"] == [ana.id, ben.id]


async def test_a_direct_conversation_started_by_both_at_once_is_one(
    ana: Person, ben: Person, database_url: str
) -> None:
    """Of forty calls at once one gets 201, and each user is a member once."""
    calls = [(ana, ben), (ben, ana)] * 20
    answers = await asyncio.gather(
        *[one.call("POST", CONVERSATIONS, {"kind": "direct", "members": [other.id]}) for one, other in calls]
    )
    assert sorted(status for status, _ in answers) == [200] * 39 + [201]
    assert len({made["id"] for _, made in answers}) == 1
    with psycopg.connect(database_url) as database:
        assert database.execute("select count(*) from memberships").fetchall() == [(2,)]
        kinds = database.execute("select kind from log order by position").fetchall()
    assert kinds == [("join",), ("join",), ("conversation",)]


async def test_a_direct_conversation_with_oneself_is_for_notes(ana: Person) -> None:
    """It has one member and exists once."""
    notes = await begins(ana, "direct", "", ana)
    assert await begins(ana, "direct", "", ana) == notes
    assert (await opens(ana, notes))["members"] == [ana.id]
    assert (await ana.says(notes, "buy milk"))["seq"] == 1


async def test_a_channels_name_is_taken_in_any_case(ana: Person, ben: Person) -> None:
    """Two calls at once get a name once; an archived channel gives its name back."""
    draft = {"kind": "channel", "name": "General"}
    answers = await asyncio.gather(ana.call("POST", CONVERSATIONS, draft), ben.call("POST", CONVERSATIONS, draft))
    assert sorted(status for status, _ in answers) == [201, 409]
    again = {"kind": "channel", "name": "general"}
    assert await tries(ana, "POST", CONVERSATIONS, again) == (409, "name_taken")
    maker, made = (ana, answers[0][1]) if answers[0][0] == 201 else (ben, answers[1][1])
    assert await tries(maker, "DELETE", f"{CONVERSATIONS}/{made['id']}") == (204, "")
    assert await tries(ana, "POST", CONVERSATIONS, again) == (201, "")


TWINS = [
    ("general", "gen\u200beral"),
    ("general", "GENERAL\ufe0f"),
    ("general", "gene\u00adral"),
    ("general", "ｇｅｎｅｒａｌ"),
    ("general", "𝐠𝐞𝐧𝐞𝐫𝐚𝐥"),
    ("Café", "cafe\u0301"),
    ("a b", "a\u00a0b"),
    ("ΟΔΟΣ", "οδος"),
]


@pytest.mark.parametrize(("name", "twin"), TWINS)
async def test_a_channel_has_one_look(ana: Person, mallory: Person, name: str, twin: str) -> None:
    """A name that looks like another channel's is taken: when creating, renaming and restoring, private or not."""
    first = await begins(ana, "channel", name)
    for private in (False, True):
        draft = {"kind": "channel", "name": twin, "private": private}
        assert await tries(mallory, "POST", CONVERSATIONS, draft) == (409, "name_taken")
    other = f"{CONVERSATIONS}/{await begins(mallory, 'channel', 'mine')}"
    assert await tries(mallory, "PATCH", other, {"name": twin}) == (409, "name_taken")
    assert await tries(ana, "PATCH", f"{CONVERSATIONS}/{first}", {"name": twin}) == (200, "")
    assert await tries(ana, "PATCH", f"{CONVERSATIONS}/{first}", {"archived": True}) == (200, "")
    assert await tries(mallory, "PATCH", other, {"name": name}) == (200, "")
    assert await tries(ana, "PATCH", f"{CONVERSATIONS}/{first}", {"archived": False}) == (409, "name_taken")


async def test_a_taken_name_does_not_tell_whose_it_is(ana: Person, mallory: Person) -> None:
    """The answer is the same, word for word, whether a public channel has the name or a private one."""
    await begins(ana, "channel", "plans")
    await ana.call("POST", CONVERSATIONS, {"kind": "channel", "name": "layoffs", "private": True})
    drafts = [{"kind": "channel", "name": name} for name in ("plans", "layoffs")]
    (status, public), (_, private) = [await mallory.call("POST", CONVERSATIONS, draft) for draft in drafts]
    assert (status, public | {"request_id": ""}) == (409, private | {"request_id": ""})


async def test_names_that_look_different_are_free(ana: Person, mallory: Person) -> None:
    """Other letters, accents and numbers make another name, whatever PostgreSQL takes for a capital letter."""
    for name in ("general", "genera", "general2", "généra", "通用", "İ", "i", "ı"):
        await begins(mallory, "channel", name)
    for name in ("GENERAL", "GÉNÉRA", "I"):
        assert await tries(ana, "POST", CONVERSATIONS, {"kind": "channel", "name": name}) == (409, "name_taken")


async def test_a_word_of_two_scripts_imitates_no_public_channel(ana: Person, mallory: Person) -> None:
    """Letters of two scripts in a word are refused where a public channel has the same look; private ones are free."""
    await begins(ana, "channel", "general")
    mine = f"{CONVERSATIONS}/{await begins(mallory, 'channel', 'mine')}"
    for name in ("gеneral", "generaӏ"):
        assert await tries(mallory, "POST", CONVERSATIONS, {"kind": "channel", "name": name}) == (409, "name_taken")
        assert await tries(mallory, "PATCH", mine, {"name": name}) == (409, "name_taken")
    assert await tries(mallory, "PATCH", mine, {"private": True}) == (200, "")
    assert await tries(mallory, "PATCH", mine, {"name": "gеneral"}) == (200, "")
    assert await tries(mallory, "PATCH", mine, {"private": False}) == (409, "name_taken")
    assert await tries(mallory, "PATCH", mine, {"topic": "not general"}) == (200, "")


async def test_other_look_alikes_are_allowed_and_named(ana: Person, mallory: Person) -> None:
    """Honest names may resemble each other; the younger channel says which older public one it looks like."""
    for name, other in (("cop", "сор"), ("general", "generaI"), ("lab 1", "lab l")):
        first, second = await begins(ana, "channel", name), await begins(mallory, "channel", other)
        assert (await opens(ana, second))["looks_like"] == name
        assert "looks_like" not in await opens(mallory, first)
    _, found = await ana.call("GET", "/api/chat/channels")
    assert {one["name"]: one.get("looks_like") for one in found["channels"]} == {
        "cop": None,
        "сор": "cop",
        "general": None,
        "generaI": "general",
        "lab 1": None,
        "lab l": "lab 1",
    }
    await tries(ana, "PATCH", f"{CONVERSATIONS}/{first}", {"private": True})
    assert "looks_like" not in await opens(mallory, second)


async def test_look_alikes_at_once(ana: Person, mallory: Person) -> None:
    """Of two channels that look the same and are created at once, one is."""
    drafts = [{"kind": "channel", "name": name} for name in ("paypal", "PAY\u00adPAL")]
    both = zip((ana, mallory), drafts, strict=True)
    answers = await asyncio.gather(*[tries(person, "POST", CONVERSATIONS, draft) for person, draft in both])
    assert sorted(answers) == [(201, ""), (409, "name_taken")]


async def test_invisible_characters_are_removed(ana: Person) -> None:
    """Invisible characters are removed from names and topics; joiners of emoji and of scripts stay."""
    channel = await begins(ana, "channel", "\u200b\ufeff week\u2060end 👩\u200d🚀 \u200d", topic="\u3164\u200b")
    seen = await opens(ana, channel)
    assert (seen["name"], seen["topic"]) == ("weekend 👩\u200d🚀", "")


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"kind": "party", "name": "x"}, "kind"),
        ({"kind": "channel"}, "name"),
        ({"kind": "channel", "name": "  "}, "name"),
        ({"kind": "channel", "name": "n" * 81}, "name"),
        ({"kind": "channel", "name": "a\nb"}, "name"),
        ({"kind": "channel", "name": "a\0b"}, "name"),
        ({"kind": "channel", "name": "gen\u202eeral"}, "name"),
        ({"kind": "channel", "name": "\u200b"}, "name"),
        ({"kind": "channel", "name": "\u3164 \u2800"}, "name"),
        ({"kind": "channel", "name": "\u200d"}, "name"),
        ({"kind": "channel", "name": "x", "topic": "gen\u202eeral"}, "topic"),
        ({"kind": "channel", "name": "x", "topic": "t" * 251}, "topic"),
        ({"kind": "channel", "name": "x", "members": ["1"]}, "members.0"),
        ({"kind": "channel", "name": "x", "members": [2**53]}, "members.0"),
        ({"kind": "channel", "name": "x", "members": [999]}, "members"),
        ({"kind": "channel", "name": "x", "colour": "red"}, "colour"),
        ({"kind": "direct", "members": []}, "members"),
        ({"kind": "direct", "members": [1, 2]}, "members"),
        ({"kind": "direct", "name": "us", "members": [1]}, "name"),
        ({"kind": "channel", "name": "\ud800"}, "body"),
        ([], "body"),
    ],
)
async def test_wrong_values_are_named(ana: Person, asked: Any, field: str) -> None:
    """Wrong values get 422 with the field, and nothing is created."""
    status, said = await ana.call("POST", CONVERSATIONS, asked)
    assert (status, said["code"]) == (422, "invalid")
    assert field in [error["field"] for error in said["errors"]]
    assert (await sees(ana))["conversations"] == []


async def test_names_and_topics_have_their_full_length(ana: Person) -> None:
    """Eighty and two hundred and fifty characters of any script are accepted."""
    channel = await begins(ana, "channel", "日" * 80, topic="👩‍👩‍👧‍👦" + "ש" * 243)
    assert (await opens(ana, channel))["name"] == "日" * 80


async def test_the_limits_are_settings(database_url: str, redis_url: str) -> None:
    """Limits of added users, group members and conversations a user are settings."""
    limits = {"max_members_added": 3, "max_group_members": 2, "conversations_per_person": 2}
    async with running_node(database_url, redis_url, **limits) as node, casting(database_url, node.url) as cast:
        ana, ben, chloe, dan = await cast.enters("ana", "ben", "chloe", "dan")
        everybody = {"kind": "channel", "name": "all", "members": [ben.id, chloe.id, dan.id]}
        assert await tries(ana, "POST", CONVERSATIONS, everybody) == (422, "invalid")
        three = {"kind": "group", "members": [ben.id, chloe.id]}
        assert await tries(ana, "POST", CONVERSATIONS, three) == (409, "too_many_members")
        group = await begins(ana, "group", "", ben)
        assert (await sets_member(ana, group, chloe))[1]["code"] == "too_many_members"
        await begins(dan, "channel", "full", ben)
        three_given = {"kind": "channel", "name": "three", "members": [ben.id]}
        assert await tries(dan, "POST", CONVERSATIONS, three_given) == (409, "too_many_conversations")
        for name in ("one", "two"):  # conversations that others add ben to leave his own quota
            await begins(ben, "channel", name)
        channel = await begins(ana, "channel", "open")
        assert (await sets_member(ben, channel, "me"))[1]["code"] == "too_many_conversations"
        direct = {"kind": "direct", "members": [chloe.id]}
        assert await tries(ben, "POST", CONVERSATIONS, direct) == (409, "too_many_conversations")


async def test_changes_are_rate_limited(database_url: str, redis_url: str) -> None:
    """Creating, renaming, adding and archiving share a limit; reads have another one."""
    rates = {"rate_limits": True, "rate_change": "3/minute"}
    async with running_node(database_url, redis_url, **rates) as node, casting(database_url, node.url) as cast:
        ana, ben = await cast.enters("ana", "ben")
        room = await begins(ana, "channel", "room")
        here = f"{CONVERSATIONS}/{room}"
        assert (await sets_member(ana, room, ben))[0] == 201
        assert await tries(ana, "PATCH", here, {"topic": "quick"}) == (200, "")
        for method, path in (("POST", CONVERSATIONS), ("PATCH", here), ("DELETE", f"{here}/members/{ben.id}")):
            assert await tries(ana, method, path, {}) == (429, "too_fast")
        assert await tries(ana, "GET", here) == (200, "")
        assert await tries(ana, "PUT", f"{here}/read", {"seq": 0}) == (204, "")
        assert await tries(ben, "PATCH", here, {"topic": "slow"}) == (403, "forbidden")
