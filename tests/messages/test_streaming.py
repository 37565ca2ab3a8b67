"""Streamed messages: post, append, finish, stop; and what everything else makes of them."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chat.api_schema.models import MessageModel, Problem
from chat.api_schema.stream_events import StopRequest, TextAppended, TextFinished
from chat.messages.endpoints import APPENDS
from tests.cast import Cast, Person, casting
from tests.messages.streaming import appends, finishes, read_streamed, starts, tries_to_append, writes
from tests.nodes import Node, running_node
from tests.stream.websocket_client import listens_at_socket
from tests.verbs import (
    CONVERSATIONS,
    begins,
    marks_read,
    pages,
    reads,
    removes_member,
    sees,
    sets_member,
    tries,
)
from tests.waiting import eventually


@asynccontextmanager
async def staging(database_url: str, redis_url: str, **settings: float) -> AsyncIterator[tuple[Node, Cast]]:
    """Yield a node with these settings, and its users."""
    async with running_node(database_url, redis_url, **settings) as node, casting(database_url, node.url) as cast:
        yield node, cast


async def test_readers_receive_the_text_while_it_is_written(ana: Person, ben: Person) -> None:
    """The message arrives empty, then the appends, then the finish; history and answer have the whole text."""
    room = await begins(ana, "channel", "room", ben)
    reader, socket = await ben.listens(), await listens_at_socket(ben)
    seq = await starts(ana, room)
    await writes(ana, room, seq, "Once ", "upon ", "a time")
    assert (await reads(ben, room, seq)) | {"created_at": ""} == {
        "conversation": room, "seq": seq, "author": ana.id, "body": "Once upon a time", "created_at": "",
        "client_id": (await reads(ben, room, seq))["client_id"], "streaming": True,
    }  # fmt: skip
    message = await finishes(ana, room, seq)
    assert (message["body"], message["state"], "streaming" in message) == ("Once upon a time", "complete", False)
    assert (await pages(ben, room))["messages"] == [message]
    finish = (await reader.hears_event("finish")).json()
    assert finish == {"conversation": room, "seq": seq, "state": "complete", "length": 16}
    assert read_streamed(reader.events) == ("Once upon a time", finish)
    assert reader.named("edit") == []
    for event in reader.named("append"):
        TextAppended.model_validate(event.json())
    TextFinished.model_validate(finish)
    MessageModel.model_validate(message)
    await eventually(lambda: socket.named("finish"))
    assert read_streamed(socket.events) == ("Once upon a time", finish)


async def test_an_append_is_stored_once(ana: Person, ben: Person) -> None:
    """Repeats change nothing, an overlap continues, a gap tells the true length, another text is refused."""
    room = await begins(ana, "channel", "room", ben)
    seq = await starts(ana, room)
    assert await appends(ana, room, seq, 0, "abc") == 3
    assert await appends(ana, room, seq, 0, "abc") == 3
    assert await appends(ana, room, seq, 1, "b") == 3
    assert await appends(ana, room, seq, 1, "bcde") == 5
    assert await appends(ana, room, seq, 5, "") == 5
    status, gap = await tries_to_append(ana, room, seq, 7, "x")
    assert (status, gap["code"], gap["length"]) == (409, "gap", 5)
    Problem.model_validate(gap)
    status, other = await tries_to_append(ana, room, seq, 4, "x")
    assert (status, other["code"], other["length"]) == (409, "other_text", 5)
    assert (await reads(ben, room, seq))["body"] == "abcde"


async def test_lengths_are_code_points(ana: Person, ben: Person) -> None:
    """Astral characters, combining marks and joiners count one each; half a surrogate and NUL are refused."""
    room = await begins(ana, "channel", "room", ben)
    reader = await ben.listens()
    seq = await starts(ana, room)
    text = "🦖e\u0301👩\u200d🚀\n \u2028"
    at = 0
    for letter in text:
        at = await appends(ana, room, seq, at, letter)
    assert at == len(text)
    for wrong in (
        '{"at":9,"text":"\\ud83e"}',
        '{"at":9,"text":"\\u0000"}',
        '{"at":-1,"text":"x"}',
        '{"at":true,"text":"x"}',
    ):
        path = f"{CONVERSATIONS}/{room}/messages/{seq}/append"
        status, problem, _ = await ana.asks("POST", path, data=wrong)
        assert (status, problem["code"]) == (422, "invalid"), wrong
    await finishes(ana, room, seq)
    await reader.hears_event("finish")
    assert read_streamed(reader.events)[0] == text


async def test_only_the_author_appends(ana: Person, ben: Person, mallory: Person) -> None:
    """Other members and visitors are refused; outsiders of a private conversation find nothing."""
    room = await begins(ana, "channel", "room", ben)
    secret = await begins(ana, "channel", "secret", private=True)
    seq, hidden = await starts(ana, room), await starts(ana, secret)
    for call, body in (("append", {"at": 0, "text": "x"}), ("finish", {"state": "failed"})):
        here, there = (f"{CONVERSATIONS}/{one}/messages/1/{call}" for one in (room, secret))
        assert await tries(ben, "POST", here, body) == (403, "not_yours")
        assert (await tries(mallory, "POST", here, body))[0] == 403
        assert await tries(mallory, "POST", there, body) == (404, "not_found")
    assert (seq, hidden) == (1, 1)
    assert await tries(mallory, "POST", f"{CONVERSATIONS}/{room}/messages/1/stop") == (403, "not_member")
    assert (await tries_to_append(ana, room, 2, 0, "x"))[0] == 404
    said = await ana.says(room, "not streamed")
    assert (await tries_to_append(ana, room, said["seq"], 0, "x"))[1]["code"] == "finished"
    assert (await reads(ana, room, seq))["body"] == ""


async def test_a_former_member_appends_nothing(ana: Person, ben: Person) -> None:
    """Also in a public channel, whose messages they can still read, and before the message has failed."""
    room = await begins(ana, "channel", "room", ben)
    seq = await starts(ben, room)
    await writes(ben, room, seq, "before")
    await removes_member(ana, room, ben)
    status, problem = await tries_to_append(ben, room, seq, 6, " after")
    assert (status, problem["code"]) == (403, "not_member")
    assert (await reads(ana, room, seq))["body"] == "before"


async def test_after_the_end_nothing_changes(ana: Person, ben: Person) -> None:
    """The same finish again is answered like the first; another one and further text are refused."""
    room = await begins(ana, "channel", "room", ben)
    seq = await starts(ana, room)
    await writes(ana, room, seq, "half a")
    message = await finishes(ana, room, seq, "cancelled")
    assert message["state"] == "cancelled"
    assert await finishes(ana, room, seq, "cancelled") == message
    path = f"{CONVERSATIONS}/{room}/messages/{seq}"
    assert await tries(ana, "POST", f"{path}/finish", {"state": "complete"}) == (409, "finished")
    assert await tries(ana, "POST", f"{path}/append", {"at": 6, "text": " word"}) == (409, "finished")
    assert await tries(ben, "POST", f"{path}/stop") == (409, "finished")
    assert await tries(ana, "POST", f"{path}/finish", {"state": "done"}) == (422, "invalid")
    assert (await pages(ben, room))["messages"] == [message]


async def test_a_reader_asks_the_author_to_stop(ana: Person, ben: Person, chloe: Person) -> None:
    """Only the author's streams receive it, once; members of a read-only channel must not ask."""
    room = await begins(ana, "channel", "room", ben, chloe)
    seq = await starts(ana, room)
    author, other = await ana.listens(), await chloe.listens()
    path = f"{CONVERSATIONS}/{room}/messages/{seq}/stop"
    assert await tries(ben, "POST", path) == (202, "")
    assert await tries(chloe, "POST", path) == (202, "")
    stop = (await author.hears_event("stop")).json()
    StopRequest.model_validate(stop)
    assert stop == {"conversation": room, "seq": seq, "by": ben.id}
    await ana.says(room, "stopped")
    await other.hears("stopped")
    assert other.named("stop") == []
    assert len(author.named("stop")) == 1
    second = await starts(ana, room)
    assert await tries(ana, "PATCH", f"{CONVERSATIONS}/{room}", {"read_only": True}) == (200, "")
    path = f"{CONVERSATIONS}/{room}/messages/{second}/stop"
    assert await tries(ben, "POST", path) == (403, "read_only")
    assert await tries(ana, "POST", path) == (202, "")


