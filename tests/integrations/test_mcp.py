"""MCP: a language model reads and posts with the SDK's own client, within the scopes and conversations of its key."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from tests.cast import Cast, Person, casting
from tests.nodes import Node, running_node
from tests.verbs import CONVERSATIONS, begins, deletes, edits, pages, sees
from tests.waiting import eventually

Json = dict[str, Any]
README = Path(__file__).parents[2] / "chat" / "README.md"
EVERY = ["messages:read", "messages:write", "users:read", "presence:read"]
READING = ["list_conversations", "read", "search"]
ALL = [*READING, "post", "reply", "stream_reply", "who_is_here"]
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


@pytest.fixture
async def ada(cast: Cast) -> Person:
    """An admin."""
    return (await cast.enters("ada", role="admin"))[0]


async def makes_key(ada: Person, cast: Cast, *scopes: str, **limits: Any) -> Person:
    """Make a key; return its bot."""
    status, made = await ada.call("POST", "/api/keys", {"name": "Helper", "scopes": scopes or EVERY} | limits)
    assert status == 201, made
    return Person(cast.http, ada.at, made["key"]["user"]["name"], made["key"]["user"]["id"], made["secret"])


@asynccontextmanager
async def connects(bot: Person, mode: str = "auto", heard: list[Any] | None = None) -> AsyncIterator[Client]:
    """Connect as an application of this key; `heard` receives the notifications."""

    async def hear(message: object) -> None:
        if heard is not None:
            heard.append(message)

    async with create_mcp_http_client(headers={"Authorization": f"Bearer {bot.token}"}) as http:
        transport = streamable_http_client(f"{bot.at}/mcp", http_client=http)
        async with Client(transport, mode=mode, message_handler=hear) as client:
            yield client


async def calls(client: Client, tool: str, **arguments: Any) -> Json:
    """Call a tool, which must succeed; return its answer."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return dict(json.loads(result.content[0].text))


