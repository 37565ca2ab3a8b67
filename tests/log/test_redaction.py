"""Redaction: what entries say after their messages were edited or deleted, and which entries are repeated."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from chat.log.entry import Entry, decode_frame, encode_frame
from chat.log.redaction import (
    WITHHELD,
    append_data,
    content_of,
    drop_repeated,
    erase,
    erase_among,
    find_withheld,
    is_withheld,
    join_appends,
    tells_deletion,
    without_name,
)

ROOM = 5


def entry(position: int, kind: str, seq: int, *, room: int = ROOM, **fields: object) -> Entry:
    """Return an entry about the message `seq`."""
    data = orjson.dumps({"conversation": room, "seq": seq, **fields})
    frame = encode_frame(f"k.{position}", None if kind == "message" else kind, data)
    return Entry(position, kind, room, None, seq, frame)


def append(position: int, seq: int, at: int, text: str, *, room: int = ROOM) -> Entry:
    """Return the entry of a piece of text."""
    return Entry(position, "append", room, None, seq, encode_frame("k.1", "append", append_data(room, seq, at, text)))


def told(one: Entry) -> dict[str, Any] | None:
    """Return the fields of an entry besides its message's address; None if it has no content any more."""
    if not one.frame:
        return None
    fields = orjson.loads(decode_frame(one.frame)[2])
    return {name: value for name, value in fields.items() if name not in ("conversation", "seq")}


def all_told(entries: Sequence[Entry], log: Sequence[Entry]) -> list[dict[str, Any] | None]:
    """Return what the entries tell at the end of the log."""
    return [told(one) for one in erase_among(entries, log)]


def test_messages_have_the_text_of_their_last_edit() -> None:
    """Earlier texts, files and data are gone, and so are those of a deleted message. Other messages stay."""
    log = [
        entry(1, "message", 1, body="old", data={"a": 1}, mentions=[7]),
        entry(2, "message", 2, body="bye", files=[{"id": 3}]),
        entry(3, "message", 3, body="stays"),
        entry(4, "message", 1, body="elsewhere", room=6),
        entry(5, "edit", 1, body="newer"),
        entry(6, "edit", 1, body="newest"),
        entry(7, "delete", 2),
        entry(8, "read", 1, body="no message"),
    ]
    newest = {"body": "newest"}
    assert all_told(log, log) == [
        newest | {"mentions": [7]},
        {"body": "", "deleted": True},
        {"body": "stays"},
        {"body": "elsewhere"},
        newest,
        newest,
        {},
        {"body": "no message"},
    ]
    assert [one.position for one in erase_among(log, log)] == list(range(1, 9))
    assert [decode_frame(one.frame)[:2] for one in erase_among(log, log)[:1]] == [("k.1", "message")]
    assert erase_among(log[:4], log[:4]) == log[:4]


def test_a_change_of_everything_is_no_change_of_a_message() -> None:
    """A change without a message, such as that of a conversation, replaces no text."""
    other = entry(2, "edit", 1, body="name")._replace(subject=None)
    log = [entry(1, "message", 1, body="stays"), other, entry(3, "edit", 2, body="another")]
    assert all_told(log[:1], log) == [{"body": "stays"}]


def test_a_streamed_text_is_in_its_message_alone_after_an_edit() -> None:
    """Its pieces are emptied, and its end loses the data. What has no frame keeps none."""
    log = [
        entry(1, "message", 1, body="", streaming=True),
        append(2, 1, 0, "secret"),
        append(3, 2, 0, "stays"),
        entry(4, "finish", 1, state="complete", data={"a": 1}),
        append(5, 1, 6, "s")._replace(frame=b""),
        entry(6, "edit", 1, body="hush"),
    ]
    body = {"body": "hush"}
    stays = {"at": 0, "text": "stays"}
    assert all_told(log, log) == [body, None, stays, {"state": "complete"}, None, body]


def test_previews_that_were_replaced_are_gone() -> None:
    """Only the last previews of a message are told, and none before its last change."""
    log = [
        entry(1, "edit", 1, body="link", previews=["old"]),
        entry(2, "previews", 1, previews=["old"]),
        entry(3, "previews", 1, previews=["new"]),
        entry(4, "previews", 2, previews=["of another"]),
        entry(5, "edit", 3, body="kept", previews=["kept"]),
        entry(6, "previews", 4, previews=["before the edit"]),
        entry(7, "edit", 4, body="no link"),
    ]
    assert all_told(log, log) == [
        {"body": "link"},
        None,
        {"previews": ["new"]},
        {"previews": ["of another"]},
        {"body": "kept", "previews": ["kept"]},
        None,
        {"body": "no link"},
    ]