async def test_appends_that_arrive_together_share_an_entry(database_url: str, redis_url: str) -> None:
    """A hundred tokens within one interval cost one or two entries of the log, in the order in which they begin."""
    async with (
        running_node(database_url, redis_url, append_interval=1.0) as node,
        casting(database_url, node.url) as cast,
    ):
        ana, ben = await cast.enters("ana", "ben")
        room = await begins(ana, "channel", "room", ben)
        reader = await ben.listens()
        seq = await starts(ana, room)
        await writes(ana, room, seq, "0")
        await asyncio.gather(*(appends(ana, room, seq, at, str(at % 10)) for at in range(1, 101)))
        await finishes(ana, room, seq)
        await reader.hears_event("finish")
        assert read_streamed(reader.events)[0] == "".join(str(at % 10) for at in range(101))
        assert len(reader.named("append")) <= 3
        assert node.app[APPENDS].appends == 101
        assert node.app[APPENDS].entries == len(reader.named("append"))


async def test_appends_over_the_socket_do_not_wait_for_each_other(database_url: str, redis_url: str) -> None:
    """Fifty appends and a finish are sent at once, and acknowledged in order, after a few entries."""
    async with running_node(database_url, redis_url) as node, casting(database_url, node.url) as cast:
        (ana,) = await cast.enters("ana")
        room = await begins(ana, "channel", "room")
        socket = await listens_at_socket(ana)
        seq = await starts(ana, room)
        where = {"conversation": room, "seq": seq}
        for n in range(50):
            await socket.says(json.dumps({"type": "append", "id": n, **where, "at": 2 * n, "text": f"{n:02}"}))
        await socket.says(json.dumps({"type": "finish", "id": "end", **where, "state": "complete"}))
        await eventually(lambda: len(socket.named("ack")) == 51)
        acks = [one.json() for one in socket.named("ack")]
        assert [ack["id"] for ack in acks] == [*range(50), "end"]
        assert [ack["length"] for ack in acks[:-1]] == [2 * n + 2 for n in range(50)]
        assert acks[-1]["message"]["body"] == "".join(f"{n:02}" for n in range(50))
        assert node.app[APPENDS].entries < 25
        await socket.says(json.dumps({"type": "append", "id": 99, **where, "at": 0, "text": "x"}))
        assert (await eventually(lambda: socket.named("problem")))[0].json()["code"] == "finished"


