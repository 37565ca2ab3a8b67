"""Data and type of messages: an application's own, delivered everywhere as they were posted, and never interpreted."""

import asyncio
import json
from typing import Any

import aiohttp
import psycopg
import pytest

from chat import migrations
from chat.messages import history
from chat.shared.postgres import Connection
from tests.cast import Person
from tests.messages.test_history import nodes
from tests.nodes import Node, running_node
from tests.search.asking import indexed
from tests.stream.test_commands import asks
from tests.stream.websocket_client import listens_at_socket
from tests.verbs import (
    CONVERSATIONS,
    begins,
    deletes,
    edits,
    follows,
    pages,
    pins,
    reads,
    removes_member,
    sees,
    sets_member,
    tries,
)
from tests.waiting import eventually

# Valid JSON in the spelling in which it is delivered: every byte of it must come through.
ODD = (
    '{"z":1,"a":{"":[],"b":[{},null,true,-0.0,0.1,1e-7,5e-324,1.7976931348623157e+308]},"__proto__":{"x":1},'
    '"big":18446744073709551615,"small":-9223372036854775808,"text":"\\u0000 \\n \\" </script> \u2028 🥨 \u202e",'
    '"A":"a","é":"e\u0301"}'
)


async def posts_raw(person: Person, room: int, fields: str, client_id: str = "raw") -> tuple[int, str]:
    """Post a message whose further fields are this text; return the status and the text of the answer."""
    text = f'{{"client_id":"{client_id}",{fields}}}'
    headers = {"Authorization": f"Bearer {person.token}", "Content-Type": "application/json"}
    url = f"{person.at}{CONVERSATIONS}/{room}/messages"
    async with person._http.post(url, data=text.encode(), headers=headers) as answer:
        return answer.status, await answer.text()


async def ships(person: Person, room: int, order: int = 1, **more: Any) -> dict[str, Any]:
    """Post a message about an order; return it."""
    draft = {"body": "", "client_id": f"order-{order}", "type": "order.shipped", "data": {"order": order}, **more}
    status, said = await person.call("POST", f"{CONVERSATIONS}/{room}/messages", draft)
    assert status == 201, said
    return dict(said["message"])


async def test_data_is_the_same_wherever_the_message_is(
    ana: Person, ben: Person, node: Node, database_url: str
) -> None:
    """Byte for byte: the answer, stream, poll, sockets, history, permalink, list, pins, threads and search."""
    room = await begins(ana, "channel", "orders", ben)
    cursor = (await sees(ben))["cursor"]
    reader, socket = await ben.listens(), await listens_at_socket(ben)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {ben.token}"}) as http:
        async with http.ws_connect(f"{node.url}/api/chat/socket?format=message") as bare:
            fields = f'"body":"pretzels","type":"order.shipped","data":{ODD}'
            status, answer = await posts_raw(ana, room, fields)
            assert status == 201
            frame = (await asyncio.wait_for(bare.receive(), 10)).data
        seen = [answer, frame]
        await reader.hears("pretzels")
        await socket.hears("pretzels")
        await follows(ben, room, 1)
        await pins(ana, room, 1)
        await indexed(database_url)
        for path in (
            f"/api/chat/stream?poll=1&after={cursor}",
            f"{CONVERSATIONS}/{room}",
            f"{CONVERSATIONS}/{room}/messages",
            f"{CONVERSATIONS}/{room}/messages?type=order.shipped",
            f"{CONVERSATIONS}/{room}/messages/1",
            f"{CONVERSATIONS}/{room}/pins",
            CONVERSATIONS,
            "/api/chat/threads",
            "/api/chat/search?q=pretzels",
        ):
            async with http.get(node.url + path) as got:
                seen.append(await got.text())
    seen += [event.raw.decode() for one in (reader, socket) for event in one.named("message")]
    expected = f'"type":"order.shipped","data":{ODD}'
    assert [text for text in seen if expected not in text.replace("\\u2028", "\u2028")] == []
    assert json.loads(ODD) == (await reads(ben, room, 1))["data"]


async def test_posting_again_finds_the_first_data(ana: Person, ben: Person) -> None:
    """A retry with other data changes nothing, by HTTP, in a batch and over the socket."""
    room = await begins(ana, "channel", "orders", ben)
    first = await ships(ana, room)
    draft = {"client_id": "order-1", "type": "other", "data": {"order": 2}}
    assert await ana.call("POST", f"{CONVERSATIONS}/{room}/messages", draft) == (200, {"message": first})
    _, said = await ana.call("POST", "/api/chat/messages", {"messages": [{**draft, "conversation": room}]})
    assert said["results"] == [{"status": 200, "message": first}]
    socket = await listens_at_socket(ana)
    command = {"type": "post", "conversation": room, "client_id": "order-1", "message_type": "x", "data": {}}
    assert (await asks(socket, **command, body="x"))["message"] == first
    command |= {"client_id": "order-2", "message_type": "order.sent", "data": {"é": [1]}}
    second = (await asks(socket, **command))["message"]
    assert (second["body"], second["type"], second["data"]) == ("", "order.sent", {"é": [1]})
    edit = {"type": "edit", "conversation": room, "seq": second["seq"], "body": "sent", "data": None}
    edited = (await asks(socket, **edit))["message"]
    assert (edited["body"], edited["type"], "data" in edited) == ("sent", "order.sent", False)


