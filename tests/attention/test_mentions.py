"""Mentions: who is called, who is counted, and that a count ends with reading, deleting, leaving."""

import asyncio

from tests.attention.verbs import blocks, counts
from tests.cast import Cast, Person
from tests.nodes import Node, running_node
from tests.presence.eyes import open_eyes
from tests.verbs import begins, deletes, edits, marks_read, opens, pages, seats, sees, tries, unseats


async def test_a_name_reaches_its_member(ana: Person, ben: Person, chloe: Person) -> None:
    """In any case; whoever is not called has one unread and no mention."""
    room = await begins(ana, "channel", "room", ben, chloe)
    ear = await chloe.listens()
    said = await ana.says(room, "what do you think, @BEN?")
    assert said["mentions"] == [ben.id]
    assert await counts(ben, room) == (1, 1)
    assert await counts(chloe, room) == (1, 0)
    assert await counts(ana, room) == (0, 0)
    await ear.hears("what do you think, @BEN?")
    assert ear.messages() == [said]
    assert (await pages(ben, room))["messages"] == [said]
    assert (await sees(ben))["conversations"][0]["last_message"] == said


async def test_nobody_else_is_mentioned(ana: Person, ben: Person, mallory: Person) -> None:
    """Strangers, oneself, nobody's names and what is only quoted: the message has no mentions at all."""
    room = await begins(ana, "channel", "room", ben)
    said = await ana.says(room, "@mallory @ana @nobody `@ben` ben@example.org\n```\n@ben\n```")
    assert "mentions" not in said
    assert "mentions_all" not in said
    assert await counts(ben, room) == (1, 0)
    assert (await tries(mallory, "GET", f"/api/chat/conversations/{room}"))[0] == 200


async def test_a_full_stop_at_the_end_is_whose_name_it_is(cast: Cast, ana: Person) -> None:
    """Whoever is called `b.` exactly comes before whoever is called `b`."""
    dotted, plain, other = await cast.enters("bo.", "bo", "al")
    room = await begins(ana, "channel", "room", dotted, plain, other)
    assert (await ana.says(room, "@bo."))["mentions"] == [dotted.id]
    assert (await ana.says(room, "@bo, @al."))["mentions"] == [plain.id, other.id]
    assert (await ana.says(room, "@al @bo- @al"))["mentions"] == [other.id, plain.id]


async def test_everyone_is_called_at_once(ana: Person, ben: Person, chloe: Person) -> None:
    """`@channel` counts once for each, also for whoever is called by name as well, and never for the author."""
    room = await begins(ana, "channel", "room", ben, chloe)
    said = await ana.says(room, "@channel and @ben: lunch")
    assert (said["mentions"], said["mentions_all"]) == ([ben.id], "channel")
    assert [await counts(who, room) for who in (ana, ben, chloe)] == [(0, 0), (1, 1), (1, 1)]


async def test_here_is_who_is_here(ana: Person, ben: Person, chloe: Person) -> None:
    """Ben has a socket open; chloe has none, and is not called."""
    room = await begins(ana, "channel", "room", ben, chloe)
    async with open_eyes(ben) as eyes:
        await eyes.watches(ben)
        await eyes.sees(ben, "online")
        said = await ana.says(room, "@here coffee?")
        batch = [{"conversation": room, "body": "@here cake?", "client_id": "b"}]
        _, results = await ana.call("POST", "/api/chat/messages", {"messages": batch})
    assert said["mentions"] == results["results"][0]["message"]["mentions"] == [ben.id]
    assert "mentions_all" not in said
    assert [await counts(who, room) for who in (ana, ben, chloe)] == [(0, 0), (2, 2), (2, 0)]


async def test_in_a_large_conversation_here_is_everyone(
    database_url: str, redis_url: str, ana: Person, ben: Person, node: Node
) -> None:
    """More members than HERE_MOST: nobody can tell, so all are called."""
    room = await begins(ana, "channel", "room", ben)
    async with running_node(database_url, redis_url, node="b2", here_most=1) as other:
        ana.at = other.url
        assert (await ana.says(room, "@here"))["mentions_all"] == "here"
        ana.at = node.url
    assert await counts(ben, room) == (1, 1)


async def test_an_import_calls_nobody_who_was_there(cast: Cast, ben: Person) -> None:
    """Who was here when it was said is not known any more; names are names."""
    (admin,) = await cast.enters("admin", role="admin")
    room = await begins(admin, "channel", "room", ben)
    old = {"conversation": room, "created_at": "2020-01-01T00:00:00Z"}
    messages = [old | {"body": body, "client_id": body[1:]} for body in ("@here", "@ben")]
    _, said = await admin.call("POST", "/api/chat/messages", {"messages": messages})
    assert [one["message"].get("mentions") for one in said["results"]] == [None, [ben.id]]
    assert await counts(ben, room) == (2, 1)


async def test_reading_counts_them_off(ana: Person, ben: Person) -> None:
    """A mark in the middle leaves those beyond it; his other devices are told how many."""
    room = await begins(ana, "channel", "room", ben)
    ear = await ben.listens()
    for body in ("@ben one", "two", "@channel three", "@ben four"):
        await ana.says(room, body)
    assert await counts(ben, room) == (4, 3)
    left = []
    for seq in (1, 3, 2, 4):
        await marks_read(ben, room, seq)
        left.append(await counts(ben, room))
    assert left == [(3, 2), (1, 1), (1, 1), (0, 0)]
    await ana.says(room, "end")
    await ear.hears("@ben one", "two", "@channel three", "@ben four", "end")
    assert [(one.json()["unread"], one.json()["mentions"]) for one in ear.named("read")] == [(3, 2), (1, 1), (0, 0)]


