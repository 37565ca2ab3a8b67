"""Commands over the message socket in the Python client: each is answered, and done once, across lost connections."""

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from chat.client import socket_client
from chat.client.client import ApiProblem, StreamReset
from chat.client.socket_client import FRAME_MOST, UNANSWERED_MOST, FramePace, SocketClient
from chat.tools.chaos.network import bad_network
from tests.cast import Cast, Person
from tests.client.test_client import bodies_of, client_of, cursor_of
from tests.client.test_streaming import read_message, share, text_of, words_across_kills
from tests.promises.conftest import StartNode, stage, start_node
from tests.verbs import pages, sees
from tests.waiting import breathe, eventually

__all__ = ["stage", "start_node"]
ROOT = Path(__file__).parents[2]
README = ROOT / "chat" / "client" / "README.md"


def socket_of(person: Person, url: str = "") -> SocketClient:
    """Return a client with the user's session, whose commands go over a socket."""
    return SocketClient(url or person.at, person.token, longest_wait=0.5)


async def history(person: Person, conversation: int) -> list[dict[str, Any]]:
    """Return the latest 200 messages of a conversation."""
    return list((await pages(person, conversation, "limit=200"))["messages"])


async def test_each_command_is_answered(stage: Cast, start_node: StartNode) -> None:
    """Post, edit, react, read, append, finish and delete; Ben sees what each did."""
    ana, ben, room = await share(stage, (await start_node("a1")).url)
    async with socket_of(ana) as client:
        posted = await client.post(room, "first", data={"n": 1}, type="note.added")
        assert (posted["body"], posted["author"], posted["type"]) == ("first", ana.id, "note.added")
        edited = await client.edit(room, posted["seq"], "second")
        assert (edited["body"], edited["data"]) == ("second", {"n": 1})
        await client.react(room, posted["seq"], "👍")
        (seen,) = await history(ben, room)
        assert (seen["body"], seen["reactions"]) == ("second", [{"emoji": "👍", "users": [ana.id]}])
        await client.react(room, posted["seq"], "👍", remove=True)
        await client.read(room, posted["seq"])
        assert (await sees(ana))["conversations"][0]["read_seq"] == posted["seq"]
        growing = await client.post(room, "", streaming=True)
        assert await client.append(room, growing["seq"], 0, "🥨 one") == 5
        assert await client.append(room, growing["seq"], 5, " two") == 9
        assert (await client.finish(room, growing["seq"]))["body"] == "🥨 one two"
        await client.delete(room, posted["seq"])
    first, second = await history(ben, room)
    assert (first["deleted"], second["body"], second["state"]) == (True, "🥨 one two", "complete")
    assert "reactions" not in first