async def test_the_text_is_limited(database_url: str, redis_url: str) -> None:
    """The message takes exactly MAX_STREAMED_CHARS, and each append 16,000 characters."""
    async with (
        running_node(database_url, redis_url, max_streamed_chars=100) as node,
        casting(database_url, node.url) as cast,
    ):
        (ana,) = await cast.enters("ana")
        room = await begins(ana, "channel", "room")
        seq = await starts(ana, room)
        assert await appends(ana, room, seq, 0, "🦖" * 100) == 100
        assert (await tries_to_append(ana, room, seq, 100, "x"))[1]["code"] == "invalid"
        assert (await tries_to_append(ana, room, seq, 100, "x" * 16_001))[1]["code"] == "invalid"
        assert (await finishes(ana, room, seq))["body"] == "🦖" * 100


async def test_a_retried_post_finds_the_text_so_far(ana: Person) -> None:
    """An author that has lost the answer posts again, and continues at the length of what it finds."""
    room = await begins(ana, "channel", "room")
    draft = {"body": "", "client_id": "once", "streaming": True}
    path = f"{CONVERSATIONS}/{room}/messages"
    assert (await ana.call("POST", path, draft))[0] == 201
    await writes(ana, room, 1, "so far")
    status, said = await ana.call("POST", path, draft)
    assert (status, said["message"]["body"], said["message"]["streaming"]) == (200, "so far", True)
    assert (await tries(ana, "POST", path, {"body": "", "client_id": "twice"})) == (422, "invalid")


