"""Outsiders: for users who are not members, no route finds the conversation; this includes former and banned
members."""

import pytest

from chat.app import ROUTES
from chat.routes import CHAT
from tests.cast import Cast, Person, casting
from tests.conversations.callers import (
    BODIES,
    ENDING,
    Room,
    cursor_of,
    fill,
    furnishes,
    goes_on,
    list_calls,
    loses,
    makes,
    needs_identity,
)
from tests.nodes import running_node
from tests.presence.presence_client import PresenceClient, open_presence
from tests.stream.websocket_client import listens_at_socket
from tests.stream_client import StreamClient
from tests.verbs import begins, members_of, opens, tries
from tests.waiting import eventually

OURS = sorted({(route.method, route.path, route.handler.__name__) for route in CHAT if "{conversation}" in route.path})
SCOPED = ("{conversation}", "{link}", "{report}", "{file}")
BLIND = {"post_upload", "options_files"}  # they answer without a look at the file
THE_END = "the end"


def paths_of(path: str, conversation: object, user: object = "me") -> list[str]:
    """Return the paths of this route for one conversation and its first message."""
    parts = {"conversation": conversation, "user": user, "link": 1, "hook": 1, "delivery": 1, "emoji": "👍"}
    return [one for one in fill(path.replace("{seq}", "1"), parts) if one.count("/me") <= (user == "me")]


async def test_an_outsider_finds_nothing(ana: Person, ben: Person, mallory: Person) -> None:
    """Everything of a private channel, a group and a direct conversation is 404, and nothing has changed afterwards."""
    private = await begins(ana, "channel", "private", ben, private=True)
    group, direct = await begins(ana, "group", "", ben), await begins(ana, "direct", "", ben)
    for conversation in (private, group, direct):
        await ana.says(conversation, "between us")
    for method, path, name in OURS:
        for conversation in (private, group, direct):
            before = await opens(ben, conversation)
            for place in {*paths_of(path, conversation), *paths_of(path, conversation, ana.id)}:
                assert await tries(mallory, method, place, BODIES.get(name)) == (404, "not_found"), (method, place)
            assert await opens(ben, conversation) == before, (method, path)
            assert set(await members_of(ben, conversation)) == {ana.id, ben.id}, (method, path)


async def test_unknown_conversations_look_the_same(mallory: Person) -> None:
    """A private conversation cannot be told from an unknown one, nor from an invalid id."""
    for method, path, name in OURS:
        for conversation in ("4711", "0", "9007199254740992", "-1", "1e3", "x"):
            for place in paths_of(path, conversation):
                assert await tries(mallory, method, place, BODIES.get(name)) == (404, "not_found"), (method, place)


async def test_a_batch_reaches_nothing_either(ana: Person, ben: Person, mallory: Person) -> None:
    """A batch reaches nothing that single posts cannot."""
    group = await begins(ana, "group", "", ben)
    messages = [{"conversation": group, "body": "psst", "client_id": "1"}]
    status, said = await mallory.call("POST", "/api/chat/messages", {"messages": messages})
    assert (status, said["results"][0]["status"]) == (200, 404)
    assert (await opens(ana, group))["last_seq"] == 0


@pytest.mark.timeout(300)  # hundreds of calls
@pytest.mark.parametrize(("kind", "remembered"), [("channel", 1), ("group", 2**24)])
async def test_former_members_receive_nothing_new(
    database_url: str, redis_url: str, kind: str, remembered: int
) -> None:
    """Everything changes after Ben was removed and Chloe banned: no answer and no stream of theirs has any of it.

    Their streams and sockets are open while it happens, and again afterwards with older cursors; replays come from the
    log, or from the node's recent entries. Mallory was never a member. Each of them calls all routes of the channel;
    of the group, Ben alone does.
    """
    async with (
        running_node(database_url, redis_url, recent_bytes=remembered) as node,
        casting(database_url, node.url) as cast,
    ):
        await check_outsiders(kind, cast)


