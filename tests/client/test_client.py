"""The Python client against real nodes: each entry once and in order, each post stored once."""

import asyncio
from contextlib import aclosing

import pytest

from chat.client.client import ApiProblem, Backoff, Client, StreamReset
from chat.tools.chaos.network import bad_network
from tests.cast import Cast, Person
from tests.promises.conftest import StartNode, stage, start_node

__all__ = ["stage", "start_node"]
MESSAGES = 1000
KILLED_AT = (250, 600)


async def bodies_of(client: Client, count: int, cursor: str = "") -> list[str]:
    """Follow the stream until so many messages arrived; return their texts."""
    found: list[str] = []
    async with aclosing(client.stream(cursor)) as entries:
        async for entry in entries:
            if entry.event == "message":
                found.append(entry.json()["body"])
                if len(found) == count:
                    break
    return found


async def cursor_of(client: Client) -> str:
    """Return the cursor of a snapshot of the conversations."""
    return str((await client.call("GET", "/api/chat/conversations"))["cursor"])


def client_of(person: Person, url: str = "") -> Client:
    """Return a client with the user's session."""
    return Client(url or person.at, person.token, longest_wait=0.5)


async def test_a_thousand_messages_across_two_kills(stage: Cast, start_node: StartNode) -> None:
    """Ana posts a thousand messages while the node is killed twice: Ben's client yields each once, in order."""
    node = await start_node("a1")
    ana, ben = await stage.enters("ana", "ben")
    ana.at = ben.at = node.url
    conversation = await stage.share(ana, ben)
    async with client_of(ana) as sender, client_of(ben) as reader:
        reading = asyncio.ensure_future(bodies_of(reader, MESSAGES, await cursor_of(reader)))
        for n in range(MESSAGES):
            if n in KILLED_AT:
                posting = asyncio.ensure_future(sender.post(conversation, str(n)))
                node.kill()
                await node.start_and_wait()
                await posting
            else:
                await sender.post(conversation, str(n))
        assert await asyncio.wait_for(reading, 60) == [str(n) for n in range(MESSAGES)]
        page = await sender.call("GET", f"/api/chat/conversations/{conversation}/messages?limit=1")
        assert page["messages"][-1]["seq"] == MESSAGES


async def test_the_same_post_is_stored_once(stage: Cast, start_node: StartNode) -> None:
    """A client_id of an earlier process finds the message that it stored."""
    node = await start_node("a1")
    (ana,) = await stage.enters("ana")
    ana.at = node.url
    conversation = await stage.share(ana)
    async with client_of(ana) as client:
        first = await client.post(conversation, "hello", client_id="one")
        again = await client.post(conversation, "hello", client_id="one")
        assert first["seq"] == again["seq"] == 1
        with pytest.raises(ApiProblem) as problem:
            await client.post(conversation + 1, "hello")
        assert (problem.value.status, problem.value.is_temporary) == (404, False)


async def test_a_cut_connection_is_resumed(stage: Cast, start_node: StartNode) -> None:
    """The connection is cut between two messages, and messages posted meanwhile are yielded."""
    node = await start_node("a1")
    ana, ben = await stage.enters("ana", "ben")
    ana.at = ben.at = node.url
    conversation = await stage.share(ana, ben)
    async with bad_network(node.url) as wire, client_of(ben, wire.url) as reader, client_of(ana) as sender:
        reading = asyncio.ensure_future(bodies_of(reader, 20, await cursor_of(reader)))
        for n in range(20):
            if n % 5 == 0:
                await wire.cut()
            await sender.post(conversation, str(n))
        assert await asyncio.wait_for(reading, 30) == [str(n) for n in range(20)]


async def test_a_reset_asks_for_a_new_snapshot(stage: Cast, start_node: StartNode) -> None:
    """A cursor of another log raises, or the client continues from the cursor that the caller reads."""
    node = await start_node("a1")
    (ana,) = await stage.enters("ana")
    ana.at = node.url
    conversation = await stage.share(ana)
    reasons = []
    async with client_of(ana) as client:
        cursor = await cursor_of(client)
        await client.post(conversation, "hello")
        with pytest.raises(StreamReset, match="epoch"):
            await bodies_of(client, 1, "another.1")

        async def read_snapshot(reason: str) -> str:
            reasons.append(reason)
            return cursor

        async with aclosing(client.stream("another.1", read_snapshot)) as entries:
            entry = await asyncio.wait_for(anext(entries), 10)
        assert entry.json()["body"] == "hello"
        assert len(reasons) == 1


async def test_an_ended_session_is_refused(start_node: StartNode) -> None:
    """The client does not retry a stream that was refused for good."""
    node = await start_node("a1")
    async with Client(node.url, "no-such-token") as client:
        with pytest.raises(ApiProblem) as problem:
            await bodies_of(client, 1)
    assert problem.value.status == 401


async def test_logging_in(start_node: StartNode) -> None:
    """A new account logs in; a wrong password is refused."""
    node = await start_node("a1", SIGNUP="open")
    password = "correct horse battery"
    async with Client(node.url) as client:
        await client.call("POST", "/api/accounts", {"name": "ana", "password": password})
        assert (await client.log_in("ana", password))["name"] == "ana"
        assert await cursor_of(client)
        with pytest.raises(ApiProblem, match="password"):
            await client.log_in("ana", "wrong horse battery")


def test_waits_grow_and_never_undercut_the_server() -> None:
    """Waits double up to the longest one; the server's Retry-After is the least."""
    backoff = Backoff(first=1, longest=8)
    assert all(5 <= backoff.next_wait(retry_after=5) <= 5 + min(8, 2**n) for n in range(10))
    backoff.reset()
    assert backoff.next_wait() <= 1