@pytest.mark.parametrize(
    ("fields", "withheld"),
    [
        ({"body": ""}, True),
        ({"body": "text"}, False),
        ({"body": "", "files": [1]}, False),
        ({"body": "", "files": []}, True),
        ({"body": "", "data": {}}, False),
        ({"body": "", "deleted": True}, False),
        ({"body": "", "streaming": True}, False),
    ],
)
def test_a_text_is_withheld_if_its_message_has_nothing_at_all(fields: dict[str, Any], withheld: bool) -> None:
    """Neither text nor files nor data, although it was neither deleted nor is still written."""
    assert is_withheld(fields) == withheld
    assert find_withheld([entry(1, "message", 9, **fields)]) == ({(ROOM, 9)} if withheld else set())
    assert find_withheld([entry(1, "finish", 9, **fields)]) == set()


def test_a_withheld_text_is_found_again() -> None:
    """Messages and edits whose text was taken out for former members are recognized as such."""
    frames = [entry(1, "message", 1, body="a"), entry(2, "edit", 2, body="b", files=[1], data={"c": 1})]
    withheld = [one._replace(frame=erase(one.frame, WITHHELD)) for one in frames]
    assert find_withheld(withheld) == {(ROOM, 1), (ROOM, 2)}
    assert find_withheld(frames) == set()


def test_an_append_with_the_whole_text_replaces_those_before_it() -> None:
    """The pieces before it are emptied. Later ones stay, and so do other messages, at their places."""
    log = [
        entry(1, "message", 1, body=""),
        append(2, 1, 0, "a"),
        append(3, 1, 1, "b"),
        append(4, 2, 1, "of another"),
        append(5, 1, 1, "of another", room=6),
        append(6, 1, 0, "abc"),
        append(7, 1, 3, "d"),
        entry(8, "finish", 1, state="complete"),
    ]
    dropped = drop_repeated(log)
    assert [one.position for one in dropped] == list(range(1, 9))
    assert [one.position for one in dropped if not one.frame] == [2, 3]
    assert [one for one in dropped if one.frame] == [one for one in log if one.position not in (2, 3)]
    assert drop_repeated(log[:1]) == log[:1]


@pytest.mark.parametrize(
    ("pieces", "joined"),
    [
        ([(0, "ab"), (2, "cd")], (0, "abcd")),
        ([(3, "ab"), (5, "cd"), (7, "e")], (3, "abcde")),
        ([(3, "ab"), (4, "XY")], (3, "aXY")),
        ([(3, "ab"), (3, "XY"), (5, "Z")], (3, "XYZ")),
        ([(3, "ab"), (0, "whole"), (5, "!")], (0, "whole!")),
        ([(0, "a"), (1, "b"), (0, "abc")], (0, "abc")),
        ([(1, "ab"), (3, ""), (3, "c")], (1, "abc")),
    ],
)
def test_appends_are_joined(pieces: list[tuple[int, str]], joined: tuple[int, str]) -> None:
    """A piece that repeats earlier ones replaces them; the frame is that of the last."""
    frame = join_appends([append(n, 1, at, text) for n, (at, text) in enumerate(pieces)])
    cursor, event, data = decode_frame(frame)
    assert (cursor, event) == ("k.1", "append")
    assert orjson.loads(data) == {"conversation": ROOM, "seq": 1, "at": joined[0], "text": joined[1]}


def test_empty_content_is_left_out() -> None:
    """A message without files, data and previews does not have the fields; data may be an empty object."""
    frame = entry(1, "message", 1, body="old", files=[1], data={"b": 1}, previews=[1], streaming=True).frame
    assert told(Entry(1, "message", ROOM, None, 1, erase(frame, content_of("new", [], None, [])))) == {"body": "new"}
    filled = erase(frame, content_of("new", [2], "{}", [3]))
    fields = {"body": "new", "files": [2], "data": {}, "previews": [3]}
    assert told(Entry(1, "message", ROOM, None, 1, filled)) == fields


def test_a_deleted_account_has_no_name_in_the_log() -> None:
    """Its profile is that of a deleted user. Only an entry of a user tells the deletion."""
    data = orjson.dumps({"id": 7, "name": "ana", "display_name": "Ana", "about": "me", "role": "admin"})
    frame = without_name(encode_frame("k.1", "user", data), 7)
    one = Entry(1, "user", None, 7, None, frame)
    fields = told(one)
    assert fields is not None
    assert (fields["id"], fields["name"], fields["display_name"], fields["role"]) == (
        7,
        "deleted:7",
        "Deleted user",
        "member",
    )
    assert tells_deletion(one)
    assert not tells_deletion(one._replace(kind="message"))
    assert not tells_deletion(one._replace(frame=encode_frame("k.1", "user", data)))