async def test_a_message_may_begin_with_text_and_reply_in_a_thread(ana: Person, ben: Person) -> None:
    """Appends continue the text that the message was posted with."""
    room = await begins(ana, "channel", "room", ben)
    await ben.says(room, "Why?")
    reader = await ben.listens()
    seq = await starts(ana, room, "Because ", thread=1)
    await writes(ana, room, seq, "it ", "is.", at=8)
    assert (await finishes(ana, room, seq))["body"] == "Because it is."
    await reader.hears_event("finish")
    assert read_streamed(reader.events)[0] == "Because it is."
    assert (await reads(ben, room, 1))["replies"] == 1


async def test_unread_at_the_start_and_mentioned_at_the_finish(ana: Person, ben: Person) -> None:
    """The message counts once. Its mentions count, and searches find it, when it is finished."""
    room = await begins(ana, "channel", "room", ben)
    reader = await ben.listens()
    seq = await starts(ana, room)
    (mine,) = (await sees(ben))["conversations"]
    assert (mine["unread"], mine["mentions"], mine["last_message"]["streaming"]) == (1, 0, True)
    await writes(ana, room, seq, "Hello @b", "en, tomatoes ", "are ripe")
    (mine,) = (await sees(ben))["conversations"]
    assert (mine["unread"], mine["mentions"], mine["last_message"]["body"]) == (1, 0, "Hello @ben, tomatoes are ripe")
    message = await finishes(ana, room, seq)
    assert message["mentions"] == [ben.id]
    (mine,) = (await sees(ben))["conversations"]
    assert (mine["unread"], mine["mentions"]) == (1, 1)
    finish = (await reader.hears_event("finish")).json()
    assert (finish["mentions"], finish["author"]) == ([ben.id], ana.id)

    async def found() -> bool:
        _, said = await ben.call("GET", "/api/chat/search?q=tomatoes")
        return [one["message"]["seq"] for one in said["results"]] == [seq]

    await eventually(found)
    await marks_read(ben, room, seq)
    (mine,) = (await sees(ben))["conversations"]
    assert (mine["unread"], mine["mentions"]) == (0, 0)


async def test_an_author_who_leaves_or_is_silent_fails(database_url: str, redis_url: str) -> None:
    """The message keeps its text and becomes `failed` by itself; every reader is told."""
    async with (
        running_node(database_url, redis_url, streaming_idle=1.0) as node,
        casting(database_url, node.url) as cast,
    ):
        ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
        room = await begins(ana, "channel", "room", ben, chloe)
        reader = await chloe.listens()
        left, silent = await starts(ben, room), await starts(ana, room)
        await writes(ben, room, left, "I am about to")
        assert (await removes_member(ben, room, "me"))[0] == 204
        await eventually(lambda: [one.json()["seq"] for one in reader.named("finish")] == [left, silent])
        assert {one.json()["state"] for one in reader.named("finish")} == {"failed"}
        message = await reads(chloe, room, left)
        assert (message["body"], message["state"]) == ("I am about to", "failed")
        assert (await tries_to_append(ana, room, silent, 0, "sorry"))[1]["code"] == "finished"


async def test_an_empty_append_keeps_an_author_present(database_url: str, redis_url: str) -> None:
    """A model that thinks for long appends nothing, again and again, and does not fail."""
    async with (
        running_node(database_url, redis_url, streaming_idle=1.5) as node,
        casting(database_url, node.url) as cast,
    ):
        (ana,) = await cast.enters("ana")
        room = await begins(ana, "channel", "room")
        reader = await ana.listens()
        seq, abandoned = await starts(ana, room), await starts(ana, room)

        async def failed() -> bool:
            assert await appends(ana, room, seq, 0, "") == 0
            return [one.json()["seq"] for one in reader.named("finish")] == [abandoned]

        await eventually(failed)
        assert (await finishes(ana, room, seq))["state"] == "complete"