async def test_a_refused_command_raises_its_problem(stage: Cast, start_node: StartNode) -> None:
    """With the code and the fields that HTTP answers; the socket stays open, and later commands are answered."""
    ana, _, room = await share(stage, (await start_node("a1")).url)
    async with socket_of(ana) as client:
        with pytest.raises(ApiProblem) as unknown:
            await client.post(room + 1, "hello")
        assert (unknown.value.status, unknown.value.code) == (404, "not_found")
        with pytest.raises(ApiProblem) as empty:
            await client.post(room, " ")
        assert (empty.value.code, len(empty.value.document["errors"])) == ("invalid", 1)
        with pytest.raises(ApiProblem) as large:
            await client.post(room, "🥨" * (FRAME_MOST // 4))
        assert (large.value.status, large.value.code) == (413, "too_large")
        assert (await client.post(room, "hello"))["seq"] == 1


async def test_a_command_that_comes_too_fast_is_repeated(stage: Cast, start_node: StartNode) -> None:
    """The server refuses the third post of a second for a moment: the client waits as it asks, and posts it."""
    node = await start_node("a1", RATE_LIMITS="1", RATE_POST="2/second")
    ana, _, room = await share(stage, node.url)
    async with socket_of(ana) as client:
        posted = [await client.post(room, str(n)) for n in range(4)]
    assert [message["seq"] for message in posted] == [1, 2, 3, 4]


async def test_many_commands_at_once_are_answered_in_their_order(stage: Cast, start_node: StartNode) -> None:
    """A hundred posts given at once are numbered as they were given; the socket is never closed for its speed."""
    node = await start_node("a1", RATE_LIMITS="1", RATE_POST="1000/minute")
    ana, _, room = await share(stage, node.url)
    async with bad_network(node.url) as wire, socket_of(ana, wire.url) as client:
        await client.post(room, "first")
        posting = [asyncio.ensure_future(client.post(room, str(n))) for n in range(100)]
        most = 0
        while not all(post.done() for post in posting):
            most = max(most, len(client._unanswered))
            assert wire.links == 1
            await breathe(0.001)
        assert [post.result()["seq"] for post in posting] == list(range(2, 102))
        assert most <= UNANSWERED_MOST


async def test_commands_are_spaced() -> None:
    """Forty go at once, and eighteen a second after them."""
    pace, began = FramePace(), time.monotonic()
    await asyncio.gather(*(pace.wait() for _ in range(40)))
    await asyncio.gather(*(pace.wait() for _ in range(9)))
    assert time.monotonic() - began > 0.45


async def test_posts_without_an_answer_are_stored_once(stage: Cast, start_node: StartNode) -> None:
    """The connection is cut just before an answer, ten times: each post is answered after all, and stored once."""
    node = await start_node("a1")
    ana, ben, room = await share(stage, node.url)
    async with bad_network(node.url) as wire, socket_of(ana, wire.url) as client:
        for n in range(10):
            wire.lose_answer(b'"ack"')
            texts = [f"{n}.{m}" for m in range(3)]
            posted = await asyncio.gather(*(client.post(room, text) for text in texts))
            assert [message["body"] for message in posted] == texts
        assert wire.lost == 10
    assert [message["body"] for message in await history(ben, room)] == [
        f"{n}.{m}" for n in range(10) for m in range(3)
    ]


async def test_a_killed_node_loses_no_command(stage: Cast, start_node: StartNode) -> None:
    """The node is killed twice with commands on their way: all are answered, and none is done twice."""
    node = await start_node("a1")
    ana, ben, room = await share(stage, node.url)
    async with socket_of(ana) as client:
        for life in range(2):
            first = await client.post(room, f"{life} first")
            doing = [asyncio.ensure_future(client.post(room, f"{life}.{n}")) for n in range(20)]
            doing.append(asyncio.ensure_future(client.edit(room, first["seq"], f"{life} edited")))  # type: ignore[arg-type]
            doing.append(asyncio.ensure_future(client.react(room, first["seq"], "👍")))  # type: ignore[arg-type]
            await asyncio.wait(doing, return_when=asyncio.FIRST_COMPLETED)
            node.kill()
            await node.start_and_wait()
            await asyncio.wait_for(asyncio.gather(*doing), 60)
    wanted = [text for life in range(2) for text in [f"{life} edited", *[f"{life}.{n}" for n in range(20)]]]
    found = await history(ben, room)
    assert [message["body"] for message in found] == wanted
    assert [message["reactions"][0]["users"] for message in found if "reactions" in message] == [[ana.id], [ana.id]]


async def test_entries_arrive_once_and_in_order_across_cuts(stage: Cast, start_node: StartNode) -> None:
    """Ana posts over a connection that is cut again and again: Ben's socket, which is cut too, yields each once."""
    node = await start_node("a1")
    ana, ben, room = await share(stage, node.url)
    async with (
        bad_network(node.url) as wire,
        socket_of(ana, wire.url) as sender,
        socket_of(ben, wire.url) as reader,
        client_of(ben) as plain,
    ):
        cursor = await cursor_of(reader)
        reading = asyncio.ensure_future(bodies_of(reader, 40, cursor))
        for n in range(40):
            if n % 8 == 0:
                await wire.cut()
            await sender.post(room, str(n))
        assert await asyncio.wait_for(reading, 60) == [str(n) for n in range(40)]
        assert await bodies_of(plain, 40, cursor) == [str(n) for n in range(40)]
        assert reader.cursor == plain.cursor


async def test_the_stream_starts_where_the_socket_was_opened(stage: Cast, start_node: StartNode) -> None:
    """A client that first sends commands and then follows the stream misses nothing. A loop can be left at any time."""
    ana, _, room = await share(stage, (await start_node("a1")).url)
    async with socket_of(ana) as client:
        for n in range(3):
            await client.post(room, str(n))
        assert await asyncio.wait_for(bodies_of(client, 2), 30) == ["0", "1"]
        await client.post(room, "3")
        abandoned = client.stream()
        assert (await anext(abandoned)).json()["body"] == "2"
        async with asyncio.timeout(30), aclosing(client.stream()) as entries:
            assert (await anext(entries)).json()["body"] == "3"
            assert [entry async for entry in abandoned] == []
            await client.post(room, "4")
            assert (await anext(entries)).json()["body"] == "4"


async def test_a_loop_over_the_entries_can_send_commands(
    stage: Cast, start_node: StartNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bot answers each message from within its loop, with far more entries ahead than it keeps: none is lost."""
    monkeypatch.setattr(socket_client, "QUEUED_MOST", 5)
    ana, ben, room = await share(stage, (await start_node("a1")).url)
    asked = [str(n) for n in range(60)]
    async with socket_of(ben) as bot:
        cursor = await cursor_of(bot)
        for text in asked:
            await ana.says(room, text)
        heard: list[str] = []
        async with asyncio.timeout(90), aclosing(bot.stream(cursor)) as entries:
            async for entry in entries:
                if entry.event == "message" and entry.json()["author"] == ana.id:
                    heard.append(entry.json()["body"])
                    await bot.post(room, f"re {entry.json()['body']}")
                    if len(heard) == len(asked):
                        break
    assert heard == asked
    found = [message["body"] for message in await history(ana, room)]
    assert found == [*asked, *[f"re {text}" for text in asked]]


async def test_a_slow_loop_leaves_entries_on_the_server(
    stage: Cast, start_node: StartNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop that stands still gets no more than its queue; commands are answered meanwhile, and nothing is lost.

    Without a command, the entries that have no room wait on the same connection.
    """
    monkeypatch.setattr(socket_client, "QUEUED_MOST", 5)
    ana, ben, room = await share(stage, (await start_node("a1")).url)
    heard: list[str] = []
    async with (
        socket_of(ben) as client,
        asyncio.timeout(60),
        aclosing(client.stream(await cursor_of(client))) as entries,
    ):
        for marks in (False, True):
            for n in range(30):
                await ana.says(room, f"{marks} {n}")
                if n == 0:
                    heard.append((await anext(entries)).json()["body"])
            await eventually(lambda: len(client._queue) == 5)
            receiver = client._receiver
            if marks:
                await client.read(room, 60)
                assert (await sees(ben))["conversations"][0]["read_seq"] == 60
            assert len(client._queue) == 5
            while heard[-1] != f"{marks} 29":
                entry = await anext(entries)
                heard += [entry.json()["body"]] if entry.event == "message" else []
            assert (client._receiver is receiver) != marks
    assert heard == [f"{marks} {n}" for marks in (False, True) for n in range(30)]


async def test_a_reset_asks_for_a_new_snapshot(stage: Cast, start_node: StartNode) -> None:
    """A cursor of another log raises, or continues from the cursor that the caller reads. Commands work meanwhile."""
    ana, _, room = await share(stage, (await start_node("a1")).url)
    async with socket_of(ana) as client:
        cursor = await cursor_of(client)
        await client.post(room, "hello")
        with pytest.raises(StreamReset, match="epoch"):
            await bodies_of(client, 1, "another.1")

        async def read_snapshot(_: str) -> str:
            await client.post(room, "reading")
            return cursor

        async with asyncio.timeout(30), aclosing(client.stream("another.1", read_snapshot)) as entries:
            assert [(await anext(entries)).json()["body"] for _ in range(2)] == ["hello", "reading"]


async def test_an_ended_session_is_refused(stage: Cast, start_node: StartNode) -> None:
    """Commands and streams raise what the server says; a session that ends fails the commands after it."""
    ana, _, room = await share(stage, (await start_node("a1")).url)
    async with SocketClient(ana.at, "no-such-token") as client:
        with pytest.raises(ApiProblem) as problem:
            await client.post(room, "hello")
        assert (problem.value.status, problem.value.code) == (401, "unauthenticated")
        with pytest.raises(ApiProblem) as problem:
            await bodies_of(client, 1)
        assert problem.value.status == 401
    async with socket_of(ana) as client:
        await client.post(room, "hello")
        await client.call("DELETE", "/api/sessions/current")
        with pytest.raises(ApiProblem) as problem:
            await asyncio.wait_for(client.post(room, "again"), 30)
        assert problem.value.status == 401


async def test_a_streamed_message_arrives_whole_across_two_kills(stage: Cast, start_node: StartNode) -> None:
    """The node is killed twice while Ana's client sends a source over its socket: Ben has every character, once."""
    node = await start_node("a1")
    ana, ben, room = await share(stage, node.url)
    async with socket_of(ana) as author, client_of(ben) as reader:
        reading = asyncio.ensure_future(read_message(reader, await cursor_of(reader)))
        message = await author.stream_message(room, words_across_kills(node, 60, (20, 40)))
        got = await asyncio.wait_for(reading, 60)
        assert message["body"] == got.text == await text_of(60)
        assert (got.state, message["state"]) == ("complete", "complete")


async def test_a_reader_stops_a_message_over_the_same_socket(stage: Cast, start_node: StartNode) -> None:
    """Ben presses Stop: the author hears of it without another connection."""
    node = await start_node("a1")
    ana, ben, room = await share(stage, node.url)

    async def endless() -> AsyncIterator[str]:
        yield "so far"
        await asyncio.Event().wait()

    async def stop() -> None:
        async def has_text() -> bool:
            return [message["body"] for message in await history(ben, room)] == ["so far"]

        await eventually(has_text)
        assert wire.links == 1
        assert (await ben.call("POST", f"/api/chat/conversations/{room}/messages/1/stop", {}))[0] == 202

    async with bad_network(node.url) as wire, socket_of(ana, wire.url) as author:
        async with asyncio.timeout(60):
            _, message = await asyncio.gather(stop(), author.stream_message(room, endless()))
    assert (message["state"], message["body"]) == ("cancelled", "so far")


async def test_the_example_of_the_readme(stage: Cast, start_node: StartNode, tmp_path: Path) -> None:
    """The bot in `chat/client/README.md` runs as it is: it says hello, answers a ping and reacts to it."""
    (program,) = [
        text for text in re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL) if "Socket" in text
    ]
    ana, bot, room = await share(stage, (await start_node("a1")).url)
    for there, here in (("https://chat.example", bot.at), ("tk_…", bot.token), ("(12,", f"({room},")):
        assert there in program
        program = program.replace(there, here)
    (tmp_path / "bot.py").write_text(program)

    async def says(*texts: str) -> bool:
        return [message["body"] for message in await history(ana, room)] == [*texts]

    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    running = await asyncio.create_subprocess_exec(sys.executable, str(tmp_path / "bot.py"), env=environment)
    try:
        await eventually(lambda: says("Hello."), 60)
        await ana.says(room, "ping")
        await eventually(lambda: says("Hello.", "ping", "pong"), 60)
        assert running.returncode is None
    finally:
        running.kill()
        await running.wait()