REFUSED = [
    '{"a":1,"a":1}',
    '{"a":{"b":[{"c":1,"\\u0063":2}]}}',
    '{"a":"\\ud800"}',
    '{"\\udc00":1}',
    '{"a":1e400}',
    '{"a":[-1e400]}',
    '{"a":NaN}',
    '{"a":18446744073709551616}',
    f'{{"a":-{"9" * 5000}}}',
    f'{{"a":{"[" * 100}{"]" * 100}}}',
    f'{{"a":{"[" * 4000}{"]" * 4000}}}',
    f'{{"a":"{"x" * 8185}"}}',
    f'{{"a":[{",".join("0" * 5000)}]}}',
    "[]",
    '"{}"',
    "7",
]


async def test_data_that_would_be_changed_is_refused(ana: Person) -> None:
    """By HTTP, in a batch, in an edit and over the socket. The connection and other messages are unharmed."""
    room = await begins(ana, "channel", "orders")
    first = await ana.says(room, "first")
    socket = await listens_at_socket(ana)
    headers = {"Authorization": f"Bearer {ana.token}", "Content-Type": "application/json"}
    for data in REFUSED:
        fields = f'"body":"x","data":{data}'
        assert (await posts_raw(ana, room, fields))[0] == 422, data
        batch = f'{{"messages":[{{"conversation":{room},"client_id":"raw",{fields}}}]}}'
        async with ana._http.post(f"{ana.at}/api/chat/messages", data=batch.encode(), headers=headers) as answer:
            assert answer.status == 422 or (await answer.json())["results"][0]["status"] == 422, data
        url = f"{ana.at}{CONVERSATIONS}/{room}/messages/1"
        async with ana._http.patch(url, data=f"{{{fields}}}".encode(), headers=headers) as answer:
            assert answer.status == 422, data
    for data in REFUSED[:8]:  # ten problems a minute are answered
        count = len(socket.named("problem"))
        await socket.says(f'{{"type":"post","conversation":{room},"client_id":"raw","body":"x","data":{data}}}')
        problems = await eventually(lambda count=count: socket.named("problem")[count:])
        assert problems[0].json()["status"] == 422, data
    assert (await pages(ana, room))["messages"] == [first]
    for fields in (f'"data":{{"a":[{"[" * 97}{"]" * 97}]}}', f'"data":{{"a":"{"x" * 8184}"}}', '"body":"x","data":{}'):
        assert (await posts_raw(ana, room, fields, f"n{len(fields)}"))[0] == 201, fields


@pytest.mark.parametrize("word", ["", " ", ".a", "a b", "ä", "a\n", "a" * 65, "ack", "problem", 7, "a\u200b"])
async def test_a_type_is_one_plain_word(ana: Person, word: object) -> None:
    """Of letters, digits and a few signs. The words of answers on a socket are reserved."""
    room = await begins(ana, "channel", "orders")
    draft = {"body": "x", "client_id": "c", "type": word}
    assert await tries(ana, "POST", f"{CONVERSATIONS}/{room}/messages", draft) == (422, "invalid")


async def test_a_message_needs_words_files_or_fields(ana: Person) -> None:
    """A type alone, or an object without fields, says nothing."""
    room = await begins(ana, "channel", "orders")
    for draft in ({"type": "order.shipped"}, {"data": {}}, {"data": None}):
        said = await tries(ana, "POST", f"{CONVERSATIONS}/{room}/messages", {"body": "", "client_id": "c", **draft})
        assert said == (422, "invalid")
    await ships(ana, room)
    assert await tries(ana, "PATCH", f"{CONVERSATIONS}/{room}/messages/1", {"body": "", "data": None}) == (
        422,
        "invalid",
    )


async def test_an_edit_changes_data_only_if_it_names_it(ana: Person, ben: Person) -> None:
    """Without `data` it stays; an object replaces it and null removes it. Readers get each as an edit."""
    room = await begins(ana, "channel", "orders", ben)
    await ships(ana, room, 7)
    reader = await ben.listens()
    assert (await edits(ana, room, 1, "on its way"))["data"] == {"order": 7}
    assert (await edits(ana, room, 1, "on its way", data={"left": True}))["data"] == {"left": True}
    again = await edits(ana, room, 1, "on its way", data={"left": True})
    assert "data" not in await edits(ana, room, 1, "on its way", data=None)
    found = await eventually(lambda: len(reader.named("edit")) == 3 and reader.named("edit"))
    assert [one.json().get("data") for one in found] == [{"order": 7}, {"left": True}, None]
    assert found[1].json() == again
    assert {one.json()["type"] for one in found} == {"order.shipped"}


