"""Tandem's own format: an export, imported elsewhere, gives the same export."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from chat.shared.identity import hash_token
from chat.transfer.errors import NothingToExport, PersonalData
from tests.cast import Cast, Person, casting
from tests.messages.sites import serving_pages
from tests.messages.test_previews import reads_along
from tests.nodes import Node, running_node
from tests.search.asking import finds, indexed
from tests.transfer.files import big, exports, imports, write_lines, write_people
from tests.verbs import CONVERSATIONS, begins, marks_read, sees
from tests.waiting import eventually

KINDS = {"user", "block", "conversation", "message", "pin", "member", "follow", "ban"}
PATHS = (CONVERSATIONS, "/api/chat/threads", "/api/users/me", "/api/users/me/blocks")


async def does(person: Person, method: str, path: str, json: Any = None) -> None:
    """Make a call that succeeds."""
    status, said = await person.call(method, path, json)
    assert status in (200, 201, 204), said


async def live_a_little(ana: Person, ben: Person, chloe: Person) -> int:
    """Create a channel with everything that can happen; return its id."""
    room = await begins(ana, "channel", "garden", ben, chloe, topic="what grows")
    at = f"{CONVERSATIONS}/{room}"
    for number in range(12):
        await (ana, ben)[number % 2].says(room, f"line {number} 🍅 \n*with* more")
    await ben.says(room, "see @ana and @chloe")
    await does(ben, "POST", f"{at}/messages", {"body": "quoting", "client_id": "q", "reply_to": 3})
    await does(ana, "POST", f"{at}/messages", {"body": "in a thread", "client_id": "t1", "thread": 2})
    await does(chloe, "POST", f"{at}/messages", {"body": "and another", "client_id": "t2", "thread": 2})
    data = {"z": [1.5, -0.0, 2**64 - 1, None, {}], "a": {"text": "\0 \u2028 🥨 </script>", "__proto__": {}}}
    await does(ana, "POST", f"{at}/messages", {"client_id": "d1", "type": "order.shipped", "data": data})
    await does(ben, "POST", f"{at}/messages", {"body": "with {}", "client_id": "d2", "data": {}})
    await does(ana, "PATCH", f"{at}/messages/1", {"body": "said otherwise"})
    await does(ben, "DELETE", f"{at}/messages/4")
    for person, emoji in ((chloe, "🎉"), (ben, "👍"), (ana, "🎉")):
        await does(person, "PUT", f"{at}/messages/5/reactions/{emoji}")
    await does(ana, "PUT", f"{at}/pins/6")
    await does(ben, "PUT", f"{at}/pins/5")
    await does(ana, "PUT", f"{at}/notifications", {"level": "mentions"})
    await marks_read(chloe, room, 7)
    return room


async def live(cast: Cast) -> tuple[Person, Person, Person, int]:
    """Create three users, a channel, a group, a direct conversation, notes, an archive, a block, a ban."""
    ana, ben, chloe, mallory = await cast.enters("ana", "ben", "chloe", "mallory")
    room = await live_a_little(ana, ben, chloe)
    for kind, others in (("group", [ben, chloe]), ("direct", [ben]), ("direct", [ana])):
        place = await begins(ana, kind, "", *others)
        await ana.says(place, f"in a {kind} with {len(others)}")
    old = await begins(ben, "channel", "old", private=True)
    await ben.says(old, "the end")
    await does(ben, "DELETE", f"{CONVERSATIONS}/{old}")
    await does(ana, "PUT", f"/api/users/{mallory.id}/block")
    await does(ana, "PUT", f"{CONVERSATIONS}/{room}/bans/{mallory.id}", {"reason": "rude"})
    await does(
        ana,
        "PATCH",
        "/api/users/me",
        {
            "about": "grows\ntomatoes",
            "receipts": "off",
            "language": "ja",
            "notify": "mentions",
            "keywords": ["Soup", "hot pot"],
        },
    )
    await does(chloe, "PUT", f"{CONVERSATIONS}/{room}/notifications", {"level": "all"})
    return ana, ben, chloe, room


async def test_export_import_and_export_are_the_same(
    cast: Cast, database_url: str, elsewhere: str, redis_url: str, tmp_path: Path
) -> None:
    """Exports are equal line for line; users see the same pages, counts, threads and pins."""
    *people, room = await live(cast)
    lines = await exports(database_url, tmp_path / "here.jsonl")
    assert {line["type"] for line in lines} == KINDS
    assert await imports(elsewhere, tmp_path / "here.jsonl") == 0
    assert await exports(elsewhere, tmp_path / "there.jsonl") == lines
    async with running_node(elsewhere, redis_url, node="b1") as node:
        for person in people:
            twin = await log_in(elsewhere, cast, person, node)
            assert twin.id == person.id
            for path in (f"{CONVERSATIONS}/{room}/messages?limit=200", f"{CONVERSATIONS}/{room}/pins", *PATHS):
                assert await look(twin, path) == await look(person, path), path
        await indexed(elsewhere)
        assert await finds(twin, "otherwise") == ["said otherwise"]


async def test_previews_come_along(database_url: str, elsewhere: str, redis_url: str, tmp_path: Path) -> None:
    """The previews of links are in the export, and elsewhere in the messages, though nothing is fetched there."""
    on = {"link_previews": True, "link_previews_allow": ["127.0.0.1"]}
    async with (
        serving_pages() as site,
        running_node(database_url, redis_url, **on) as node,
        casting(database_url, node.url) as cast,
    ):
        await reads_along(database_url)
        (ana,) = await cast.enters("ana")
        room, reader = await begins(ana, "channel", "room"), await ana.listens()
        await ana.says(room, f"{site.url}/article {site.url}/latin")
        shown = (await reader.hears_event("previews")).json()["previews"]
    lines = await exports(database_url, tmp_path / "here.jsonl")
    assert [line["previews"] for line in lines if line["type"] == "message"] == [shown]
    assert await imports(elsewhere, tmp_path / "here.jsonl") == 0
    assert await exports(elsewhere, tmp_path / "there.jsonl") == lines
    assert sorted(site.paths) == ["/article", "/latin"]


async def look(person: Person, path: str) -> Any:
    """Return a user's view, without the log's position."""
    status, seen = await person.call("GET", path)
    assert status == 200, seen
    return {name: value for name, value in seen.items() if name != "cursor"}


async def log_in(database_url: str, cast: Cast, person: Person, node: Node) -> Person:
    """Log in as the same user in the second database, by SQL, because imported accounts have no password."""
    token = f"twin-of-{person.name}"
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        cursor = await connection.execute(
            "insert into sessions (user_id, token_hash, expires_at)"
            " select id, %s, now() + interval '1 day' from users where name = %s returning user_id",
            [hash_token(token), person.name],
        )
        row = await cursor.fetchone()
    assert row is not None
    return Person(cast.http, node.url, person.name, row[0], token)


async def test_a_second_import_adds_only_new_messages(
    cast: Cast, database_url: str, elsewhere: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file is recognized by its fingerprint, messages by their client ids."""
    ana, ben, _, room = await live(cast)
    lines = await exports(database_url, tmp_path / "first.jsonl")
    number = sum(line["type"] == "message" for line in lines)
    assert await imports(elsewhere, tmp_path / "first.jsonl") == await imports(elsewhere, tmp_path / "first.jsonl") == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"0 new, {number} known, 0 invalid"
    await ben.says(room, "one more")
    more = await exports(database_url, tmp_path / "second.jsonl")
    assert await imports(elsewhere, tmp_path / "second.jsonl") == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"1 new, {number} known, 0 invalid"
    there = await exports(elsewhere, tmp_path / "there.jsonl")
    assert [line for line in there if line["type"] == "message"] == [line for line in more if line["type"] == "message"]
    assert ana.id


