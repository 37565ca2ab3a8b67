"""No text of a foreign message is lost: it is in the records made of the message, or is counted by its field."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from chat.transfer.mattermost import MattermostServer
from chat.transfer.records import (
    MAX_REASONS,
    OTHER_REASONS,
    AttachmentRecord,
    ConversationRecord,
    ImportCounts,
    Item,
    LineError,
    MessageRecord,
    SkippedItem,
    UserRecord,
)
from chat.transfer.text import leftovers, strings_in, texts_of, words_in

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
KNOWN = {"ts", "attachments.id"}
WORDS = st.text("abcdefghijklmnop", min_size=3, max_size=12) | st.sampled_from(
    ["हिन्दी में", "küche", "한국어", "今日は晴"]
)
NAMES = st.sampled_from(["text", "title", "pretext", "author_name", "elements", "fields", "ts", "id"])
JSON = st.recursive(
    WORDS | st.integers() | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def message(body: str) -> MessageRecord:
    """Return a message record with this text."""
    return MessageRecord(conversation="c", author="ana", client_id="1", body=body, created_at=NOON)


def reasons(raw: object, *items: Item) -> list[str]:
    """Return the reasons under which leftovers are counted."""
    return [one.what for one in leftovers(raw, items, KNOWN, "a.json:1")]


@given(raw=st.dictionaries(NAMES, JSON, max_size=5), data=st.data())
def test_every_word_is_in_a_record_or_counted(raw: dict[str, Any], data: st.DataObject) -> None:
    """Whatever subset of a message's texts a reader keeps, each other word's field is named."""
    found = list(strings_in(raw, KNOWN))
    kept = [text for _, text in found if data.draw(st.booleans())]
    items = [message("\n".join(kept))] if kept else []
    left = {one.what for one in leftovers(raw, items, KNOWN, "a.json:1")}
    words = {word for text in kept for word in words_in(text)}
    for path, text in found:
        assert words_in(text) <= words or f"text in {path}" in left
    assert all(any(f"text in {path}" == what for path, _ in found) for what in left)


SHAPES = st.dictionaries(
    st.sampled_from(
        ["message", "props", "card", "attachments", "replies", "text", "title", "fields", "value", "footer"]
    ),
    st.recursive(
        WORDS,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["attachments", "text", "title", "fields", "pretext", "value", "override_username", "x"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
    max_size=6,
)


@given(extra=SHAPES, kind=st.sampled_from(["post", "direct_post", "channel", "user", "direct_channel", "team"]))
def test_the_mattermost_reader_loses_no_word(extra: dict[str, Any], kind: str) -> None:
    """Whatever fields a line has, each word of it is in a record, counted under a reason, or the line is an error."""
    base = {"user": "ana", "username": "ana", "team": "farm", "channel": "garden", "name": "garden", "create_at": 1}
    line = {"type": kind, kind: {"channel_members": ["ana", "ben"], "members": ["ana", "ben"]} | base | extra}
    items = list(MattermostServer().read(BytesIO(orjson.dumps(line)), "mm.jsonl", lambda _: None))
    if not any(isinstance(item, LineError) for item in items):
        kept = {word for item in items for text in texts_of(item) for word in words_in(text)}
        counted = {item.what for item in items if isinstance(item, SkippedItem)}
        for path, text in strings_in({kind: extra}):
            assert words_in(text) <= kept or f"text in {path}" in counted, (path, text)


def test_fields_are_named_by_their_path() -> None:
    """Places in lists are dropped, machinery is not named, and short words do not count."""
    raw = {"text": "hello", "ts": "machine", "attachments": [{"id": "AXX", "author_name": "Una"}, {"title": "a b"}]}
    assert reasons(raw, message("hello")) == ["text in attachments.author_name"]
    assert reasons(raw, message("hello"), UserRecord(name="una", display_name="Una")) == []


def test_a_text_counts_as_kept_however_it_is_formatted() -> None:
    """Case, markup and order do not matter, and the name of an emoji is the emoji."""
    raw = {"text": "*Bold* move :tada: and &c", "title": "a ﬁne day"}
    assert reasons(raw, message("and **bold** MOVE 🎉 &c\n> a fine day")) == []


def test_names_topics_and_files_are_texts_of_records() -> None:
    """A text may be in a conversation's name or topic, or in a file's name or address."""
    raw = {"name": "plan", "purpose": "talk", "file": "rose.png", "url": "https://example.org/x"}
    file = AttachmentRecord(name="rose.png", url="https://example.org/x")
    shown = message("x").model_copy(update={"files": [file]})
    assert reasons(raw, ConversationRecord(id="c", kind="channel", name="plan", topic="talk"), shown) == []


def test_a_bad_message_is_reported_by_its_line() -> None:
    """An error names the whole line, so its fields are not named too."""
    assert reasons({"text": "hello"}, LineError("a.json:1", "cannot be read")) == []


def test_deep_nesting_is_walked() -> None:
    """A message that is nested 100,000 deep does not exhaust the stack."""
    raw: object = "deep words"
    for _ in range(100_000):
        raw = {"a": raw}
    assert len(reasons(raw)) == 1


def skipped(number: int) -> Iterator[SkippedItem]:
    """Yield items with reasons that are all different."""
    yield from (SkippedItem(f"kind {n}", f"a.json:{n}") for n in range(number))


def test_the_report_keeps_first_places_and_few_reasons() -> None:
    """Each reason has its number and first places; a source that invents reasons does not fill the memory."""
    counts = ImportCounts()
    for one in (*skipped(MAX_REASONS + 5), *(SkippedItem("kind 1", f"b.json:{n}") for n in range(9))):
        counts.add(one)
    assert counts.skipped["kind 1"] == 10
    assert counts.places["kind 1"] == ["a.json:1", "b.json:0", "b.json:1"]
    assert counts.skipped[OTHER_REASONS] == 5
