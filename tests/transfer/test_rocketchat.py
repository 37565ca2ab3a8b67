"""A Rocket.Chat server's collections, as `mongoexport` writes them."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from chat.transfer.records import ConversationRecord, PinRecord, UserRecord
from tests.transfer.files import Json, bodies_in, exports, imports, messages_in, reads
from tests.transfer.foreign_exports import write_zip

ANA, BEN = {"_id": "aaa", "username": "ana", "name": "Ana Duarte"}, {"_id": "bbb", "username": "ben", "name": "Бен"}
USERS: list[Json] = [
    ANA | {"emails": [{"address": "ana@farm.example", "verified": True}], "roles": ["user", "admin"], "active": True},
    BEN | {"roles": ["user"], "active": False, "createdAt": {"$date": "2024-01-01T00:00:00.000Z"}},
]
ROOMS: list[Json] = [
    {"_id": "GENERAL", "t": "c", "name": "general", "topic": "All things", "ts": {"$date": 1700000000000}},
    {"_id": "r2", "t": "p", "name": "sekret", "fname": "Секрет", "ro": True},
    {"_id": "aaabbb", "t": "d", "uids": ["aaa", "bbb"], "usernames": ["ana", "ben"]},
]


def said(number: int, text: str, user: Json = ANA, room: str = "GENERAL", **fields: Any) -> Json:
    """Return a message, `number` seconds after noon."""
    at = {"$date": f"2024-05-01T12:{number // 60:02}:{number % 60:02}.500Z"}
    return {"_id": f"m{number}", "rid": room, "msg": text, "ts": at, "u": user, "_updatedAt": at} | fields


def write_dump(path: Path, *messages: Json | bytes, **files: bytes) -> Path:
    """Write the collections and uploads as a ZIP."""
    lines = [one if isinstance(one, bytes) else orjson.dumps(one) for one in messages]
    collections = {"rocketchat_message.json": b"\n".join(lines), "rocketchat_room.json": orjson.dumps(ROOMS)}
    users = b"\n".join(map(orjson.dumps, USERS))
    uploads = {f"assets/{name}": data for name, data in files.items()}
    return write_zip(path, {**collections, "users.json": users, **uploads})


async def test_a_server_is_imported_and_a_second_time_nothing(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Channels, private channels and direct messages come in with their users."""
    messages = [
        said(1, "hi"),
        said(2, "psst", BEN, "r2"),
        said(3, "hello", BEN, "aaabbb"),
        said(4, "lost", room="gone"),
    ]
    path = write_dump(tmp_path / "rc.zip", *messages, b'{"_id": 5', said(6, "when?", ts=None))
    assert await imports(database_url, path) == 1
    assert await imports(database_url, path) == 1
    assert capsys.readouterr().out == "4 new, 0 known, 2 invalid\n0 new, 4 known, 2 invalid\n"
    lines = await exports(database_url, tmp_path / "out.jsonl")
    places = {line["id"]: line for line in lines if line["type"] == "conversation"}
    kinds = {line["body"]: places[line["conversation"]] for line in lines if line["type"] == "message"}
    assert (kinds["hi"]["name"], kinds["hi"]["topic"]) == ("general", "All things")
    assert (kinds["psst"]["name"], kinds["psst"]["private"], kinds["hello"]["kind"]) == ("Секрет", True, "direct")


def everything() -> list[Json]:
    """Return messages with all that they can have."""
    log = {"title": "Build 7", "title_link": "https://ci.example/7", "fields": [{"title": "Branch", "value": "main"}]}
    plan = {"type": "file", "title": "plan.pdf", "title_link": "/file-upload/f1/plan.pdf", "description": "the plan"}
    file = {"_id": "f1", "name": "plan.pdf", "type": "application/pdf", "size": 4}
    answered = [{"text": "bold", "author_name": "ana"}]
    called = [BEN, {"_id": "all", "username": "all"}]
    return [
        said(1, "*bold* @ben @all :tada: `*code*`", mentions=called, reactions={":tada:": {"usernames": ["ben"]}}),
        said(
            2,
            "[ ](https://rc.example/channel/general?msg=m1) yes",
            BEN,
            attachments=answered,
        ),
        said(3, "in a thread", BEN, tmid="m1", editedAt={"$date": "2024-05-01T13:00:00Z"}, editedBy=BEN),
        said(4, "", attachments=[plan], file=file, pinned=True, pinnedBy=BEN),
        said(5, "done", alias="Deploys", attachments=[log]),
        said(6, "ben", t="au"),
        said(7, "", t="rm"),
        said(8, "elsewhere", tmid="unknown"),
    ]


