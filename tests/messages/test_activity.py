"""Activity: what calls for a user's attention, newest first, and nothing that they may not read."""

from typing import Any

import psycopg

from chat.messages import triage
from chat.shared.postgres import LIMITS
from tests.cast import Person
from tests.messages.test_history import nodes
from tests.verbs import (
    CONVERSATIONS,
    answers,
    begins,
    blocks,
    deletes,
    marks_read,
    marks_thread,
    reacts,
    removes_member,
    sets_member,
    tries,
)


async def activity(person: Person, query: str = "") -> list[dict[str, Any]]:
    """Return all items, page by page."""
    found: list[dict[str, Any]] = []
    before = ""
    while True:
        status, page = await person.call("GET", f"/api/chat/activity?{query}{before}")
        assert status == 200, page
        found += page["items"]
        if "next" not in page:
            return found
        before = f"&before={page['next']}"


async def told(person: Person, query: str = "") -> list[tuple[str, str, bool]]:
    """Return `(kind, text, unread)` of all items."""
    return [(one["kind"], one["message"]["body"], one["unread"]) for one in await activity(person, query)]


async def test_each_kind_shows_once_newest_first(ana: Person, ben: Person, chloe: Person) -> None:
    """Mentions by name and of all, the latest reply of each thread, reactions of others; own deeds are no news."""
    room = await begins(ana, "channel", "room", ben, chloe)
    await ana.says(room, "shall we cook?")
    await ben.says(room, "@ana yes")
    await ana.says(room, "@channel own")
    await answers(ben, room, 1, "soup")
    await answers(chloe, room, 1, "bread")
    await reacts(ana, room, 1, "👍")
    for person in (ben, chloe):
        await reacts(person, room, 1, "👍")
    await chloe.says(room, "@channel lunch")
    whole = [
        ("mentions", "@channel lunch", True),
        ("reactions", "shall we cook?", True),
        ("replies", "bread", True),
        ("mentions", "@ana yes", False),
    ]
    assert await told(ana) == whole
    assert await told(ana, "limit=1") == whole
    for kind in ("mentions", "replies", "reactions"):
        assert await told(ana, f"kind={kind}&limit=1") == [one for one in whole if one[0] == kind]
    by_kind = {one["kind"]: one for one in await activity(ana)}
    assert (by_kind["replies"]["count"], by_kind["replies"]["message"]["thread"]) == (2, 1)
    reaction = by_kind["reactions"]
    assert (reaction["emoji"], reaction["count"], reaction["users"]) == ("👍", 2, [chloe.id, ben.id])