async def test_one_conversation_is_exported_with_its_users_alone(cast: Cast, database_url: str, tmp_path: Path) -> None:
    """A conversation is chosen by name or id; an unknown one is reported."""
    *_, room = await live(cast)
    lines = await exports(database_url, tmp_path / "a.jsonl", conversation="#garden")
    assert lines == await exports(database_url, tmp_path / "b.jsonl", conversation=str(room))
    assert {line["conversation"] for line in lines if "conversation" in line} == {room}
    assert {line["name"] for line in lines if line["type"] == "user"} == {"ana", "ben", "chloe", "mallory"}
    with pytest.raises(NothingToExport, match="no conversation nowhere"):
        await exports(database_url, tmp_path / "c.jsonl", conversation="nowhere")


async def test_an_export_of_a_user_has_only_own_data(cast: Cast, database_url: str, tmp_path: Path) -> None:
    """The export has all that ana wrote and uploaded, her sessions and blocks, and nothing of others. It cannot be
    imported."""
    ana, *_, room = await live(cast)
    sections = [{"id": "starred", "conversations": [room]}, {"id": "channels"}, {"id": "direct"}]
    await does(ana, "PUT", "/api/chat/sidebar", {"version": 0, "sections": sections})
    lines = await exports(database_url, tmp_path / "ana.jsonl", person="ana")
    assert [line["sections"][0]["conversations"] for line in lines if line["type"] == "sidebar"] == [[room]]
    assert {line["author"] for line in lines if line["type"] == "message"} == {"ana"}
    assert {line["name"] for line in lines if line["type"] == "user"} == {"ana"}
    told = [line["body"] for line in lines if line["type"] == "message"]
    assert {"said otherwise", "in a thread", "in a direct with 1"} <= set(told)
    kept = [line for line in lines if line["type"] in ("login", "blocked", "reaction", "pin")]
    assert [line["type"] for line in kept] == ["login", "blocked", "reaction", "pin"]
    with pytest.raises(PersonalData):
        await imports(database_url, tmp_path / "ana.jsonl")
    assert ana.id


async def test_members_get_one_entry_and_nothing_unread(cast: Cast, database_url: str, tmp_path: Path) -> None:
    """New members receive the conversation; a later import counts as read, and one entry states the new end."""
    ana, ben = await cast.enters("ana", "ben")
    lines = big(300)
    people = write_people(tmp_path / "people.csv", ana="ana", ben="ben")
    assert await imports(database_url, write_lines(tmp_path / "first.jsonl", *lines), people=people) == 0
    reader = await ana.listens(after=(await sees(ana))["cursor"])
    (room,) = (await sees(ana))["conversations"]
    assert (room["unread"], room["last_seq"]) == (300, 300)  # the file says that she has read nothing
    await marks_read(ana, room["id"], 300)
    members = [{"type": "member", "conversation": 7, "user": "ben", "role": "member"}]
    file = write_lines(tmp_path / "more.jsonl", *lines[:-1], *big(350)[303:-1], *members)
    assert await imports(database_url, file, people=people) == 0
    await eventually(lambda: reader.named("member"))
    told = [event.json() for event in reader.named("conversation")]
    assert [(one["last_seq"], one["unread"], one["last_message"]["body"]) for one in told] == [(350, 0, "line 349")]
    assert reader.messages() == []
    (room,) = (await sees(ana))["conversations"]
    assert (room["unread"], room["last_seq"]) == (0, 350)
    await ben.says(room["id"], "alive")
    await reader.hears("alive")
    assert reader.messages()[-1]["seq"] == 351