def test_messages_keep_everything(tmp_path: Path) -> None:
    """Marks, mentions, threads, quotes, reactions, files, integrations, events and pins."""
    items, counts = reads(write_dump(tmp_path / "rc.zip", *everything(), **{"f1-plan.pdf": b"%PDF"}))
    first, answer, reply, shared, *_ = messages_in(items)
    assert bodies_in(items) == [
        "**bold** @ben @all 🎉 `*code*`",
        "yes\n> ana\n> bold",
        "in a thread",
        "the plan",
        "**Deploys**: done\n> [Build 7](<https://ci.example/7>)\n> **Branch**: main",
        "_added ben_",
        "",
        "elsewhere",
    ]
    assert (first.mentions, first.mentions_all) == (["ben"], "channel")
    assert [(one.emoji, one.users) for one in first.reactions] == [("🎉", ["ben"])]
    assert answer.reply_to is not None
    assert reply.thread is not None
    assert (answer.reply_to.client_id, reply.thread.client_id) == ("m1", "m1")
    assert [(one.name, one.path) for one in shared.files] == [("plan.pdf", "assets/f1-plan.pdf")]
    assert messages_in(items)[6].deleted_at is not None
    assert [one.user for one in items if isinstance(one, PinRecord)] == ["ben"]
    assert dict(counts.skipped) == {"replies to messages outside of the export, imported as messages": 1}
    ana, ben = [one for one in items if isinstance(one, UserRecord)]
    assert (ana.email, ana.role, ben.display_name, ben.disabled_at is None) == (
        "ana@farm.example",
        "admin",
        "Бен",
        False,
    )
    rooms = [one for one in items if isinstance(one, ConversationRecord)]
    assert [(one.name, one.kind, one.private, one.read_only) for one in rooms] == [
        ("general", "channel", False, False),
        ("Секрет", "channel", True, True),
        ("", "direct", True, False),
    ]


def test_replies_that_come_before_what_they_answer_keep_it(tmp_path: Path) -> None:
    """MongoDB returns documents in any order. A reply that was also sent to the channel is in both."""
    path = write_dump(tmp_path / "dump.zip", said(2, "reply", BEN, tmid="m1", tshow=True), said(1, "root"))
    items, counts = reads(path)
    assert [(one.body, bool(one.thread), bool(one.reply_to)) for one in messages_in(items)] == [
        ("reply", True, False),
        ("reply", False, True),
        ("root", False, False),
    ]
    assert not counts.skipped


def test_words_of_apps_quotes_within_quotes_and_places_are_kept(tmp_path: Path) -> None:
    """Nothing that a reader saw is only counted, but for what the server itself cannot read."""
    inner = {"text": "orig", "author_name": "zed", "attachments": [{"text": "inner words"}]}
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*block* words"}}]
    pressed = {"text": "Deploy?", "actions": [{"type": "button", "text": "Approve", "msg": "yes"}]}
    path = write_dump(
        tmp_path / "dump.zip",
        said(1, "see", attachments=[inner, pressed]),
        said(2, "", blocks=blocks),
        said(3, "", location={"type": "Point", "coordinates": [13.4, 52.5]}),
        said(4, "bm9ib2R5IHJlYWRz", t="e2e"),
    )
    items, counts = reads(path)
    assert bodies_in(items) == [
        "see\n> zed\n> orig\n> > inner words\n> Deploy?\n> Approve",
        "**block** words",
        "52.5, 13.4",
        "_encrypted message_",
    ]
    assert dict(counts.skipped) == {"texts that are encrypted": 1}


