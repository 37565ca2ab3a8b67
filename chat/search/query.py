"""A search query, parsed from the text and the fields beside it; and how texts are split into terms. Pure.

`tomatoes "ripe and red" gard* from:ana in:general after:2026-01-01 has:link`
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import NamedTuple

from chat.shared.errors import Invalid

PIECE = re.compile(r'"([^"]*)"?|(\S+)')
FILTER = re.compile(r"(from|in|before|after|has):(.+)", re.IGNORECASE)
WANTED_MOST = 20
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """Terms that must be adjacent; with `prefix`, the start of one word; or the gram of a single `sign`."""

    terms: tuple[str, ...] = ()
    prefix: bool = False
    sign: str = ""


@dataclass(slots=True)
class SearchQuery:
    """A query whose parts must all match. Names are as typed; `links`, `files`: only messages with one."""

    wanted: list[SearchTerms] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    conversations: list[str] = field(default_factory=list)
    links: bool = False
    files: bool = False
    after: datetime = FIRST
    before: datetime = LAST

    @property
    def timed(self) -> bool:
        """Return whether the query is limited in time."""
        return (self.after, self.before) != (FIRST, LAST)

    @property
    def any(self) -> bool:
        """Return whether there is anything to search for."""
        return bool(self.wanted or self.names or self.conversations or self.links or self.files or self.timed)


def parse_query(text: str) -> SearchQuery:
    """Parse the text; raise `Invalid` on a wrong filter."""
    query = SearchQuery()
    for quoted, bare in PIECE.findall(text):
        if found := FILTER.fullmatch(bare):
            add_filter(query, found[1].lower(), found[2])
        else:
            query.wanted += want(quoted or bare, prefix=bare.endswith("*"))
    if len(query.wanted) > WANTED_MOST:
        raise invalid_field("q", f"at most {WANTED_MOST} words at once")
    return query


def add_filter(query: SearchQuery, name: str, value: str) -> None:
    """Add one filter to the query; raise `Invalid` on a wrong value."""
    if name == "from":
        query.names.append(value.lstrip("@"))
    elif name == "in":
        query.conversations.append(value.lstrip("#"))
    elif name == "has" and value.lower() == "link":
        query.links = True
    elif name == "has" and value.lower() == "file":
        query.files = True
    elif name == "before":
        query.before = min(query.before, parse_day(value, "q"))
    elif name == "after":
        query.after = max(query.after, parse_day(value, "q"))
    else:
        raise invalid_field("q", "has: accepts only link and file")


def want(piece: str, prefix: bool) -> Iterator[SearchTerms]:
    """Yield what a word or a phrase must match: its adjacent terms, of which a prefix leaves the last one open.

    Scripts without spaces need no prefix, because any stretch of them is found.
    """
    terms, signs = [term.name for term in cut(piece)], list(signs_of(piece))
    if not terms:
        yield from (SearchTerms(sign=sign) for sign in signs)
        return
    if prefix and not any(signs_of(piece[-2:])):
        *terms, last = terms
        if gram_for(last) is None:
            raise invalid_field("q", "more letters before the *")
        yield SearchTerms((last,), prefix=True)
    if terms:
        yield SearchTerms(tuple(terms))


def parse_day(text: str, name: str) -> datetime:
    """Parse a day (its beginning, UTC) or a time with its zone; raise `Invalid`."""
    try:
        moment = datetime.fromisoformat(text)
        aware = moment if moment.tzinfo else datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        return min(max(aware.astimezone(UTC), FIRST), LAST)
    except (ValueError, OverflowError):
        raise invalid_field(name, "a day such as 2026-01-31, or a moment with its zone") from None


def invalid_field(name: str, detail: str) -> Invalid:
    """Return the error that names this field."""
    return Invalid(errors=[{"field": name, "detail": detail}])


# Terms: messages, queries and excerpts are split in one way. A word is folded: case, accents and compatibility forms
# are dropped. Scripts without spaces are split into overlapping pairs of signs, so that any stretch of them is found as
# a phrase of pairs. A gram (`tom~`) is the start of a word: an exact key for a prefix. PostgreSQL's own prefix match
# would read every posting of every such word.

# Thai, Lao, Khmer, Myanmar; kana; Han with its extensions.
SPACELESS = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff"

SPACELESS += r"\U00020000-\U0003ffff"

# Signs that belong to the letter before them: diacritics, Hebrew, Arabic, the scripts of India and Tibet.
SIGNS = r"\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff\u0f18-\u0fff"
EMOJI = r"\u2600-\u27bf\U0001f300-\U0001faff"
RUN = re.compile(rf"[{SPACELESS}]+|[{EMOJI}]|(?:(?![{SPACELESS}{EMOJI}])[^\W_]|[{SIGNS}])+")
ASCII_RUN = re.compile(r"[a-z0-9]+")
DROPPED = re.compile(r"[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]")
SPACELESS_FIRST = re.compile(rf"[{SPACELESS}]")
WORD_MOST = 64
RAW_MOST = 4 * WORD_MOST  # three letters of Korean become one, other letters become more


class Term(NamedTuple):
    """A term, and its place in the text: `text[start:end]`. A tuple, because thousands are made."""

    name: str
    start: int
    end: int


def fold(word: str) -> str:
    """Return the word as it is indexed: `Éric` becomes `eric`; a very long word is cut.

    It is also cut before it is normalized: `unicodedata.normalize` is quadratic in a run of combining marks.
    """
    word = DROPPED.sub("", word)[:RAW_MOST]
    folded = unicodedata.normalize("NFC", DROPPED.sub("", unicodedata.normalize("NFKD", word))).casefold()
    return folded[:WORD_MOST]


def cut(text: str) -> Iterator[Term]:
    """Yield the terms in order. A single sign of a script without spaces has no term, only a gram."""
    if text.isascii():
        for run in ASCII_RUN.finditer(text.lower()):
            yield Term(run[0][:WORD_MOST], *run.span())
        return
    for run in RUN.finditer(text):
        start, end = run.span()
        if SPACELESS_FIRST.match(run[0]):
            yield from (Term(fold(text[n : n + 2]), n, n + 2) for n in range(start, end - 1))
        elif word := fold(run[0]):
            yield Term(word, start, end)


def gram_sizes(word: str) -> tuple[int, ...]:
    """Return the sizes of grams. Two Latin letters start too many words; two others say more."""
    return (3, 5) if word.isascii() else (2, 3, 5)


def grams_of(term: str) -> Iterator[str]:
    """Return the keys by which prefixes of this term are found."""
    return (term[:size] + "~" for size in gram_sizes(term) if len(term) >= size)


def gram_for(prefix: str) -> str | None:
    """Return the longest key for words that start with `prefix`; None if it is too short."""
    return max(grams_of(prefix), key=len, default=None)


def signs_of(text: str) -> Iterator[str]:
    """Return the gram of each sign of scripts without spaces."""
    return (sign + "~" for sign in SPACELESS_FIRST.findall(text))