async def test_archived_conversations_take_no_more_text(ana: Person, ben: Person) -> None:
    """The author can still finish."""
    room = await begins(ana, "channel", "room", ben)
    seq = await starts(ana, room)
    assert await tries(ana, "DELETE", f"{CONVERSATIONS}/{room}") == (204, "")
    assert (await tries_to_append(ana, room, seq, 0, "x"))[1]["code"] == "archived"
    assert (await finishes(ana, room, seq, "cancelled"))["state"] == "cancelled"


async def test_a_long_text_is_found(ana: Person) -> None:
    """Its beginning is, although PostgreSQL could not store the vector of all of it; and so are later messages."""
    room = await begins(ana, "channel", "room")
    seq, at = await starts(ana, room), 0
    text = "tomato " + "".join(random.Random(17).choices([chr(ord("一") + n) for n in range(20_000)], k=63_000))
    for start in range(0, len(text), 16_000):
        at = await appends(ana, room, seq, at, text[start : start + 16_000])
    await finishes(ana, room, seq)
    later = await ana.says(room, "another tomato")

    async def found() -> bool:
        _, said = await ana.call("GET", "/api/chat/search?q=tomato")
        return [one["message"]["seq"] for one in said["results"]] == [later["seq"], seq]

    await eventually(found)
    _, said = await ana.call("GET", "/api/chat/search?q=tomato")
    assert said["results"][1]["message"]["body"] == text


async def test_a_stopping_node_writes_what_waits(database_url: str, redis_url: str) -> None:
    """An append that waits for its interval is stored and answered before the node ends."""
    async with casting(database_url, "") as cast:
        (ana,) = await cast.enters("ana")
        async with running_node(database_url, redis_url, append_interval=0.5) as node:
            ana.at = node.url
            room = await begins(ana, "channel", "room")
            seq = await starts(ana, room)
            await appends(ana, room, seq, 0, "first, ")
            second = asyncio.ensure_future(appends(ana, room, seq, 7, "second"))
            await eventually(lambda: node.app[APPENDS].waiting() == 1)
        assert await second == 13
        async with running_node(database_url, redis_url, node="b2") as other:
            ana.at = other.url
            assert (await reads(ana, room, seq))["body"] == "first, second"


async def test_a_new_member_finds_the_text_so_far(ana: Person, ben: Person) -> None:
    """A member who joins in the middle reads what there is, and then receives the rest."""
    room = await begins(ana, "channel", "room")
    seq = await starts(ana, room)
    await writes(ana, room, seq, "first half, ")
    reader = await ben.listens()
    assert (await sets_member(ana, room, ben))[0] == 201
    so_far = await eventually(lambda: [one.json() for one in reader.named("conversation")])
    assert so_far[0]["last_message"]["body"] == "first half, "
    await writes(ana, room, seq, "second half", at=12)
    await finishes(ana, room, seq)
    await reader.hears_event("finish")
    assert read_streamed(reader.events, "first half, ")[0] == "first half, second half"


async def test_metrics_count_appends_and_entries(cast: Cast, node: Node, ana: Person) -> None:
    """Operators see how many messages are written at the moment, and what appends cost."""
    room = await cast.share(ana)
    seq = await starts(ana, room)
    await writes(ana, room, seq, "a", "b")

    async def shown() -> str:
        async with cast.http.get(f"{node.url}/metrics") as answer:
            return await answer.text()

    async def running() -> bool:
        return "tandem_streamed_running 1.0" in await shown()

    await eventually(running)
    text = await shown()
    assert "tandem_appends_total 2.0" in text
    assert "tandem_append_entries_total 2.0" in text
