"""Former members get nothing: a replay obeys the same rule as history, whatever it is read from."""

import pytest

from chat.log.tail import read_entries
from chat.shared.membership import Interval, MembershipIntervals
from chat.shared.web import POOL
from tests.cast import Cast, Person
from tests.nodes import Node, running_node
from tests.stream.websocket_client import listens_at_socket
from tests.verbs import begins, edits, pins, reacts, removes_member, sees, sets_member


async def loses_ben(ana: Person, ben: Person) -> tuple[int, str]:
    """Ana posts, removes Ben, and changes everything afterwards; return the conversation, and Ben's cursor from
    before."""
    room = await begins(ana, "channel", "plans", ben, private=True)
    cursor = (await sees(ben))["cursor"]
    await ana.says(room, "before the removal")
    assert (await removes_member(ana, room, ben))[0] == 204
    await edits(ana, room, 1, "MARKER new text")
    await ana.says(room, "MARKER new message")
    await pins(ana, room, 1)
    await reacts(ana, room, 1, "👍")
    for change in ({"name": "MARKER name"}, {"topic": "MARKER topic"}):
        assert (await ana.call("PATCH", f"/api/chat/conversations/{room}", change))[0] == 200
    return room, cursor


def check(events: list[tuple[str, dict]], room: int, ben: Person) -> None:  # type: ignore[type-arg]
    """Check that Ben receives his removal, and nothing else of the conversation."""
    told = [(event, data) for event, data in events if data.get("conversation", data.get("id")) == room]
    assert told == [("member", {"conversation": room, "user": ben.id, "role": None})]


@pytest.mark.parametrize("recent", [1, 2**24])
@pytest.mark.parametrize("transport", ["detached", "attached"])
@pytest.mark.parametrize("narrow", [False, True])
async def test_a_replay_has_only_the_removal(
    database_url: str, redis_url: str, cast: Cast, recent: int, transport: str, narrow: bool
) -> None:
    """A stream, a poll and a socket get the removal alone, from the log and from a node's recent entries."""
    ana, ben = await cast.enters("ana", "ben")
    given = {"node": "b2", "recent_bytes": recent, "stream_transport": transport}
    async with running_node(database_url, redis_url, **given) as node:
        ana.at = ben.at = node.url
        room, cursor = await loses_ben(ana, ben)
        own = await begins(ana, "channel", "elsewhere", ben)
        await ana.says(own, "the end")
        only = f"{room},{own}" if narrow else ""
        reader = await ben.listens(after=cursor, conversations=only)
        await reader.hears("the end")
        check([(event.event, event.json()) for event in reader.events if event.event != "ready"], room, ben)
        query = f"poll=0&after={cursor}" + (f"&conversations={only}" if only else "")
        _, polled = await ben.call("GET", f"/api/chat/stream?{query}")
        check([(one["event"], one["data"]) for one in polled["events"]], room, ben)
        assert "MARKER" not in str(polled)
        assert not [event for event in reader.events if b"MARKER" in event.raw]


async def test_a_socket_gets_only_the_removal(cast: Cast) -> None:
    """The same over a WebSocket."""
    ana, ben = await cast.enters("ana", "ben")
    room, cursor = await loses_ben(ana, ben)
    own = await begins(ana, "channel", "elsewhere", ben)
    await ana.says(own, "the end")
    reader = await listens_at_socket(ben, f"after={cursor}")
    await reader.hears("the end")
    check([(event.event, event.json()) for event in reader.events if event.event != "ready"], room, ben)


@pytest.mark.parametrize("recent", [1, 2**24])
async def test_members_who_join_again_receive_both_memberships(
    database_url: str, redis_url: str, cast: Cast, recent: int
) -> None:
    """Ben was away all the time: his stream gets what history shows him, and nothing from between his memberships."""
    ana, ben = await cast.enters("ana", "ben")
    async with running_node(database_url, redis_url, node="b2", recent_bytes=recent) as node:
        ana.at = ben.at = node.url
        room, cursor = await loses_ben(ana, ben)
        assert (await sets_member(ana, room, ben))[0] == 201
        await ana.says(room, "welcome back")
        reader = await ben.listens(after=cursor)
        await reader.hears("MARKER new text", "welcome back")
        assert [event.json()["role"] for event in reader.named("member")] == [None, "member"]
        assert reader.named("edit") == []


async def test_a_text_from_after_a_removal_is_in_no_earlier_entry(cast: Cast, node: Node) -> None:
    """A node that is behind reads the log and delivers it to members of that time: no new text may be in it."""
    ana, ben = await cast.enters("ana", "ben")
    await loses_ben(ana, ben)
    entries = (await read_entries(node.app[POOL], 0, 100)).entries
    (removal,) = [entry.position for entry in entries if entry.kind == "leave"]
    assert not [entry for entry in entries if entry.position <= removal and b"MARKER" in entry.frame]
    assert [entry.kind for entry in entries if b"MARKER new text" in entry.frame] == ["edit"]


@pytest.mark.parametrize("recent", [1, 2**24])
async def test_members_receive_the_current_text(database_url: str, redis_url: str, cast: Cast, recent: int) -> None:
    """Chloe was away but stayed a member: she gets neither the replaced text nor an empty message."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    async with running_node(database_url, redis_url, node="b2", recent_bytes=recent) as node:
        ana.at = ben.at = chloe.at = node.url
        room = await begins(ana, "channel", "room", ben, chloe)
        cursor = (await sees(chloe))["cursor"]
        await ana.says(room, "the password is tomato")
        await removes_member(ben, room, "me")
        await edits(ana, room, 1, "never mind")
        reader = await chloe.listens(after=cursor)
        await reader.hears_event("edit")
        assert reader.bodies() == ["never mind"]


def test_the_rule() -> None:
    """Members get the entries of all their memberships, former members only those that ended them, outsiders
    nothing."""
    stays = MembershipIntervals(
        30,
        [
            Interval(1, 10, 20),
            Interval(1, 25, None),
            Interval(2, 10, 20),
            Interval(3, 5, None),
        ],
    )
    read = {room: [at for at in range(40) if stays.may_read(room, at)] for room in (1, 2, 3, 4)}
    assert read == {1: [*range(10, 21), *range(25, 40)], 2: [20], 3: [*range(5, 40)], 4: []}
    stays.end(3, 31)
    stays.begin(2, 32)
    assert [at for at in range(40) if stays.may_read(3, at)] == [31]
    assert [at for at in range(40) if stays.may_read(2, at)] == [*range(10, 21), *range(32, 40)]
    assert stays.current() == {1, 2}