async def test_removed_data_is_gone(
    ana: Person, ben: Person, mallory: Person, database_url: str, redis_url: str
) -> None:
    """Replaced or deleted data is in no table and no entry. Data that came after a member left is not in entries that
    were addressed to them; when they are back, they get it from the message.
    """
    room = await begins(ana, "channel", "orders", ben, mallory)
    cursors = {person: (await sees(person))["cursor"] for person in (ben, mallory)}
    for order in (1, 2, 3):
        await ships(ana, room, order, data={"secret": "tomato", "order": order})
    await removes_member(ana, room, mallory)
    await edits(ana, room, 1, "", data={"later": "carrot"})
    await edits(ana, room, 2, "no data", data=None)
    await deletes(ana, room, 3)
    assert "type" not in await reads(ben, room, 3)
    with psycopg.connect(database_url) as database:
        for where in ("log where position('tomato'::bytea in frame) > 0", "messages m where m::text like '%tomato%'"):
            assert database.execute(f"select count(*) from {where}".encode()).fetchone() == (0,), where
        late = database.execute("select kind from log where position('carrot'::bytea in frame) > 0 order by position")
        assert late.fetchall() == [("edit",)]
    await sets_member(ana, room, mallory)
    async with running_node(database_url, redis_url, node="a2") as other:
        for person in (ben, mallory):
            person.at = other.url
            reader = await person.listens(after=cursors[person])
            told = await eventually(lambda reader=reader: len(reader.messages()) == 3 and reader.messages())
            assert [one.get("data") for one in told] == [{"later": "carrot"}, None, None]


async def test_history_by_type(ana: Person, ben: Person, mallory: Person) -> None:
    """Pages in both directions have messages of one type, and say whether there are more of it."""
    room = await begins(ana, "channel", "orders", ben, private=True)
    for order in range(1, 6):
        await ships(ana, room, order, type=("order.shipped", "order.paid")[order % 2])
        await ana.says(room, "words")
    path = f"{CONVERSATIONS}/{room}/messages"

    async def asks_for(query: str) -> tuple[list[int], bool, bool]:
        page = await pages(ben, room, f"type=order.paid{query}")
        return [one["seq"] for one in page["messages"]], page["has_before"], page["has_after"]

    assert await asks_for("") == ([1, 5, 9], False, False)
    assert await asks_for("&limit=2") == ([5, 9], True, False)
    assert await asks_for("&before=9&limit=1") == ([5], True, True)
    assert await asks_for("&after=1") == ([5, 9], True, False)
    assert await asks_for("&around=6&limit=3") == ([1, 5, 9], False, False)
    assert await asks_for("&before=1") == ([], False, True)
    await deletes(ana, room, 9)
    assert await asks_for("&after=5") == ([], True, False)
    assert (await pages(ben, room, "type=unheard.of"))["messages"] == []
    assert await tries(ben, "GET", f"{path}?type=%00") == (422, "invalid")
    assert await tries(mallory, "GET", f"{path}?type=order.paid") == (404, "not_found")


async def test_the_index_of_types_is_made_again_after_a_failed_run(database_url: str) -> None:
    """A run that ended early has left some parts, attached ones too. Another run replaces them, and sets no limit."""
    text = (migrations.FOLDER / "0201_message_types.sql").read_text()
    early = text.partition("drop index concurrently if exists messages_9_type")[0]
    async with await Connection.connect(database_url, autocommit=True) as connection:
        for statements in (early, text):
            await migrations.run_outside(connection, statements)
        valid = "select count(*) from pg_index where indexrelid::regclass::text ~ '^messages.*_type$' and indisvalid"
        assert await (await connection.execute(valid)).fetchone() == (1 + 16,)
        assert await (await connection.execute("show lock_timeout")).fetchone() == ("0",)


async def test_a_rare_type_is_read_from_its_index(ana: Person, database_url: str) -> None:
    """The page reads the messages that it returns, and no others, however many there are."""
    room = await begins(ana, "channel", "orders")
    with psycopg.connect(database_url) as database:
        database.execute(
            "insert into messages (conversation_id, seq, position, author_id, client_id, body, created_at, type)"
            " select %s, n, -n, %s, n::text, '', now(), case when n %% 5000 = 0 then 'rare' end"
            " from generate_series(1, 20000) n",
            [room, ana.id],
        )
        database.execute("analyze messages")
        window = {"below": history.END, "down": 50, "above": history.END, "up": 0}
        asked = {"conversation": room, "user": ana.id, "type": "rare", **window}
        query = b"explain (analyze, format json) " + history.queries.read_typed
        row = database.execute(query, asked).fetchone()
    assert row is not None
    scans = [one for one in nodes(row[0][0]["Plan"]) if one.get("Relation Name", "").startswith("messages_")]
    assert sum(one["Actual Rows"] * one["Actual Loops"] for one in scans) <= 3 * 4  # the first, the last, the page
    assert all("_type" in one.get("Index Name", "") and "Rows Removed by Filter" not in one for one in scans)