async def test_answering_counts_them_off(ana: Person, ben: Person) -> None:
    """Who writes has read what is above."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "@ben?")
    await ben.says(room, "yes @ana")
    assert await counts(ben, room) == (0, 0)
    assert await counts(ana, room) == (1, 1)


async def test_what_is_deleted_is_no_longer_unread(ana: Person, ben: Person, chloe: Person) -> None:
    """Neither counted nor shown as a mention; what was read already changes nothing; the entry says whom it reached."""
    room = await begins(ana, "channel", "room", ben, chloe)
    for body in ("@ben one", "@ben two", "@channel three"):
        await ana.says(room, body)
    await marks_read(ben, room, 1)
    ear = await ben.listens()
    await deletes(ana, room, 1)
    assert await counts(ben, room) == (2, 2)
    await deletes(ana, room, 2)
    assert await counts(ben, room) == (1, 1)
    await deletes(ana, room, 3)
    assert await counts(ben, room) == (0, 0)
    assert await counts(chloe, room) == (0, 0)
    await ana.says(room, "four")
    await ear.hears("four")
    reached = [{name: one.json().get(name) for name in ("mentions", "mentions_all")} for one in ear.named("delete")]
    assert reached == [
        {"mentions": [ben.id], "mentions_all": None},
        {"mentions": [ben.id], "mentions_all": None},
        {"mentions": None, "mentions_all": "channel"},
    ]
    assert not any("mentions" in one or "mentions_all" in one for one in (await pages(ben, room))["messages"])
    await marks_read(ben, room, 2)
    assert await counts(ben, room) == (1, 0)


async def test_an_edit_reaches_nobody_anew(ana: Person, ben: Person, chloe: Person) -> None:
    """Whom a message reaches was decided when it was posted."""
    room = await begins(ana, "channel", "room", ben, chloe)
    await ana.says(room, "@ben")
    edited = await edits(ana, room, 1, "@chloe")
    assert edited["mentions"] == [ben.id]
    assert [await counts(who, room) for who in (ben, chloe)] == [(1, 1), (1, 0)]


async def test_coming_back_begins_with_nothing(ana: Person, ben: Person) -> None:
    """What was said before, or while he was away, does not count."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "@ben one")
    await unseats(ben, room, "me")
    assert "mentions" not in await ana.says(room, "@ben two")
    await ana.says(room, "@channel three")
    await seats(ben, room, "me")
    assert await counts(ben, room) == (0, 0)
    await ana.says(room, "@ben four")
    assert await counts(ben, room) == (1, 1)


async def test_who_is_at_odds_is_not_called(ana: Person, ben: Person, chloe: Person) -> None:
    """By name neither way. Everyone is still everyone, but for whoever has blocked the one who calls, at once."""
    room = await begins(ana, "channel", "room", ben, chloe)
    await blocks(ben, ana)
    assert "mentions" not in await ana.says(room, "@ben")
    assert "mentions" not in await ben.says(room, "@ana")
    assert (await ana.says(room, "@channel"))["mentions_all"] == "channel"
    assert [await counts(who, room) for who in (ben, chloe)] == [(1, 0), (3, 1)]
    assert (await ben.says(room, "@channel"))["mentions_all"] == "channel"
    assert [await counts(who, room) for who in (ana, chloe)] == [(1, 1), (4, 2)]
    await ana.says(room, "@channel")
    assert await counts(ben, room) == (1, 0)
    await blocks(ben, ana, on=False)
    assert (await ana.says(room, "@ben"))["mentions"] == [ben.id]
    assert await counts(ben, room) == (2, 2)
    await deletes(ana, room, 5)
    await blocks(ben, ana)
    assert await counts(ben, room) == (1, 0)


async def test_a_block_says_what_still_counts(ana: Person, ben: Person, chloe: Person) -> None:
    """Only where something by the other one was counted, with what others have left there."""
    one, two = [await begins(ana, "channel", name, ben, chloe) for name in ("one", "two")]
    await ana.says(one, "@ben")
    await chloe.says(one, "@channel")
    await chloe.says(two, "@ben")
    ear = await ben.listens()
    await blocks(ben, ana)
    await blocks(ben, ana, on=False)
    await chloe.says(two, "end")
    await ear.hears("end")
    told = [one.json() for one in ear.named("block")]
    assert told == [
        {"user": ana.id, "on": on, "mentions": [{"conversation": one, "mentions": count}]}
        for on, count in ((True, 1), (False, 2))
    ]


async def test_many_at_once_are_counted_exactly(ana: Person, ben: Person, chloe: Person) -> None:
    """Posts of one commit do not take each other's mentions; a retry does not count twice."""
    room = await begins(ana, "channel", "room", ben, chloe)
    bodies = ["@ben", "@chloe", "@channel", "@ben @chloe", "nobody", "@ben @channel"] * 10
    await asyncio.gather(*[ana.says(room, body, client_id=f"c{n % 60}") for n, body in enumerate(bodies * 2)])
    assert await counts(ben, room) == (60, 40)
    assert await counts(chloe, room) == (60, 40)
    assert (await opens(ana, room))["mentions"] == 0
