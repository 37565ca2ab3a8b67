"""Terms and lexemes: every text is found by its parts."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.search.highlight import highlight
from chat.search.lexemes import encode_keys, encode_rest, encode_vector, encode_what, months_between
from chat.search.query import cut, fold, grams_of, keys_for, parse_day, parse_query

Connection = psycopg.Connection[tuple[Any, ...]]
NOW = datetime(2026, 11, 24, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=60)
MIXED = st.lists(
    st.sampled_from(["Éric", "東京都", "tom", "it's", "\\", "a_b", "☕", "हिन्दी", "ﬁne", "서울", " "])
).map("".join)


@pytest.fixture(scope="module")
def server(postgres_url: str) -> Iterator[Connection]:
    """A connection for all examples."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


@given(TEXTS | MIXED)
def test_every_term_is_a_piece_of_the_text(text: str) -> None:
    """Terms come from left to right; folding one again changes nothing."""
    terms = list(cut(text, True))
    assert all(0 <= term.start < term.end <= len(text) for term in terms)
    assert [term.start for term in terms] == sorted(term.start for term in terms)
    assert all(fold(term.name) in (term.name, term.name[:-1]) for term in terms)


@given(TEXTS)
def test_each_prefix_has_a_key_that_the_word_has_too(word: str) -> None:
    """A prefix shares a key with its word, unless it is too short for any."""
    for term in cut(word):
        for size in range(1, len(term.name) + 1):
            keys = keys_for(term.name[:size])
            assert not keys or set(keys) & {term.name, *grams_of(term.name)}


@given(TEXTS | MIXED)
def test_the_pieces_of_a_highlight_are_the_text(text: str) -> None:
    """Each word of a text matches it, and the pieces together are the text."""
    for word in text.replace('"', " ").replace("*", " ").replace(":", " ").split()[:5]:
        wanted = parse_query(word).wanted
        pieces = highlight(text, wanted)
        shown = "".join(piece for piece, _ in pieces).removeprefix("…").removesuffix("…")
        assert shown.strip("…") in text
        assert any(hit for _, hit in pieces) or not wanted


@settings(max_examples=60, deadline=None)
@given(text=TEXTS | MIXED)
def test_postgresql_reads_every_vector_and_finds_every_word(text: str, server: Connection) -> None:
    """Any text is a valid vector, and is found by each word, by its beginning, and as a phrase."""
    vector = encode_vector(1, 300, 12345, 7, NOW, text)
    words = text.replace('"', " ").replace(":", " ").replace("*", " ").split()
    for asked in (f'"{" ".join(words)}"', *words):
        question = parse_query(asked)
        for former in (False, True):
            keys = " & ".join(filter(None, (encode_what(question, [7, 8], former), encode_rest(question, former))))
            row = server.execute("select %s::tsvector @@ %s::tsquery", [vector, keys]).fetchone()
            assert row == (True,), (vector, keys)


def test_months_cover_what_is_asked() -> None:
    """Whole years are one key."""
    keys = list(months_between(datetime(2024, 11, 5, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)))
    assert keys == ["@m2024-11", "@m2024-12", "@y2025", "@m2026-01", "@m2026-02"]


def test_months_are_those_of_one_zone() -> None:
    """The time zone of the database's session makes no difference."""
    at = datetime(2020, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert {"@y2019", "@m2019-12"} <= set(encode_keys(1, 300, 12345, 7, at).split())
    assert parse_day("2020-01-01T00:30+01:00", "after") == at
    assert parse_day("2020-01-01T00:30+01:00", "after").month == 12


def test_prefixes_are_checked_in_their_full_length() -> None:
    """The index has the first twelve letters; longer prefixes and open phrases are checked in its matches."""
    question = parse_query('internationalization* "soup" t-1*')
    assert encode_what(question, []) == "('~internationa') & 'soup' & 't'"
    assert encode_rest(question) == "'internationalization':* & 't' <-> '1':*"
