"""Streamed messages in the Python client: authors send text with retries, readers apply it at an offset."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.client.client import ApiProblem, Client
from chat.client.node_process import NodeProcess
from chat.client.streaming import (
    WAITING_MOST,
    MessageEnded,
    MessageStopped,
    StreamedText,
    StreamedTexts,
    TextGap,
)
from chat.tools.chaos.authors import PIECES
from chat.tools.chaos.network import bad_network
from tests.cast import Cast, Person
from tests.client.test_client import client_of, cursor_of
from tests.promises.conftest import StartNode, stage, start_node
from tests.waiting import breathe, eventually

__all__ = ["stage", "start_node"]
texts = st.lists(st.sampled_from(PIECES), max_size=20)
MANY = 200
KILLED_AT = (50, 120)


@settings(max_examples=50)
@given(texts, st.data())
def test_repeated_text_changes_nothing(pieces: list[str], data: st.DataObject) -> None:
    """Appends may begin anywhere before the end, and may repeat all of the text."""
    whole = "".join(pieces)
    message = StreamedText(1, 1)
    grown = 0
    while grown < len(whole):
        at = data.draw(st.integers(0, grown))
        end = data.draw(st.integers(grown + 1, len(whole)))
        assert message.append(at, whole[at:end]) == whole[grown:end]
        assert message.append(at, whole[at:grown]) == ""
        grown = end
    assert (message.text, message.length) == (whole, len(whole))
    with pytest.raises(TextGap):
        message.append(len(whole) + 1, "x")


def test_a_reader_of_long_text_needs_linear_time() -> None:
    """64,000 appends of one character, of which each is repeated, are no more than twice 64,000 steps."""
    message, steps = StreamedText(1, 1), 0
    for n in range(64_000):
        steps += len(message.append(n, "𝔘")) + len(message.append(n, "𝔘"))
    assert (steps, message.text) == (64_000, "𝔘" * 64_000)


async def read_message(client: Client, cursor: str) -> StreamedText:
    """Follow the stream until the first streamed message has ended; return it."""
    known = StreamedTexts()
    async with aclosing(client.stream(cursor)) as entries:
        async for entry in entries:
            message = known.apply(entry)
            if message is not None and message.state:
                return message
    raise AssertionError("the stream ended")


async def words(count: int) -> AsyncIterator[str]:
    """Yield words of many scripts, without a pause."""
    for n in range(count):
        yield f"{n} {PIECES[n % len(PIECES)]}"


async def words_across_kills(node: NodeProcess, count: int, killed_at: tuple[int, ...]) -> AsyncIterator[str]:
    """Yield words, and kill the node and start it again before some of them."""
    n = 0
    async for word in words(count):
        if n in killed_at:
            node.kill()
            await node.start_and_wait()
        n += 1
        yield word
        await breathe(0.002)


async def text_of(count: int) -> str:
    """Return the text of so many words."""
    return "".join([word async for word in words(count)])


async def share(stage: Cast, url: str) -> tuple[Person, Person, int]:
    """Bring Ana and Ben into a conversation at a node."""
    ana, ben = await stage.enters("ana", "ben")
    ana.at = ben.at = url
    return ana, ben, await stage.share(ana, ben)


async def test_a_source_arrives_whole_across_two_kills(stage: Cast, start_node: StartNode) -> None:
    """The node is killed twice while Ana's client sends a source: Ben's client has every character, once."""
    node = await start_node("a1")
    ana, ben, conversation = await share(stage, node.url)
    async with client_of(ana) as author, client_of(ben) as reader:
        reading = asyncio.ensure_future(read_message(reader, await cursor_of(reader)))
        message = await author.stream_message(conversation, words_across_kills(node, MANY, KILLED_AT))
        got = await asyncio.wait_for(reading, 60)
        assert message["body"] == got.text == await text_of(MANY)
        assert (got.state, message["state"], message.get("streaming")) == ("complete", "complete", None)


async def test_lost_answers_are_repeated(stage: Cast, start_node: StartNode) -> None:
    """Connections are cut again and again before the answer to an append: nothing is stored twice."""
    node = await start_node("a1")
    ana, ben, conversation = await share(stage, node.url)
    async with bad_network(node.url) as wire, client_of(ana, wire.url) as author, client_of(ben) as reader:
        reading = asyncio.ensure_future(read_message(reader, await cursor_of(reader)))
        async with author.stream_message(conversation) as message:
            async for word in words(12):
                wire.lose_answer(b'"length"')
                await message.append(word)
                await message.flush()
        assert wire.lost >= 12
        assert (await asyncio.wait_for(reading, 30)).text == await text_of(12)


async def test_fast_authors_wait_for_the_server(stage: Cast, start_node: StartNode) -> None:
    """An author who is faster than the server is held back, and shares requests."""
    node = await start_node("a1")
    ana, _, conversation = await share(stage, node.url)
    async with client_of(ana) as author, author.stream_message(conversation) as message:
        for _ in range(200):
            await message.append("0123456789" * 10)
            assert message._given - message.length <= WAITING_MOST + 100
    assert message.message["body"] == "0123456789" * 2000


async def test_a_reader_asks_to_stop(stage: Cast, start_node: StartNode) -> None:
    """Ben presses Stop: Ana's source is closed, though it was waiting, and the message is cancelled with its text."""
    node = await start_node("a1")
    ana, ben, conversation = await share(stage, node.url)
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[str]:
        try:
            yield "so far"
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def stop() -> None:
        page = await eventually(lambda: messages_of(ben, conversation))
        path = f"/api/chat/conversations/{conversation}/messages/{page[-1]['seq']}/stop"
        assert (await ben.call("POST", path, {}))[0] == 202

    async with client_of(ana) as author:
        _, message = await asyncio.wait_for(asyncio.gather(stop(), author.stream_message(conversation, endless())), 20)
        assert (message["state"], message["body"]) == ("cancelled", "so far")
        assert closed.is_set()
        async with author.stream_message(conversation) as writer:
            await writer.append("more")
            path = f"/api/chat/conversations/{conversation}/messages/{writer.message['seq']}/stop"
            assert (await ben.call("POST", path, {}))[0] == 202
            await eventually(lambda: writer.stopped)
            with pytest.raises(MessageStopped):
                await writer.append("and more")
            raise MessageStopped
        assert writer.message["state"] == "cancelled"


