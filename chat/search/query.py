"""A question: what somebody looks for, read from the text typed and the fields beside it. Pure.

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
    """Terms that stand side by side; or, with `prefix`, one word that begins so; or the `sign` of one gram alone."""

    terms: tuple[str, ...] = ()
    prefix: bool = False
    sign: str = ""


@dataclass(slots=True)
class SearchQuery:
    """Everything in it must be so. Names are as typed; `links`, `files`: only what carries one."""

    wanted: list[SearchTerms] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    links: bool = False
    files: bool = False
    after: datetime = FIRST
    before: datetime = LAST

    @property
    def timed(self) -> bool:
        """Is only a part of time asked for?"""
        return (self.after, self.before) != (FIRST, LAST)

    @property
    def asks(self) -> bool:
        """Is there anything to look for?"""
        return bool(self.wanted or self.names or self.places or self.links or self.files or self.timed)


def parse_question(text: str) -> SearchQuery:
    """What the text asks; raises `Invalid` on a filter that means nothing."""
    question = SearchQuery()
    for quoted, bare in PIECE.findall(text):
        if found := FILTER.fullmatch(bare):
            take_filter(question, found[1].lower(), found[2])
        else:
            question.wanted += want(quoted or bare, prefix=bare.endswith("*"))
    if len(question.wanted) > WANTED_MOST:
        raise wrong("q", f"at most {WANTED_MOST} words at once")
    return question


def take_filter(question: SearchQuery, name: str, value: str) -> None:
    """One filter; raises `Invalid`."""
    if name == "from":
        question.names.append(value.lstrip("@"))
    elif name == "in":
        question.places.append(value.lstrip("#"))
    elif name == "has" and value.lower() == "link":
        question.links = True
    elif name == "has" and value.lower() == "file":
        question.files = True
    elif name == "before":
        question.before = min(question.before, parse_day(value, "q"))
    elif name == "after":
        question.after = max(question.after, parse_day(value, "q"))
    else:
        raise wrong("q", "has: knows link and file")


def want(piece: str, prefix: bool) -> Iterator[SearchTerms]:
    """What a word or a phrase asks for: its terms side by side, its last one open when it is a prefix.

    Scripts without spaces need no prefix: any stretch of them is found.
    """
    terms, signs = [term.name for term in cut(piece)], list(signs_of(piece))
    if not terms:
        yield from (SearchTerms(sign=sign) for sign in signs)
        return
    if prefix and not any(signs_of(piece[-2:])):
        *terms, last = terms
        if gram_for(last) is None:
            raise wrong("q", "more letters before a *")
        yield SearchTerms((last,), prefix=True)
    if terms:
        yield SearchTerms(tuple(terms))


def parse_day(text: str, name: str) -> datetime:
    """A day (its beginning, UTC) or a moment with its zone; raises `Invalid`."""
    try:
        moment = datetime.fromisoformat(text)
        aware = moment if moment.tzinfo else datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        return min(max(aware.astimezone(UTC), FIRST), LAST)
    except (ValueError, OverflowError):
        raise wrong(name, "a day such as 2026-01-31, or a moment with its zone") from None


def wrong(name: str, detail: str) -> Invalid:
    """The refusal that names this field."""
    return Invalid(errors=[{"field": name, "detail": detail}])


# Terms: what a text is found by; one way of cutting for what was said, what is asked and what is shown. Pure. A word
# is folded: case, accents and compatibility forms fall away. Scripts without spaces are cut into overlapping pairs of
# signs, so that any stretch of them is found as a phrase of pairs. A gram (`tom~`) is the beginning of a word: an
# exact key for a prefix, where PostgreSQL's own prefix match would read every posting of every such word.

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
RAW_MOST = 4 * WORD_MOST  # three letters of Korean become one, others become more


class Term(NamedTuple):
    """A term, and where it stands in the text: `text[start:end]`. A tuple, for it is made in the thousands."""

    name: str
    start: int
    end: int


def fold(word: str) -> str:
    """Return the word as it is indexed: `Éric` becomes `eric`; a very long word is cut.

    Cut before it is normalized as well: `unicodedata.normalize` is quadratic in a run of combining marks.
    """
    word = DROPPED.sub("", word)[:RAW_MOST]
    folded = unicodedata.normalize("NFC", DROPPED.sub("", unicodedata.normalize("NFKD", word))).casefold()
    return folded[:WORD_MOST]


def cut(text: str) -> Iterator[Term]:
    """The terms in the order they stand; a single sign of a script without spaces has none, only its gram."""
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
    """Two letters of the Latin alphabet begin too many words; of others they say more."""
    return (3, 5) if word.isascii() else (2, 3, 5)


def grams_of(term: str) -> Iterator[str]:
    """The keys by which prefixes of this term are looked up."""
    return (term[:size] + "~" for size in gram_sizes(term) if len(term) >= size)


def gram_for(prefix: str) -> str | None:
    """The longest key that finds everything that begins so; None when it is too short for any."""
    return max(grams_of(prefix), key=len, default=None)


def signs_of(text: str) -> Iterator[str]:
    """The gram of each single sign of the scripts without spaces."""
    return (sign + "~" for sign in SPACELESS_FIRST.findall(text))
