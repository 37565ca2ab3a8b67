"""A session that ends closes its sockets on every node within a second; its owner sees what it has open."""

from presence.endpoints import SOCKETS
from tests.cast import Cast, Person
from tests.nodes import Node
from tests.presence.presence_client import open_presence, opens_presence
from tests.waiting import eventually


async def closes_within_a_second(ana: Person, path: str, eyes_at: list[str]) -> None:
    """End the session, and check that its sockets close on every node."""
    sockets = []
    for at in eyes_at:
        ana.at = at
        sockets.append(await opens_presence(ana))
    status, _ = await ana.call("DELETE", path)
    assert status == 204
    assert [await watcher.closes(limit=1.0) for watcher in sockets] == [4401] * len(sockets)


async def test_log_out_closes_sockets_on_all_nodes(node: Node, other: Node, cast: Cast) -> None:
    """Sockets close within a second, with the code of a revoked session."""
    (ana,) = await cast.enters("ana")
    await closes_within_a_second(ana, "/api/sessions/current", [node.url, other.url])


async def test_revocation_reaches_all_nodes_without_the_log(node: Node, other: Node, cast: Cast) -> None:
    """The registry's message alone closes sockets and streams."""
    (ana,) = await cast.enters("ana")
    reader = await ana.listens()
    watcher = await opens_presence(ana)
    session = node.app[SOCKETS].roster.of_user(ana.id)[0].member.session_id
    other.app[SOCKETS].registry.revoke(session)
    assert await watcher.closes(limit=1.0) == 4401
    await reader.ends(limit=1.0)


async def test_sessions_list_counts_what_is_open(cast: Cast) -> None:
    """The list of sessions counts the streams and sockets of each."""
    (ana,) = await cast.enters("ana")
    await ana.listens()
    async with open_presence(ana), open_presence(ana):

        async def counted() -> bool:
            _, answer = await ana.call("GET", "/api/sessions")
            (session,) = answer["sessions"]
            return (session["streams"], session["sockets"]) == (1, 2)

        await eventually(counted)


async def test_a_disabled_account_is_closed_on_all_nodes(node: Node, other: Node, cast: Cast) -> None:
    """Streams and sockets of all sessions close within a second, also when an admin ends all sessions."""
    (ada,) = await cast.enters("ada", role="admin")
    ben, chloe = await cast.enters("ben", "chloe")
    for person, method, path in ((ben, "PUT", "disabled"), (chloe, "DELETE", "sessions/all")):
        person.at = node.url
        reader = await person.listens()
        person.at = other.url
        watcher = await opens_presence(person)
        body = {"disabled": True} if method == "PUT" else None
        assert (await ada.call(method, f"/api/users/{person.id}/{path}", body))[0] == 204
        assert await watcher.closes(limit=1.0) == 4401
        await reader.ends(limit=1.0)