async def messages_of(person: Person, conversation: int) -> list[dict[str, str]]:
    """Return the messages with text of a conversation."""
    _, page = await person.call("GET", f"/api/chat/conversations/{conversation}/messages")
    return [message for message in page["messages"] if message["body"]]


async def test_an_author_that_fails(stage: Cast, start_node: StartNode) -> None:
    """An exception in the block, or in a source, makes the message "failed", with the text so far."""
    node = await start_node("a1")
    ana, _, conversation = await share(stage, node.url)

    async def broken() -> AsyncIterator[str]:
        yield "half"
        raise ZeroDivisionError

    async with client_of(ana) as author:
        with pytest.raises(ZeroDivisionError):
            await author.stream_message(conversation, broken())
        (message,) = await messages_of(ana, conversation)
        assert (message["body"], message["state"]) == ("half", "failed")


async def test_a_message_that_ended_elsewhere(stage: Cast, start_node: StartNode) -> None:
    """A second process of Ana's takes the message over by its client_id and ends it: the first one is told."""
    node = await start_node("a1")
    ana, _, conversation = await share(stage, node.url)

    async def write_twice(first: Client, second: Client) -> None:
        async with first.stream_message(conversation, client_id="one") as message:
            await message.append("hello ")
            await message.flush()
            async with second.stream_message(conversation, client_id="one") as again:
                assert again.length == 6
                await again.append("world")
            await message.append("!")

    async with client_of(ana) as first, client_of(ana) as second:
        with pytest.raises(MessageEnded):
            await write_twice(first, second)
        (stored,) = await messages_of(ana, conversation)
        assert (stored["body"], stored["state"]) == ("hello world", "complete")


async def test_a_refused_text_is_raised(stage: Cast, start_node: StartNode) -> None:
    """Text that is too long raises what the server says; the message fails with the text before it."""
    node = await start_node("a1", MAX_STREAMED_CHARS="1000")
    ana, _, conversation = await share(stage, node.url)

    async def write(author: Client) -> None:
        async with author.stream_message(conversation) as message:
            await message.append("x" * 900)
            await message.flush()
            await message.append("x" * 200)

    async with client_of(ana) as author:
        with pytest.raises(ApiProblem) as problem:
            await write(author)
        assert (problem.value.status, problem.value.document["errors"][0]["field"]) == (422, "text")
    (stored,) = await messages_of(ana, conversation)
    assert (stored["body"], stored["state"]) == ("x" * 900, "failed")


async def test_a_program_with_an_api_key(stage: Cast, start_node: StartNode) -> None:
    """A key is the token of a client; one that may not read cannot be stopped, and streams all the same."""
    node = await start_node("a1")
    (ada,) = await stage.enters("ada", role="admin")
    ada.at = node.url
    for scopes in (["messages:read", "messages:write"], ["messages:write"]):
        status, made = await ada.call("POST", "/api/keys", {"name": "Assistant", "scopes": scopes})
        assert status == 201
        bot = Person(stage.http, node.url, "bot", made["key"]["user"]["id"], made["secret"])
        conversation = await stage.share(ada, bot)
        async with Client(node.url, made["secret"]) as client:
            await client.post(conversation, "Here I am.")
            message = await client.stream_message(conversation, words(20))
            assert (message["author"], message["body"]) == (bot.id, await text_of(20))


async def test_a_silent_author_is_still_there(
    stage: Cast, start_node: StartNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that needs longer for its next word than the server waits keeps its message."""
    monkeypatch.setattr("chat.client.streaming.ALIVE_SECONDS", 0.3)
    node = await start_node("a1", STREAMING_IDLE="1")
    ana, _, conversation = await share(stage, node.url)
    async with client_of(ana) as author, author.stream_message(conversation) as message:
        await message.append("thinking")
        since = time.monotonic()
        await eventually(lambda: time.monotonic() - since > 2.5)
        await message.append(" done")
    assert (message.message["body"], message.message["state"]) == ("thinking done", "complete")
