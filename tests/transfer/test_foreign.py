"""What all readers of foreign chats promise: hostile files cost little, and no text is lost uncounted."""

import contextlib
import io
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.transfer import foreign
from chat.transfer.errors import UnknownFile
from chat.transfer.foreign import JsonReader, parse_value
from chat.transfer.records import SkippedItem
from chat.transfer.text import strings_in, words_in
from tests.transfer.files import bodies_in, reads
from tests.transfer.foreign_exports import (
    discord_channel,
    discord_message,
    telegram_chat,
    telegram_message,
    write_json,
    write_tar,
    zulip_message,
    zulip_tables,
)
from tests.transfer.test_rocketchat import said, write_dump

ENTERED = {(), ("a",), ("a", "*"), ("a", "*", "b")}
TEXTS = st.text(max_size=12) | st.sampled_from(['"', "\\", "[]{}", '\\"]', "\n"])
VALUES = st.recursive(
    TEXTS | st.integers(-(2**53), 2**53) | st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def rebuild(data: bytes) -> list[tuple[tuple[str, ...], Any]]:
    """Return the values that are read one at a time, below those that are entered."""
    return [(path, parse_value(raw)) for path, raw, _ in JsonReader(io.BytesIO(data), int).values(ENTERED) if raw]


@given(inner=st.lists(VALUES, max_size=4), outer=VALUES, chunk=st.integers(1, 40), indent=st.booleans())
def test_values_are_those_of_any_parser(inner: list[Any], outer: Any, chunk: int, indent: bool) -> None:
    """However the file is cut into chunks, each value is what the whole file's parser says."""
    value = {"x": outer, "a": [{"b": inner, "c": outer}, 7]}
    data = orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foreign, "CHUNK", chunk)
        found = rebuild(data)
    expected = [
        (("x",), outer),
        *((("a", "*", "b", "*"), one) for one in inner),
        (("a", "*", "c"), outer),
        (("a", "*"), 7),
    ]
    assert orjson.dumps([one for _, one in found]) == orjson.dumps([one for _, one in expected])
    assert [path for path, _ in found] == [path for path, _ in expected]


@given(st.binary(max_size=80))
def test_any_bytes_end_in_values_or_an_error(data: bytes) -> None:
    """No input hangs the reader, or fails otherwise."""
    with contextlib.suppress(ValueError):
        rebuild(data)


def test_a_value_that_is_too_long_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is skipped in pieces, and the next one is read. Memory stays bounded."""
    monkeypatch.setattr(foreign, "MAX_VALUE", 1_000)
    data = b'{"a": [{"b": [' + b'["x"],' * 1_000 + b'"x"], "c": 1}, ' + b"[" + b'["x"],' * 1_000 + b'"x"], 7]}'
    read = [
        (raw, path) for path, raw, _ in JsonReader(io.BytesIO(data), int).values({(), ("a",)}) if path == ("a", "*")
    ]
    assert [raw for raw, _ in read] == [b"", b"", b"7"]
    with pytest.raises(ValueError, match="longer than"):
        parse_value(b"")


def read_one(folder: Path, source: str, extra: dict[str, Any]) -> list[Any]:
    """Return the items of an export whose only message has these further fields."""
    if source == "telegram":
        path = write_json(
            folder / "result.json", telegram_chat("private_group", 9, "G", telegram_message(1, "hi") | extra)
        )
    elif source == "discord":
        path = write_json(folder / "c.json", discord_channel(9, "general", discord_message(10, "hi") | extra))
    elif source == "rocketchat":
        path = write_dump(folder / "rc.zip", said(1, "hi") | extra)
    else:
        path = write_tar(folder / "z.tar.gz", zulip_tables(zulip_message(1, 10, 41, "hi", "T") | extra))
    return reads(path)[0]


WORDS = st.text("abcdefghijklmnop", min_size=5, max_size=12) | st.sampled_from(["küche", "한국어말", "今日は晴"])
NAMES = {
    "telegram": [
        "text",
        "text_entities",
        "poll",
        "place_name",
        "title",
        "via_bot",
        "forwarded_from",
        "contact_information",
    ],
    "discord": ["content", "embeds", "attachments", "forwardedMessage", "interaction", "poll"],
    "rocketchat": ["msg", "attachments", "alias", "urls", "customFields", "title"],
    "zulip": ["content", "subject", "edit_history", "submessages", "title"],
}
FIELDS = st.sampled_from(["text", "title", "name", "description", "value", "fields", "footer"])
SHAPES = st.recursive(
    WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "title", "name", "description", "value", "fields", "footer"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("source", list(NAMES))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_no_text_of_a_message_is_lost_uncounted(tmp_path: Path, source: str, data: st.DataObject) -> None:
    """Whatever its further fields: each word is in a message, or its field is counted, or the message is an error."""
    extra = data.draw(st.dictionaries(st.sampled_from(NAMES[source]), SHAPES, min_size=1, max_size=3))
    items = read_one(tmp_path, source, extra)
    if any(type(one).__name__ == "LineError" for one in items):
        return
    kept = {word for body in bodies_in(items) for word in words_in(body)}
    counted = {one.what for one in items if isinstance(one, SkippedItem)}
    for path, text in strings_in(extra):
        assert words_in(text) <= kept or f"text in {path}" in counted, (path, text, counted)


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b'{"guild"', b"\x1f\x8bno", b"dear diary\n", b"\0" * 99])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """What is no chat is refused with the list of what can be imported."""
    path = tmp_path / "notes.json"
    path.write_bytes(content)
    with pytest.raises(Exception, match="cannot be") as refused:
        reads(path)
    assert isinstance(refused.value, UnknownFile) or content.startswith(b"\x1f")