async def check_outsiders(kind: str, cast: Cast) -> None:
    """Run the story of the test above."""
    ana, ben, chloe, dora, mallory = await cast.enters("ana", "ben", "chloe", "dora", "mallory")
    foyer = await begins(ana, "channel", "foyer", ben, chloe, dora, mallory)
    cursor = await cursor_of(ana)
    room = await furnishes(kind, ana, ben, chloe, dora)
    outside = (ben, chloe, mallory)
    attached = [await listens_everywhere(person, "", room, foyer) for person in outside]
    async with open_presence(ben) as his, open_presence(chloe) as hers, open_presence(mallory) as theirs:
        watching = (his, hers, theirs)
        await loses(room, ben, chloe)
        await goes_on(room, kind, dora)
        for watcher in watching:
            await watcher.watches(ana, dora, conversations=(room.id,))
            await watcher.says("typing", conversation=room.id, on=True)
        again = [await listens_everywhere(person, cursor, room, foyer) for person in outside]
        await ana.says(foyer, THE_END)
        for reader in (reader for readers in (*attached, *again) for reader in readers):
            await eventually(lambda: THE_END in reader.bodies())  # noqa: B023 (awaited at once)
            assert not [event for event in reader.events if room.finds_secret(event.raw)]
        for reader in (reader for readers in again for reader in readers):
            assert not [event for event in reader.events if b"from before" in event.raw]
        for watcher in watching:
            check_presence(watcher, room)
    for person in outside if kind == "channel" else (ben,):
        await check_routes(cast, person, room, cursor)


async def listens_everywhere(person: Person, cursor: str, room: Room, foyer: int) -> list[StreamClient]:
    """Open streams and sockets, for everything and for the conversation alone (with the one of the last message)."""
    narrow = f"{room.id},{foyer}"
    at_socket = [await listens_at_socket(person, f"after={cursor}&conversations={narrow}")]
    return [*at_socket, await person.listens(cursor), await person.listens(cursor, conversations=narrow)]


def check_presence(watcher: PresenceClient, room: Room) -> None:
    """Check that no user is seen typing in the conversation."""
    assert not [
        frame for frame in watcher.frames if frame["type"] == "typing" or room.finds_secret(str(frame).encode())
    ]


async def check_routes(cast: Cast, person: Person, room: Room, cursor: str) -> None:
    """Check that every route of the conversation is 404, that no answer has its texts, and that nothing has changed."""
    before, last = await room.looks(), None
    for call in list_calls(room, cursor):
        if call.route.handler.__name__ == ENDING:
            continue
        if call.method != "GET" and call.route is not last:
            await cast.renews(person)
        last = call.route
        status, answer = await makes(cast.http, person, call)
        assert status < 500, call
        assert not room.finds_secret(answer), (person.name, str(call), answer)
        if any(part in call.route.path for part in SCOPED) and call.route.handler.__name__ not in BLIND:
            assert status == 404, (person.name, str(call), status)
    assert await room.looks() == before


async def test_no_call_works_without_a_session(cast: Cast) -> None:
    """Every call gets 401 with nothing else, except those that the API describes as open."""
    ana, ben, chloe, dora = await cast.enters("ana", "ben", "chloe", "dora")
    cursor = await cursor_of(ana)
    room = await furnishes("channel", ana, ben, chloe, dora)
    await goes_on(room, "channel", dora)
    nobody = Person(cast.http, ana.at, "nobody", 0, "made up")
    calls = list(list_calls(room, cursor))
    for call in calls:
        status, answer = await makes(cast.http, nobody, call)
        assert status == 401 or not needs_identity(call), (str(call), status)
        assert not room.finds_secret(answer), (str(call), answer)
    assert {(call.route.method, call.route.path) for call in calls} == {(one.method, one.path) for one in ROUTES["all"]}