async def is_refused(client: Client, tool: str, **arguments: Any) -> Json:
    """Call a tool, which must be refused; return the problem document."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result.content
    return dict(json.loads(result.content[0].text))


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_every_tool(mode: str, ada: Person, cast: Cast) -> None:
    """A client of either era finds its conversations, reads, searches, posts, replies and sees who is here."""
    bot = await makes_key(ada, cast)
    room = await begins(ada, "channel", "lunch", bot)
    await ada.says(room, "soup or salad?")
    async with connects(bot, mode) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ALL
        listed = await calls(client, "list_conversations")
        assert [(one["id"], one["name"], one["unread"]) for one in listed["conversations"]] == [(room, "lunch", 1)]
        posted = await calls(client, "post", conversation=room, body="Soup, @ada", client_id="answer-1")
        again = await calls(client, "post", conversation=str(room), body="Soup, @ada", client_id="answer-1")
        assert posted["message"] == again["message"]
        assert (posted["message"]["author"], posted["message"]["mentions"]) == (bot.id, [ada.id])
        reply = await calls(client, "reply", conversation=room, thread=1, body="or both")
        assert reply["message"]["thread"] == 1
        read = await calls(client, "read", conversation=room, after=1)
        assert [one["body"] for one in read["messages"]] == ["Soup, @ada", "or both"]
        assert [one["name"] for one in read["users"]] == [bot.name]
        thread = await calls(client, "read", conversation=room, thread=1)
        assert [one["body"] for one in thread["messages"]] == ["or both"]
        here = await calls(client, "who_is_here", conversation=room)
        assert {one["user"] for one in here["members"]} == {ada.id, bot.id}
        assert all("presence" in one for one in here["members"] if one["user"] == ada.id)
        await eventually(lambda: finds(client, "salad", 1))
        assert (await pages(ada, room))["messages"][1] == posted["message"]


async def test_the_example_of_the_readme(ada: Person, cast: Cast, tmp_path: Path) -> None:
    """The program in `chat/README.md` runs as it is, reads a message and answers it."""
    bot = await makes_key(ada, cast)
    room = await begins(ada, "channel", "lunch", bot)
    await ada.says(room, "soup or salad?")
    (program,) = re.findall(r"```python\n(import asyncio.*?)```", README.read_text("utf-8"), re.DOTALL)
    (tmp_path / "example.py").write_text(program, "utf-8")
    env = {"TANDEM": bot.at, "TOKEN": bot.token}
    done = await asyncio.create_subprocess_exec(
        sys.executable, tmp_path / "example.py", env=env, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await done.communicate()
    assert (done.returncode, printed.decode().split()) == (0, ALL)
    _, thread = await ada.call("GET", f"{CONVERSATIONS}/{room}/messages/1/replies")
    assert [(one["author"], one["body"]) for one in thread["messages"]] == [(bot.id, "You said: soup or salad?")]


async def finds(client: Client, query: str, seq: int) -> bool:
    """Return whether a search finds exactly this message."""
    found = await calls(client, "search", query=query)
    return [one["message"]["seq"] for one in found["results"]] == [seq]


async def test_a_streamed_reply_grows(ada: Person, cast: Cast) -> None:
    """Readers receive each piece, and the message is complete at the end. A wrong length says what to do."""
    bot = await makes_key(ada, cast)
    room = await begins(ada, "channel", "lunch", bot)
    await ada.says(room, "what is a bisque?")
    reader = await ada.listens()
    async with connects(bot) as client:
        begun = await calls(client, "stream_reply", conversation=room, thread=1, text="A soup ")
        assert begun == {"seq": 2, "length": 7, "state": "streaming"}
        problem = await is_refused(client, "stream_reply", conversation=room, seq=2, at=9, text="gap")
        assert problem["code"] == "gap"
        grown = await calls(client, "stream_reply", conversation=room, seq=2, at=7, text="of crabs")
        assert grown["length"] == 15
        assert (await calls(client, "stream_reply", conversation=room, seq=2, at=15, end="complete"))["length"] == 15
        problem = await is_refused(client, "stream_reply", conversation=room, seq=2, text="no place")
        assert "together" in problem["errors"][0]["detail"]
    await reader.hears_event("finish")
    assert [one.json()["text"] for one in reader.named("append")] == ["of crabs"]
    message = (await pages(ada, room))["messages"][1]
    assert (message["body"], message["thread"], message["state"]) == ("A soup of crabs", 1, "complete")


async def test_scopes_decide_which_tools_there_are(ada: Person, cast: Cast) -> None:
    """A tool without its scope is not listed, and says which scope it needs. Names need `users:read`."""
    bot = await makes_key(ada, cast, "messages:read")
    room = await begins(ada, "channel", "lunch", bot)
    await ada.says(room, "soup")
    async with connects(bot) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == READING
        for tool in ("post", "reply", "stream_reply"):
            more = {"thread": 1, "body": "hi"} if tool == "reply" else {"body": "hi"} if tool == "post" else {}
            problem = await is_refused(client, tool, conversation=room, **more)
            assert (problem["code"], "messages:write" in problem["detail"]) == ("missing_scope", True)
        problem = await is_refused(client, "who_is_here", conversation=room)
        assert "presence:read" in problem["detail"]
        assert "users" not in await calls(client, "read", conversation=room)
    assert len((await pages(ada, room))["messages"]) == 1
    writer = await makes_key(ada, cast, "messages:write")
    status, said = await sends(writer, json.dumps(INITIALIZE).encode(), {"Authorization": f"Bearer {writer.token}"})
    assert (status, said["error"]["message"]) == (403, "This API key lacks the scope messages:read.")


async def test_a_limited_key_stays_in_its_conversations(ada: Person, cast: Cast) -> None:
    """Other conversations do not exist for it, as over HTTP, also as resources."""
    room, other = await begins(ada, "channel", "orders"), await begins(ada, "channel", "salaries")
    await ada.says(other, "a lot")
    bot = await makes_key(ada, cast, conversations=[room])
    assert (await ada.call("PUT", f"{CONVERSATIONS}/{room}/members/{bot.id}", {}))[0] == 201
    async with connects(bot) as client:
        assert [one["id"] for one in (await calls(client, "list_conversations"))["conversations"]] == [room]
        for tool, more in (("read", {}), ("post", {"body": "hi"}), ("who_is_here", {})):
            assert (await is_refused(client, tool, conversation=other, **more))["code"] == "not_found"
        assert (await calls(client, "search", query="lot"))["results"] == []
        assert [str(one.uri) for one in (await client.list_resources()).resources] == [f"tandem://conversations/{room}"]
        assert json.loads((await client.read_resource(f"tandem://conversations/{room}")).contents[0].text)
        with pytest.raises(MCPError, match="do not have access"):
            await client.read_resource(f"tandem://conversations/{other}")


async def test_notifications_and_their_resume(ada: Person, cast: Cast) -> None:
    """A client hears of messages, edits and deletions. What it missed comes after its last id, once and in order."""
    bot = await makes_key(ada, cast)
    room = await begins(ada, "channel", "lunch", bot)
    heard: list[Any] = []
    async with connects(bot, "legacy", heard) as client:
        await ada.says(room, "said before the stream has opened")
        await eventually(lambda: heard)
        assert str(heard[0].params.uri) == f"tandem://conversations/{room}"
        assert heard[0].params.meta["tandem/data"]["body"] == "said before the stream has opened"
        assert (await calls(client, "read", conversation=room))["messages"]
    first = await reads(bot, 1, **{"Last-Event-ID": (await sees(ada))["cursor"]}, said=lambda: ada.says(room, "one"))
    await ada.says(room, "two")
    await edits(ada, room, 2, "uno")
    await deletes(ada, room, 3)
    missed = await reads(bot, 3, **{"Last-Event-ID": first[0][0]})
    assert [meta["tandem/event"] for _, meta in missed] == ["message", "edit", "delete"]
    assert [meta["tandem/data"]["seq"] for _, meta in missed] == [3, 2, 3]
    (reset,) = await reads(bot, 1, **{"Last-Event-ID": "nonsense"})
    assert reset[1]["tandem/data"]["reason"] == "bad_cursor"


async def reads(bot: Person, number: int, said: Any = None, **headers: str) -> list[tuple[str, Json]]:
    """Open a stream, and return the ids and the `_meta` of so many notifications."""
    given = {"Authorization": f"Bearer {bot.token}", "MCP-Protocol-Version": "2025-11-25", **headers}
    found: list[tuple[str, Json]] = []
    async with bot._http.get(f"{bot.at}/mcp", headers=given) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        lines = answer.content
        fields: dict[str, str] = {}
        while len(found) < number:
            line = (await lines.readline()).decode().rstrip("\n")
            if not line:
                if fields.get("data"):
                    found.append((fields.get("id", ""), json.loads(fields["data"])["params"]["_meta"]))
                elif said is not None and "id" in fields:
                    await said()
                    said = None
                fields = {}
            name, _, value = line.partition(":")
            fields[name] = value.strip()
    return found


async def test_subscriptions_of_2026(ada: Person, cast: Cast) -> None:
    """A client without sessions subscribes to one conversation, and hears of no other."""
    bot = await makes_key(ada, cast)
    room, other = await begins(ada, "channel", "lunch", bot), await begins(ada, "channel", "noise", bot)
    uri = f"tandem://conversations/{room}"
    async with connects(bot) as client, client.listen(resource_subscriptions=[uri]) as subscription:
        await ada.says(other, "not this")
        await ada.says(room, "this")
        assert (await anext(aiter(subscription))).uri == uri


async def test_a_stream_begins_where_the_client_introduced_itself(ada: Person, cast: Cast) -> None:
    """The id of a session names that place, so any node continues there without keeping anything."""
    bot = await makes_key(ada, cast)
    room = await begins(ada, "channel", "lunch", bot)
    status, _, headers = await bot.asks("POST", "/mcp", INITIALIZE)
    assert status == 200
    await ada.says(room, "meanwhile")
    (one,) = await reads(bot, 1, **{"Mcp-Session-Id": headers["Mcp-Session-Id"]})
    assert one[1]["tandem/data"]["body"] == "meanwhile"


async def test_errors_say_what_to_do(ada: Person, cast: Cast) -> None:
    """What is no call is answered by an error of JSON-RPC, also without a key, with a cookie alone or a huge body."""
    bot = await makes_key(ada, cast)
    asked: list[tuple[bytes, int, int, str]] = [
        (b"{", 400, -32700, "not JSON"),
        (b"[]", 400, -32600, "one JSON-RPC message"),
        (b'{"id":1,"method":"ping"}', 400, -32600, "jsonrpc"),
        (json.dumps(INITIALIZE | {"id": "x" * 200}).encode(), 400, -32600, "at most 100 characters"),
        (json.dumps(INITIALIZE | {"method": "nothing"}).encode(), 200, -32601, "Method not found"),
        (json.dumps(calling("shout")).encode(), 200, -32602, "The tools are list_conversations"),
        (b" " * 1_000_000, 413, -32600, "too large"),
    ]
    for body, status, code, text in asked:
        answer = await sends(bot, body, {"Authorization": f"Bearer {bot.token}"})
        assert (answer[0], answer[1]["error"]["code"]) == (status, code), answer
        assert text in answer[1]["error"]["message"]
    for headers in ({}, {"Cookie": f"tandem={bot.token}"}, {"Authorization": "Bearer tk_no"}):
        status, said = await sends(bot, json.dumps(INITIALIZE).encode(), headers)
        assert (status, said["error"]["data"]["code"]) == (401, "unauthenticated")
    wrong = {"Authorization": f"Bearer {bot.token}", "MCP-Protocol-Version": "1999-01-01"}
    status, said = await sends(bot, json.dumps(calling("read")).encode(), wrong)
    assert (status, "_meta" in said["error"]["message"]) == (400, True)
    async with connects(bot) as client:
        problem = await is_refused(client, "read", conversation="lunch", before=1, after=1, more=True)
        assert {one["field"] for one in problem["errors"]} >= {"conversation", "more"}


def calling(tool: str) -> Json:
    """Return the call of a tool without arguments."""
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": {}}}


async def sends(bot: Person, body: bytes, headers: dict[str, str]) -> tuple[int, Json]:
    """Post these bytes; return the status and the answer."""
    given = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"} | headers
    async with bot._http.post(f"{bot.at}/mcp", data=body, headers=given) as answer:
        return answer.status, await answer.json()


async def test_rates_are_those_of_the_routes(database_url: str, redis_url: str) -> None:
    """Posts over HTTP and over MCP use up one limit, and the tool says when to try again."""
    limits = {"rate_limits": True, "rate_post": "2/hour"}
    async with running_node(database_url, redis_url, **limits) as node, casting(database_url, node.url) as cast:
        (ada,) = await cast.enters("ada", role="admin")
        bot = await makes_key(ada, cast)
        room = await begins(ada, "channel", "lunch", bot)
        async with connects(bot) as client:
            await calls(client, "post", conversation=room, body="by MCP")
            await bot.says(room, "over HTTP")
            problem = await is_refused(client, "post", conversation=room, body="one more")
            assert (problem["code"], problem["retry_after"] > 0) == ("too_fast", True)
            assert (await calls(client, "read", conversation=room))["messages"]


async def test_the_sdk_is_loaded_by_the_first_request(node: Node) -> None:
    """A node that nobody asks for `/mcp` does not import it, which would cost 0.8 s and 39 MB."""
    assert node.url
    program = "import sys, chat.app, chat.server; sys.exit(bool({'mcp', 'mcp_types'} & sys.modules.keys()))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await process.wait() == 0
