"""Beginning conversations."""

import asyncio

import pytest

from tests.cast import Person, Stage, staged

CONVERSATIONS = "/api/chat/conversations"


async def test_a_channel_is_what_was_asked_for(ana: Person, ben: Person) -> None:
    """The answer describes it as its maker sees it."""
    asked = {"kind": "channel", "name": " plans ", "topic": "what next", "private": True, "members": [ben.id]}
    answer = await ana.asks("POST", CONVERSATIONS, asked)
    assert answer.status == 201
    made = answer.json
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
        "last_message": None,
    }
    assert (await ben.opens(made["id"]))["role"] == "member"


async def test_a_group_needs_no_name_and_is_private(ana: Person, ben: Person, chloe: Person, mallory: Person) -> None:
    """Its members stand in the answer, and nobody else sees it."""
    group = await ana.begins("group", "", ben, chloe)
    seen = await ben.opens(group)
    assert seen["private"] is True
    assert seen["members"] == [ana.id, ben.id, chloe.id]
    assert (await mallory.asks("GET", f"{CONVERSATIONS}/{group}")).status == 404


async def test_the_same_direct_again_is_the_same_one(ana: Person, ben: Person) -> None:
    """Whoever of the two asks, and however often."""
    first = await ana.asks("POST", CONVERSATIONS, {"kind": "direct", "members": [ben.id]})
    again = await ben.asks("POST", CONVERSATIONS, {"kind": "direct", "members": [ana.id]})
    assert (first.status, again.status) == (201, 200)
    assert first.json["id"] == again.json["id"]
    assert again.json["members"] == [ana.id, ben.id]


async def test_a_direct_begun_by_both_at_once_is_one(stage: Stage, ana: Person, ben: Person) -> None:
    """Forty calls at the same moment: one 201, and everybody is in it once."""
    calls = [(ana, ben), (ben, ana)] * 20
    answers = await asyncio.gather(
        *[one.asks("POST", CONVERSATIONS, {"kind": "direct", "members": [other.id]}) for one, other in calls]
    )
    assert sorted(answer.status for answer in answers) == [200] * 39 + [201]
    assert len({answer.json["id"] for answer in answers}) == 1
    assert await stage.asks_database("select count(*) from memberships") == [(2,)]
    assert await stage.asks_database("select position, kind from log order by position") == [
        (1, "join"),
        (2, "join"),
        (3, "conversation"),
    ]


async def test_a_direct_with_oneself_is_for_notes(ana: Person) -> None:
    """It has one member, and it is there once."""
    notes = await ana.begins("direct", "", ana)
    assert await ana.begins("direct", "", ana) == notes
    assert (await ana.opens(notes))["members"] == [ana.id]
    assert await ana.says(notes, "buy milk") == 1


async def test_a_channels_name_is_taken_whatever_its_case(ana: Person, ben: Person) -> None:
    """Also when both ask at once; an archived channel gives its name back."""
    draft = {"kind": "channel", "name": "General"}
    answers = await asyncio.gather(ana.asks("POST", CONVERSATIONS, draft), ben.asks("POST", CONVERSATIONS, draft))
    assert sorted(answer.status for answer in answers) == [201, 409]
    later = await ana.asks("POST", CONVERSATIONS, {"kind": "channel", "name": "general"})
    assert (later.status, later.code) == (409, "name_taken")
    made, maker = (answers[0], ana) if answers[0].status == 201 else (answers[1], ben)
    assert (await maker.asks("DELETE", f"{CONVERSATIONS}/{made.json['id']}")).status == 204
    assert (await ana.asks("POST", CONVERSATIONS, {"kind": "channel", "name": "general"})).status == 201


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
        ({"kind": "channel", "name": "x", "topic": "t" * 251}, "topic"),
        ({"kind": "channel", "name": "x", "members": ["1"]}, "members.0"),
        ({"kind": "channel", "name": "x", "members": [2**53]}, "members.0"),
        ({"kind": "channel", "name": "x", "members": [999]}, "members"),
        ({"kind": "channel", "name": "x", "colour": "red"}, "colour"),
        ({"kind": "direct", "members": []}, "members"),
        ({"kind": "direct", "members": [1, 2]}, "members"),
        ({"kind": "direct", "name": "us", "members": [1]}, "name"),
        ([], "body"),
        (b'{"kind": "channel", "name": "\\ud800"}', "body"),
    ],
)
async def test_what_is_wrong_is_named(ana: Person, asked: object, field: str) -> None:
    """422 with the field, and nothing is made."""
    answer = await ana.asks("POST", CONVERSATIONS, asked)
    assert (answer.status, answer.code) == (422, "invalid")
    assert field in [error["field"] for error in answer.json["errors"]]
    assert (await ana.sees())["conversations"] == []


async def test_names_and_topics_may_be_as_long_as_they_may(ana: Person) -> None:
    """Eighty characters and two hundred and fifty, of any script."""
    channel = await ana.begins("channel", "日" * 80, topic="👩‍👩‍👧‍👦" + "ש" * 243)
    assert (await ana.opens(channel))["name"] == "日" * 80


async def test_the_limits_are_settings(database_url: str, redis_url: str) -> None:
    """How many people at once, how large a group, how many conversations a person."""
    limits = {"max_members_added": 3, "max_group_members": 2, "conversations_per_person": 2}
    async with staged(database_url, redis_url, **limits) as stage:
        ana, ben, chloe, dan = [await stage.person(name) for name in ("ana", "ben", "chloe", "dan")]
        everybody = {"kind": "channel", "name": "all", "members": [ben.id, chloe.id, dan.id]}
        assert (await ana.asks("POST", CONVERSATIONS, everybody)).status == 422
        three = await ana.asks("POST", CONVERSATIONS, {"kind": "group", "members": [ben.id, chloe.id]})
        assert (three.status, three.code) == (409, "too_many_members")
        group = await ana.begins("group", "", ben)
        third = await ana.asks("PUT", f"{CONVERSATIONS}/{group}/members/{chloe.id}")
        assert (third.status, third.code) == (409, "too_many_members")
        await ben.begins("channel", "one")
        full = await ana.asks("POST", CONVERSATIONS, {"kind": "channel", "name": "two", "members": [ben.id]})
        assert (full.status, full.code) == (409, "too_many_conversations")
        assert (await ana.asks("GET", "/api/chat/channels?q=two")).json["channels"] == []
        channel = await ana.begins("channel", "two")
        come = await ben.asks("PUT", f"{CONVERSATIONS}/{channel}/members/me")
        assert (come.status, come.code) == (409, "too_many_conversations")
        same = await ben.asks("POST", CONVERSATIONS, {"kind": "direct", "members": [chloe.id]})
        assert (same.status, same.code) == (409, "too_many_conversations")
