"""No word of a Slack message is lost without being counted, whatever fields and blocks the message has."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.transfer.records import LineError, MessageRecord, SkippedItem, UserRecord
from chat.transfer.text import words_in
from tests.transfer.files import Json
from tests.transfer.slack_export import said, write_slack
from tests.transfer.test_slack_messages import CASE, DAY, USERS, case, mrkdwn, reads, rich, section, told, words

WORDS = st.text("abcdefghij", min_size=3, max_size=9)
STYLES = st.fixed_dictionaries({}, optional={name: st.booleans() for name in ("bold", "italic", "strike", "code")})
INLINE = st.one_of(
    st.builds(lambda text, style: {"type": "text", "text": text, "style": style}, WORDS, STYLES),
    st.builds(lambda text, url: {"type": "link", "text": text, "url": f"https://{url}.example"}, WORDS, WORDS),
    st.builds(lambda text: {"type": "mystery", "fallback": text}, WORDS),
    st.builds(lambda text: {"type": "mystery", "elements": [words(text)]}, WORDS),
    st.builds(lambda text, more: words(text) | {"note": more}, WORDS, WORDS),
)
RICH = st.builds(
    lambda kind, inner: {"type": kind, "elements": [section(*inner)] if kind == "rich_text_list" else inner},
    st.sampled_from(["rich_text_section", "rich_text_quote", "rich_text_preformatted", "rich_text_list", "rich_new"]),
    st.lists(INLINE, max_size=3),
)
FIELD = st.sampled_from(["text", "title", "pretext", "fallback", "footer", "value", "fields", "blocks", "plain_text"])
ANYTHING = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELD, inner, max_size=3), max_leaves=8
)
MESSAGES = st.fixed_dictionaries(
    {"ts": st.just("1.1"), "user": st.just("U1")},
    optional={
        "text": WORDS,
        "blocks": st.lists(
            st.builds(lambda elements: {"type": "rich_text", "elements": elements}, st.lists(RICH, max_size=3))
            | st.builds(lambda text: mrkdwn(text), WORDS)
            | st.builds(lambda kind, inner: {"type": kind, "inner": inner}, WORDS, ANYTHING),
            max_size=3,
        ),
        "attachments": st.lists(st.dictionaries(FIELD, ANYTHING, max_size=4), max_size=2),
        "files": st.lists(st.dictionaries(FIELD, ANYTHING, max_size=4), max_size=2),
        "novelty": ANYTHING,
    },
)


FIELDS = (
    *("id", "name", "user", "ts", "text", "blocks", "attachments", "files", "type", "elements", "members", "profile"),
    *("team_id", "created", "updated", "deleted", "thread_ts", "reactions", "users", "edited", "pins", "bot_id"),
    *("comment", "room", "style", "topic"),
)
KEYS = st.sampled_from(FIELDS)
NUMBERS = st.integers(-1, 2**60) | st.floats(allow_nan=False)
HOSTILE = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "1.1", "U1", "C1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=10,
)


@given(users=st.lists(HOSTILE), channels=st.lists(HOSTILE), day=st.lists(HOSTILE), members=HOSTILE)
def test_no_entry_costs_the_import(
    tmp_path_factory: pytest.TempPathFactory, users: list[Json], channels: list[Json], day: list[Json], members: Json
) -> None:
    """Whatever is in a list, the good message of the day comes in."""
    good = {"ts": "5.1", "user": "U1", "text": "good"}
    files = case(good) | {"users.json": [*users, *USERS], "dms.json": [{"id": "D1", "members": members}]}
    files |= {"channels.json": [CASE, *channels], DAY: [*day, good]}
    found = reads(write_slack(tmp_path_factory.mktemp("slack") / "a.zip", files))
    assert "good" in [one.body for one in found if isinstance(one, MessageRecord)]


@given(message=MESSAGES)
def test_no_word_of_a_message_is_lost_uncounted(tmp_path_factory: pytest.TempPathFactory, message: Json) -> None:
    """Whatever a message has, each word is in what came of it, or a reason is counted."""
    path = write_slack(tmp_path_factory.mktemp("slack") / "a.zip", case(message))
    found = [one for one in reads(path) if not (isinstance(one, UserRecord) and one.id in ("U1", "U2"))]
    kept = {
        word
        for one in found
        if isinstance(one, MessageRecord)
        for text in (one.body, *(file.name for file in one.files))
        for word in words_in(text)
    }
    squeezed = "".join(one.body for one in found if isinstance(one, MessageRecord))
    squeezed = "".join(filter(str.isalpha, squeezed))
    lost = {word for word in words_of(message) if word not in kept and word not in squeezed}
    assert not lost or any(isinstance(one, SkippedItem | LineError) for one in found)


def words_of(value: object) -> set[str]:
    """Return the words of a message that are no machinery."""
    if isinstance(value, str):
        return words_in(value)
    if isinstance(value, list):
        return set().union(*map(words_of, value))
    if isinstance(value, dict):
        return set().union(
            *(words_of(one) for name, one in value.items() if name not in ("ts", "user", "type", "style"))
        )
    return set()


def test_details_that_only_programs_need_are_not_shown(tmp_path: Path) -> None:
    """The values of a menu, the scheme of a telephone number. The language of code stays with it."""
    code = {"type": "rich_text_preformatted", "elements": [words("x = 1")], "border": 0, "language": "python"}
    menu = {"type": "static_select", "options": [{"text": {"type": "plain_text", "text": "Small"}, "value": "size-s"}]}
    messages, left = told(
        tmp_path,
        case(
            said("", "U1", "x = 1", blocks=rich(code)),
            said("", "U1", "", blocks=[{"type": "actions", "elements": [menu]}]),
            said("", "U1", "call <tel:+49123|+49123>"),
        ),
    )
    assert [body for _, body in messages] == ["```python\nx = 1\n```", "Small", "call +49123"]
    assert left == []


def test_files_that_are_gone_are_counted(tmp_path: Path) -> None:
    """A message keeps its place when its file was deleted, or is hidden because the workspace does not pay."""
    gone = [
        said("", "U1", "", files=[{"id": f"F{n}", "mode": mode}])
        for n, mode in enumerate(("tombstone", "hidden_by_limit"))
    ]
    messages, left = told(tmp_path, case(*gone))
    assert [body for _, body in messages] == ["📎 deleted file", "📎 file hidden by a limit of Slack"]
    assert left == ["files that the export leaves out"] * 2


def test_the_preview_of_a_link_with_a_query_is_a_preview(tmp_path: Path) -> None:
    """Slack escapes the link in the text, but not in the preview."""
    preview = {"from_url": "https://e.example/x?a=1&b=2", "title": "Page", "text": "first words of it"}
    messages, left = told(tmp_path, case(said("", "U1", "<https://e.example/x?a=1&amp;b=2>", attachments=[preview])))
    assert [body for _, body in messages] == ["https://e.example/x?a=1&b=2"]
    assert left == ["previews of links"]
