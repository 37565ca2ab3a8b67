"""Our own lines: everything goes out, comes in elsewhere, and goes out the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chat.exchange.export.export import Mark
from chat.exchange.export.file import Draft
from chat.exchange.importing import Options, import_file
from chat.exchange.intake.intake import Intake
from chat.exchange.trouble import ExchangeTrouble, NobodyThere, NotAChat, OtherFile
from chat.shared.identity import hash_token
from tests.cast import Cast, Person
from tests.databases import fresh_database
from tests.exchange.files import Json, exports, imports, write_lines
from tests.nodes import Node, running_node
from tests.search.asking import finds, indexed
from tests.verbs import CONVERSATIONS, begins, marks_read, sees
from tests.waiting import eventually

KINDS = {"user", "block", "conversation", "message", "pin", "member", "follow", "ban"}
PATHS = (CONVERSATIONS, "/api/chat/threads", "/api/users/me", "/api/users/me/blocks")


@pytest.fixture
def elsewhere(postgres_url: str, template: str) -> Iterator[str]:
    """Another database with nothing but tables."""
    with fresh_database(postgres_url, "tandem_elsewhere", template) as url:
        yield url


async def does(person: Person, method: str, path: str, json: Any = None) -> None:
    """A call that succeeds."""
    status, said = await person.call(method, path, json)
    assert status in (200, 201, 204), said


async def live_a_little(ana: Person, ben: Person, chloe: Person) -> int:
    """A channel in which all happens that can; its id."""
    room = await begins(ana, "channel", "garden", ben, chloe, topic="what grows")
    at = f"{CONVERSATIONS}/{room}"
    for number in range(12):
        await (ana, ben)[number % 2].says(room, f"line {number} 🍅 \n*with* more")
    await ben.says(room, "see @ana and @chloe")
    await does(ben, "POST", f"{at}/messages", {"body": "quoting", "client_id": "q", "reply_to": 3})
    await does(ana, "POST", f"{at}/messages", {"body": "in a thread", "client_id": "t1", "thread": 2})
    await does(chloe, "POST", f"{at}/messages", {"body": "and another", "client_id": "t2", "thread": 2})
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
    """Three people, a channel, a group, a direct, notes, an archive, a block, a ban."""
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
    await does(ana, "PATCH", "/api/users/me", {"about": "grows\ntomatoes", "receipts": "off"})
    return ana, ben, chloe, room


async def test_out_in_and_out_again_is_the_same(
    cast: Cast, database_url: str, elsewhere: str, redis_url: str, tmp_path: Path
) -> None:
    """Line for line; and people there see what they saw here: pages, counts, threads, pins."""
    *people, room = await live(cast)
    lines = await exports(database_url, tmp_path / "here.jsonl")
    assert {line["type"] for line in lines} == KINDS
    assert await imports(elsewhere, tmp_path / "here.jsonl") == 0
    assert await exports(elsewhere, tmp_path / "there.jsonl") == lines
    async with running_node(elsewhere, redis_url) as node:
        for person in people:
            twin = await log_in(elsewhere, cast, person, node)
            assert twin.id == person.id
            for path in (f"{CONVERSATIONS}/{room}/messages?limit=200", f"{CONVERSATIONS}/{room}/pins", *PATHS):
                assert await look(twin, path) == await look(person, path), path
        await indexed(elsewhere)
        assert await finds(twin, "otherwise") == ["said otherwise"]


async def look(person: Person, path: str) -> Any:
    """What somebody sees, but for where the log stands."""
    status, seen = await person.call("GET", path)
    assert status == 200, seen
    return {name: value for name, value in seen.items() if name != "cursor"}


async def log_in(database_url: str, cast: Cast, person: Person, node: Node) -> Person:
    """The same person, where his account came in; by SQL, for nobody can log in to it."""
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


async def test_again_adds_nothing_and_a_second_export_only_what_is_new(
    cast: Cast, database_url: str, elsewhere: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same file is known by its print, the same messages by their names."""
    ana, ben, _, room = await live(cast)
    lines = await exports(database_url, tmp_path / "first.jsonl")
    number = sum(line["type"] == "message" for line in lines)
    assert await imports(elsewhere, tmp_path / "first.jsonl") == await imports(elsewhere, tmp_path / "first.jsonl") == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"0 new, {number} known, 0 refused"
    await ben.says(room, "one more")
    more = await exports(database_url, tmp_path / "second.jsonl")
    assert await imports(elsewhere, tmp_path / "second.jsonl") == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"1 new, {number} known, 0 refused"
    there = await exports(elsewhere, tmp_path / "there.jsonl")
    assert [line for line in there if line["type"] == "message"] == [line for line in more if line["type"] == "message"]
    assert ana.id


