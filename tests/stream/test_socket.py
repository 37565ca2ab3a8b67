"""The stream over a WebSocket keeps every promise that it keeps over SSE: entries, cursors, limits and ends."""

from collections.abc import AsyncIterator

import pytest

from chat.stream.endpoints import STREAMS
from tests.accounts.visitor import visiting
from tests.cast import Cast, Person, casting
from tests.nodes import Node, running_node
from tests.stream.websocket_client import fallen_asleep, listens_at_socket, open_websocket
from tests.verbs import removes_member, sets_member
from tests.waiting import eventually

BUFFER = 64 * 1024


@pytest.fixture
async def node(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A node with a small buffer and a short beat."""
    async with running_node(database_url, redis_url, stream_buffer=BUFFER, stream_beat=1, streams_per_person=3) as one:
        yield one


@pytest.fixture
async def cast(database_url: str, node: Node) -> AsyncIterator[Cast]:
    """Users of that node."""
    async with casting(database_url, node.url) as people:
        yield people


async def test_the_same_entries_over_both_transports(cast: Cast) -> None:
    """Ben's socket gets what Chloe's stream gets: same ids, same data; each cursor resumes on the other."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    room = await cast.share(ana, ben, chloe)
    socket, stream = await listens_at_socket(ben), await chloe.listens()
    for text in ("one", 'zwei "🥨"', "três\nlinhas"):
        await ana.says(room, text)
    await socket.hears("one", 'zwei "🥨"', "três\nlinhas")
    await stream.hears("one", 'zwei "🥨"', "três\nlinhas")
    alike = [[(event.id, event.json()) for event in reader.named("message")] for reader in (socket, stream)]
    assert alike[0] == alike[1]
    first = socket.named("message")[0].id
    await (await listens_at_socket(ben, f"after={first}")).hears('zwei "🥨"', "três\nlinhas")
    await (await ben.listens(last_event_id=first)).hears('zwei "🥨"', "três\nlinhas")


async def test_a_long_absence_is_replayed_whole(cast: Cast) -> None:
    """Hundreds of missed messages come in order, then the live ones."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    reader = await listens_at_socket(ben)
    await reader.cuts_wire()
    said = [f"message {n} " + "x" * 400 for n in range(400)]
    batch = [{"conversation": room, "body": body, "client_id": f"{n}"} for n, body in enumerate(said)]
    assert (await ana.call("POST", "/api/chat/messages", {"messages": batch}))[0] == 200
    again = await listens_at_socket(ben, f"after={reader.cursor}")
    await again.hears(*said)
    assert again.named("ready")[0].json()["resumed"] is True
    await ana.says(room, "live again")
    await again.hears(*said, "live again")


async def test_membership_is_followed(cast: Cast) -> None:
    """A new member gets entries, a removed one gets none, and a socket can be limited to conversations."""
    ana, ben = await cast.enters("ana", "ben")
    status, room = await ana.call("POST", "/api/chat/conversations", {"kind": "group", "name": "g"})
    assert status == 201
    other = await cast.share(ana, ben)
    reader, narrow = await listens_at_socket(ben), await listens_at_socket(ben, f"conversations={other}")
    await ana.says(room["id"], "before ben")
    assert (await sets_member(ana, room["id"], ben))[0] in (200, 201)
    await ana.says(room["id"], "with ben")
    assert (await removes_member(ana, room["id"], ben))[0] == 204
    await ana.says(room["id"], "without ben")
    await ana.says(other, "last")
    await reader.hears("with ben", "last")
    await narrow.hears("last")


async def test_a_stalled_reader_is_cut_and_others_do_not_wait(cast: Cast, node: Node) -> None:
    """A reader with more than the buffer unsent is cut; Chloe receives everything."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    room = await cast.share(ana, ben, chloe)
    reader, roster = await listens_at_socket(chloe), node.app[STREAMS].connections
    async with fallen_asleep(ben):
        await eventually(lambda: len([one for one in roster if one.live]) == 2)
        for n in range(400):
            await ana.says(room, f"{n} " + "x" * 15_000)
            if len(roster) == 1:
                break
        assert len(roster) == 1, "six megabytes in, the sleeper is still buffered for"
        await eventually(lambda: len(reader.bodies()) == n + 1)


async def test_a_client_that_sends_no_commands_is_closed(cast: Cast, node: Node) -> None:
    """One wrong frame is answered; the tenth within a minute closes the socket."""
    (ben,) = await cast.enters("ben")
    reader = await listens_at_socket(ben)
    await reader.says("hello?")
    problem = (await reader.hears_event("problem")).json()
    assert (problem["code"], problem["detail"]) == ("invalid", "This frame is not JSON.")
    await reader.hears_event("beat")
    for _ in range(9):
        await reader.says("x" * 8000)
    await reader.ends()
    assert (len(reader.named("problem")), reader.code) == (10, 1008)
    await eventually(lambda: len(node.app[STREAMS].connections) == 0)


@pytest.mark.parametrize(("reason", "code"), [("drain", 1001), ("age", 1001), ("revoked", 4401), ("epoch", 1012)])
async def test_a_socket_is_told_why_it_ends(cast: Cast, node: Node, reason: str, code: int) -> None:
    """The bye with its reason comes first, then the close, and nothing later."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    reader = await listens_at_socket(ben)
    node.app[STREAMS].connections.end_all(reason)  # type: ignore[arg-type]
    await ana.says(room, "too late")
    await reader.ends()
    assert (reader.events[-1].event, reader.events[-1].json(), reader.code) == ("bye", {"reason": reason}, code)
    assert reader.bodies() == []


async def test_a_session_that_ends_ends_its_socket(cast: Cast, node: Node) -> None:
    """The socket closes within a second, like streams, and the registry forgets it too."""
    async with visiting(node.url) as visitor:
        status, came = await visitor.signs_up("dora")
        assert status == 201
        dora = Person(cast.http, node.url, "dora", came["user"]["id"], came["token"])
        cast.people.append(dora)
        reader = await listens_at_socket(dora)
        assert (await dora.call("DELETE", "/api/sessions/current"))[0] == 204
        await reader.ends()
    assert (reader.events[-1].json(), reader.code) == ({"reason": "revoked"}, 4401)
    assert len(node.app[STREAMS].connections) == 0


@pytest.mark.parametrize("path", ["/", "/chat", "/api/chat", "/api/chat/stream", "/api/users/me"])
async def test_other_urls_say_where_the_sockets_are(cast: Cast, path: str) -> None:
    """A page would only tell a client that its handshake has failed."""
    (ben,) = await cast.enters("ben")
    status, problem = await ben.call("GET", path, headers={"Upgrade": "websocket", "Connection": "Upgrade"})
    assert (status, problem["code"]) == (404, "no_socket")
    assert "/api/chat/socket" in problem["detail"]


async def test_what_is_refused(cast: Cast, node: Node) -> None:
    """No upgrade, a foreign page, one too many, a cursor of another log, a draining node: each by name."""
    (ben,) = await cast.enters("ben")
    status, problem = await ben.call("GET", "/api/chat/socket")
    assert (status, problem["code"]) == (426, "upgrade_required")
    foreign = {"Cookie": f"tandem={ben.token}", "Origin": "https://elsewhere.example", "Authorization": ""}
    assert (await refused(ben, **foreign)) == 403
    reset = await (await listens_at_socket(ben, "after=other9.4")).hears_event("reset")
    assert reset.json()["reason"] == "other_epoch"
    for _ in range(2):
        await listens_at_socket(ben)
    assert await refused(ben) == 429
    node.app[STREAMS].connections.draining = True
    assert await refused(ben) == 503


async def refused(person: Person, **headers: str) -> int:
    """Return the status of the handshake's answer."""
    reader = open_websocket(person, **headers)
    await reader.ends()
    return reader.status