def test_a_name_that_begins_like_another_is_not_changed(tmp_path: Path) -> None:
    """A name that Tandem does not allow has another one here, but not within other words or code."""
    jose = {"_id": "jjj", "username": "jos\u00e9", "name": "Jos\u00e9"}
    path = write_dump(tmp_path / "dump.zip", said(1, "@jos\u00e9 and @jos\u00e9phine `@jos\u00e9`", mentions=[jose]))
    (message,) = messages_in(reads(path)[0])
    assert message.body == f"@{message.mentions[0]} and @jos\u00e9phine `@jos\u00e9`"


def test_an_indented_dump_is_read_and_is_no_export_of_slack(tmp_path: Path) -> None:
    """`mongoexport --pretty` writes documents of several lines. Without a prefix, files have names as Slack's have."""
    pretty = [orjson.dumps(one, option=orjson.OPT_INDENT_2) for one in (said(1, "one"), said(2, "two", BEN))]
    cut = pretty[0].rpartition(b"\n")[0]
    files = {
        "messages.json": b"\n".join([pretty[0], cut, pretty[1]]) + b"\n",
        "rooms.json": b"\n".join(orjson.dumps(one, option=orjson.OPT_INDENT_2) for one in ROOMS),
        "users.json": b"\n".join(orjson.dumps(one, option=orjson.OPT_INDENT_2) for one in USERS),
    }
    items, counts = reads(write_zip(tmp_path / "dump.zip", {**files}))
    assert bodies_in(items) == ["one", "two"]
    assert {one.name for one in items if isinstance(one, UserRecord)} == {"ana", "ben"}
    assert [error.place.rpartition(":")[0] for error in counts.errors] == ["messages.json"]


TABLES: dict[str, bytes | str] = {
    "users.csv": 'ana, ana@farm.example, Ana Duarte\r\nben, ben@farm.example, "Бен, the cook"\r\n',
    "channels.csv": '"garden","ana","private","ana;ben"\n"barn","ben","public",""\n',
    "garden/messages.csv": '"ana","1479162481336","rice, and\nbeans"\n"zed","1479162481654","hello"\n'
    '"ana","soon","x"\n',
    "attic/messages.csv": '"ben","1479162481000","dust","more words"\n',
    "directmessages/ana-ben.csv": '"ana","ben","1479162481336","psst"\n"ben","ana","1479162481654","what?"\n',
    "contacts.csv": '"12","someone else"\n',
}


async def test_the_tables_of_the_csv_importer(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ZIP that Rocket.Chat imports has lists of users and channels, and a folder with messages for each channel."""
    path = write_zip(tmp_path / "csv.zip", TABLES)
    assert await imports(database_url, path) == 1
    assert await imports(database_url, path) == 1
    assert capsys.readouterr().out == "5 new, 0 known, 1 invalid\n0 new, 5 known, 1 invalid\n"
    lines = await exports(database_url, tmp_path / "out.jsonl")
    rooms = {line["id"]: line for line in lines if line["type"] == "conversation"}
    told = [
        (rooms[one["conversation"]].get("name", ""), one["author"], one["body"])
        for one in lines
        if one["type"] == "message"
    ]
    assert sorted(told) == [
        ("", "ana", "psst"),
        ("", "ben", "what?"),
        ("attic", "ben", "dust"),
        ("garden", "ana", "rice, and\nbeans"),
        ("garden", "zed", "hello"),
    ]
    assert {one["name"]: one.get("private", False) for one in rooms.values() if one["kind"] == "channel"} == {
        "garden": True,
        "barn": False,
        "attic": False,
    }
    members = {(rooms[one["conversation"]].get("name", ""), one["user"]) for one in lines if one["type"] == "member"}
    assert {("garden", "ana"), ("garden", "ben"), ("garden", "zed"), ("barn", "ben")} <= members
    people = {line["name"]: line for line in lines if line["type"] == "user"}
    assert (people["ben"]["display_name"], people["ben"]["email"]) == ("Бен, the cook", "ben@farm.example")


def test_what_the_tables_have_besides_is_counted(tmp_path: Path) -> None:
    """Further columns are counted as texts, and tables that no reader knows by their rows."""
    _, counts = reads(write_zip(tmp_path / "csv.zip", TABLES))
    assert dict(counts.skipped) == {"rows of contacts.csv": 1, "text in further columns": 1}
    assert counts.places["text in further columns"] == ["attic/messages.csv:1"]