async def test_a_killed_import_goes_on_where_it_stopped(
    elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each commit says how far it has come; what is there already is not even looked at."""
    monkeypatch.setattr("chat.exchange.intake.intake.GROUP", 100)
    file = write_lines(tmp_path / "big.jsonl", *big(1_000))
    groups_taken = 0
    take = Intake._take

    async def die(self: Intake, group: Any, at: int) -> int:
        nonlocal groups_taken
        groups_taken += 1
        if groups_taken == 5:
            raise KeyboardInterrupt
        return await take(self, group, at)

    monkeypatch.setattr(Intake, "_take", die)
    with pytest.raises(KeyboardInterrupt):
        import_file(elsewhere, Options(file))
    capsys.readouterr()
    assert import_file(elsewhere, Options(file)) == 0
    assert groups_taken == 5 + 7  # four of eleven were in
    assert capsys.readouterr().out == "602 new, 398 known, 0 refused\n"
    lines = await exports(elsewhere, tmp_path / "out.jsonl")
    assert [line["body"] for line in lines if line["type"] == "message"] == [f"line {n}" for n in range(1_000)]


def big(number: int) -> list[Json]:
    """An export with one long talk."""
    head = {"type": "tandem", "version": 1, "source": "abc", "scope": "everything", "at": "2024-01-01T00:00:00.000Z"}
    talk = [
        {"type": "message", "conversation": 7, "author": "ana", "client_id": f"m{n}", "body": f"line {n}"}
        | {"created_at": "2024-01-01T00:00:00.000Z"}
        for n in range(number)
    ]
    user = {"type": "user", "name": "ana", "display_name": "Ana"}
    room = {"type": "conversation", "id": 7, "kind": "channel", "name": "long"}
    return [head, user, room, *talk, {"type": "member", "conversation": 7, "user": "ana", "role": "owner"}]


async def test_a_broken_off_export_goes_on_where_it_stopped(
    elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill leaves a part and its note, perhaps with half a line behind; the file appears when it is whole."""
    assert await imports(elsewhere, write_lines(tmp_path / "big.jsonl", *big(500))) == 0
    monkeypatch.setattr("chat.exchange.export.reader.PAGE", 100)
    whole = await exports(elsewhere, tmp_path / "whole.jsonl")
    write, pieces = Draft.write, 0

    def die(self: Draft, lines: bytes, messages: int, mark: Mark) -> None:
        nonlocal pieces
        pieces += 1
        if pieces == 7:
            self._file.write(lines[: len(lines) // 2])
            raise KeyboardInterrupt
        write(self, lines, messages, mark)

    monkeypatch.setattr(Draft, "write", die)
    out = tmp_path / "out.jsonl"
    with pytest.raises(KeyboardInterrupt):
        await exports(elsewhere, out)
    assert not out.exists()
    with pytest.raises(OtherFile):
        await exports(elsewhere, out, conversation="long")
    assert await exports(elsewhere, out) == whole
    assert not out.with_name("out.jsonl.part").exists()
    with pytest.raises(OtherFile):
        await exports(elsewhere, out)


async def test_one_conversation_goes_out_with_its_people_alone(cast: Cast, database_url: str, tmp_path: Path) -> None:
    """By its name or its id; what is not there is said."""
    *_, room = await live(cast)
    lines = await exports(database_url, tmp_path / "a.jsonl", conversation="#garden")
    assert lines == await exports(database_url, tmp_path / "b.jsonl", conversation=str(room))
    assert {line["conversation"] for line in lines if "conversation" in line} == {room}
    assert {line["name"] for line in lines if line["type"] == "user"} == {"ana", "ben", "chloe", "mallory"}
    with pytest.raises(NobodyThere, match="no conversation nowhere"):
        await exports(database_url, tmp_path / "c.jsonl", conversation="nowhere")


async def test_a_person_gets_the_own_data_and_nobody_elses(cast: Cast, database_url: str, tmp_path: Path) -> None:
    """All that ana wrote and put up, wherever, her logins and blocks; no word of others. It cannot come in again."""
    ana, *_ = await live(cast)
    lines = await exports(database_url, tmp_path / "ana.jsonl", person="ana")
    assert {line["author"] for line in lines if line["type"] == "message"} == {"ana"}
    assert {line["name"] for line in lines if line["type"] == "user"} == {"ana"}
    told = [line["body"] for line in lines if line["type"] == "message"]
    assert {"said otherwise", "in a thread", "in a direct with 1"} <= set(told)
    kept = [line for line in lines if line["type"] in ("login", "blocked", "reaction", "pin")]
    assert [line["type"] for line in kept] == ["login", "blocked", "reaction", "pin"]
    with pytest.raises(NotAChat):
        await imports(database_url, tmp_path / "ana.jsonl")
    assert ana.id


async def test_who_is_in_sees_one_entry_and_nothing_unread(cast: Cast, database_url: str, tmp_path: Path) -> None:
    """Live: newcomers are told where they are; what comes on top later counts as read, and one entry says the end."""
    ana, ben = await cast.enters("ana", "ben")
    lines = big(300)
    assert await imports(database_url, write_lines(tmp_path / "first.jsonl", *lines)) == 0
    ear = await ana.listens(after=(await sees(ana))["cursor"])
    (room,) = (await sees(ana))["conversations"]
    assert (room["unread"], room["last_seq"]) == (300, 300)  # the file says that she has read nothing
    await marks_read(ana, room["id"], 300)
    seats = [{"type": "member", "conversation": 7, "user": "ben", "role": "member"}]
    file = write_lines(tmp_path / "more.jsonl", *lines[:-1], *big(350)[303:-1], *seats)
    assert await imports(database_url, file) == 0
    await eventually(lambda: ear.named("member"))
    told = [event.json() for event in ear.named("conversation")]
    assert [(one["last_seq"], one["unread"], one["last_message"]["body"]) for one in told] == [(350, 0, "line 349")]
    assert ear.messages() == []
    (room,) = (await sees(ana))["conversations"]
    assert (room["unread"], room["last_seq"]) == (0, 350)
    await ben.says(room["id"], "alive")
    await ear.hears("alive")
    assert ear.messages()[-1]["seq"] == 351


async def test_bad_lines_are_named_and_touch_no_others(
    elsewhere: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With file and number; the rest comes in, and the exit code says that some did not."""
    lines = big(3)
    bad = [b"{not json", {"type": "message", "conversation": 8}, {"type": "wish"}, b"x" * 2**25]
    stray = lines[3] | {"conversation": 8}
    assert await imports(elsewhere, write_lines(tmp_path / "bad.jsonl", *lines[:4], *bad, stray, *lines[4:])) == 1
    told = capsys.readouterr()
    assert told.out == "3 new, 0 known, 5 refused\n"
    wrong = [line.split(": ")[0] for line in told.err.splitlines() if line.startswith("bad.jsonl:")]
    assert wrong == [f"bad.jsonl:{number}" for number in (5, 6, 7, 8, 9)]


async def test_a_newer_version_is_refused(elsewhere: str, tmp_path: Path) -> None:
    """Before anything is read."""
    lines = big(1)
    with pytest.raises(ExchangeTrouble, match="version"):
        await imports(elsewhere, write_lines(tmp_path / "new.jsonl", lines[0] | {"version": 99}, *lines[1:]))