async def test_what_was_seen_is_no_longer_unread(ana: Person, ben: Person) -> None:
    """Reading the conversation and the thread, and looking through the reactions; a later reaction is unread again."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "one")
    await ben.says(room, "@ana two")
    await answers(ben, room, 1, "three")
    await reacts(ben, room, 1, "👍")
    assert [one["unread"] for one in await activity(ana)] == [True] * 3
    await marks_read(ana, room, 2)
    await marks_thread(ana, room, 1, 3)
    newest = (await activity(ana))[0]["at"]
    for at in (newest, "2020-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z"):
        assert await tries(ana, "PUT", "/api/chat/activity/read", {"at": at}) == (204, "")
    assert [one["unread"] for one in await activity(ana)] == [False] * 3
    await reacts(ben, room, 1, "🎉")
    assert [one["emoji"] for one in await activity(ana) if one["unread"]] == ["🎉"]


async def test_only_what_the_user_may_read_now(ana: Person, ben: Person, chloe: Person) -> None:
    """Deleted messages, removed reactions, conversations that the user has left, and blocked users are missing."""
    room, other = [await begins(ana, "channel", name, ben, chloe, private=True) for name in ("room", "other")]
    for where in (room, other):
        await ana.says(where, "root")
        await ben.says(where, "@ana hello")
        await answers(ben, where, 1, "reply")
        await reacts(ben, where, 1, "👍")
    assert len(await activity(ana)) == 6
    await sets_member(ana, other, ben, "owner")
    assert (await removes_member(ben, other, ana))[0] == 204
    assert {one["message"]["conversation"] for one in await activity(ana)} == {room}
    await reacts(ben, room, 1, "👍", on=False)
    await deletes(ben, room, 2)
    assert await told(ana) == [("replies", "reply", True)]
    await deletes(ben, room, 3)
    assert await told(ana) == []
    await reacts(ben, room, 1, "👍")
    await ben.says(room, "@channel again")
    await answers(ben, room, 1, "again")
    await blocks(ana, ben)
    assert await told(ana) == []
    await reacts(chloe, room, 1, "👍")
    assert [one["users"] for one in await activity(ana)] == [[chloe.id]]
    await tries(ana, "DELETE", f"{CONVERSATIONS}/{room}")
    assert await told(ana) == []


async def test_a_channel_is_quiet_about_its_past(ana: Person, ben: Person) -> None:
    """Mentions of all from before Ben joined are not for him."""
    room = await begins(ana, "channel", "room")
    await ana.says(room, "@channel early")
    await sets_member(ben, room, "me")
    await ana.says(room, "@channel late")
    assert await told(ben) == [("mentions", "@channel late", True)]


async def test_wrong_pages_are_refused(ana: Person) -> None:
    """A page is named by what an earlier one returned."""
    for query in ("kind=likes", "before=x", "before=1.2", "before=999999999999999.1.1", "limit=0", "limit=51"):
        assert await tries(ana, "GET", f"/api/chat/activity?{query}") == (422, "invalid"), query
    assert await tries(ana, "PUT", "/api/chat/activity/read", {"at": "now"}) == (422, "invalid")


async def test_a_page_costs_the_same_in_a_large_database(ana: Person, ben: Person, database_url: str) -> None:
    """Among 60,000 messages with mentions and reactions, a page at the top or in the middle reads indexes alone."""
    rooms = [await begins(ana, "channel", f"room {n}", ben) for n in range(3)]
    with psycopg.connect(database_url) as database:
        for room in rooms:
            database.execute(FILL, {"room": room, "ana": ana.id, "ben": ben.id})
        database.execute("analyze")
        cost = LIMITS["random_page_cost"]  # of the connections of nodes
        database.execute("select set_config('random_page_cost', %s, false)", [cost])
        for before in (triage.TOP, triage.parse_place(f"{1_600_000_000_000 + 10_000 * 1000}.{rooms[1]}.10000")):
            for query in triage.KINDS.values():
                asked = before._asdict() | {"user": ana.id, "most": 50, "reacting": 5}
                row = database.execute(b"explain (analyze, format json) " + query, asked).fetchone()
                assert row is not None
                read = [one for one in nodes(row[0][0]["Plan"]) if one.get("Relation Name", "") in LARGE]
                read += [
                    one for one in nodes(row[0][0]["Plan"]) if one.get("Relation Name", "").startswith("messages_")
                ]
                assert sum(one["Actual Rows"] * one["Actual Loops"] for one in read) < 2_000
                assert not [one for one in read if one["Node Type"] == "Seq Scan" and one["Actual Loops"]]


LARGE = ("mentions", "reactions", "messages_")
FILL = """
with said as (
    insert into messages (conversation_id, seq, position, author_id, client_id, body, created_at, mentions, thread,
                          last_reply, last_reply_at, replies)
    select %(room)s, n, n, case when n %% 2 = 0 then %(ana)s else %(ben)s end, 'n' || n, 'words',
           to_timestamp(1600000000 + n), array[%(ana)s::bigint], null,
           case when n %% 200 = 0 then n + 1 end, case when n %% 200 = 0 then to_timestamp(1600000001 + n) end,
           case when n %% 200 = 0 then 1 else 0 end
      from generate_series(1, 20000) n),
moved as (update conversations set last_seq = 20000 where id = %(room)s),
mentioned as (
    insert into mentions (conversation_id, user_id, seq, author_id)
    select %(room)s, case when n %% 5 = 0 then 0 else %(ana)s end, n, %(ben)s from generate_series(1, 20000) n),
followed as (
    insert into thread_follows (conversation_id, root_seq, user_id, read_seq)
    select %(room)s, n, %(ana)s, n from generate_series(200, 20000, 200) n)
insert into reactions (conversation_id, seq, emoji, since, users, author_id, latest_at)
select %(room)s, n, '👍', n, array[%(ben)s::bigint], %(ana)s, to_timestamp(1600000000 + n)
  from generate_series(2, 20000, 2) n
"""
