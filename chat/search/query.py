"""A search query, parsed from the text and the fields beside it; and how texts are split into terms. Pure.

`tomatoes "ripe and red" t-12* from:ana in:general on:2026-01-01 has:link`

A word also finds longer words that begin with it, because endings are part of a word in many languages. Text in quotes
finds whole words.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from chat.shared.appearance import IGNORABLE, look_key
from chat.shared.errors import Invalid

QUOTES = '"“”„«»'  # keyboards of phones write the others by themselves
PIECE = re.compile(rf"[{QUOTES}]([^{QUOTES}]*)[{QUOTES}]?|(\S+)")
FILTER = re.compile(r"(from|in|before|after|on|has):(.+)", re.IGNORECASE)
WANTED_MOST = 20
DIGIT = re.compile(r"\d")
DAY = timedelta(days=1)
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


class SearchPiece(NamedTuple):
    """A word or a phrase as it was typed; `star`: with a `*` at its end."""

    text: str
    quoted: bool = False
    star: bool = False


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """Terms that must be adjacent, or the gram of one `sign`.

    `prefix`: the last term is the start of a word, because of a `star` or because that is how words are searched.
    """

    terms: tuple[str, ...] = ()
    prefix: bool = False
    sign: str = ""
    star: bool = False


@dataclass(slots=True)
class SearchQuery:
    """A query whose parts must all match. Names are as typed; `links`, `files`: only messages with one.

    `after` and `before` are moments; the days begin in the time zone of the user.
    """

    pieces: list[SearchPiece] = field(default_factory=list)
    wanted: list[SearchTerms] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    conversations: list[str] = field(default_factory=list)
    links: bool = False
    files: bool = False
    after: datetime = FIRST
    before: datetime = LAST
    after_day: date | None = None
    before_day: date | None = None

    @property
    def timed(self) -> bool:
        """Return whether the query is limited in time."""
        return (self.after, self.before, self.after_day, self.before_day) != (FIRST, LAST, None, None)

    @property
    def any(self) -> bool:
        """Return whether there is anything to search for."""
        return bool(self.wanted or self.names or self.conversations or self.links or self.files or self.timed)

    def begin(self, when: date) -> None:
        """Search from this moment, or from the beginning of this day, if that is later than what is set."""
        if isinstance(when, datetime):
            self.after = max(self.after, when)
        else:
            self.after_day = max(self.after_day or when, when)

    def end(self, when: date) -> None:
        """Search until before this moment, or before this day, if that is earlier than what is set."""
        if isinstance(when, datetime):
            self.before = min(self.before, when)
        else:
            self.before_day = min(self.before_day or when, when)


def parse_query(text: str) -> SearchQuery:
    """Parse the text; raise `Invalid` on a wrong filter."""
    query = SearchQuery()
    for quoted, bare in PIECE.findall(text):
        if found := FILTER.fullmatch(bare):
            add_filter(query, found[1].lower(), found[2])
        else:
            piece = SearchPiece(quoted or bare, not bare, bare.endswith("*"))
            query.pieces.append(piece)
            query.wanted += want(piece)
    if any(one.prefix and len(one.terms) == 1 and not keys_for(one.terms[0]) for one in query.wanted):
        raise invalid_field("q", "more letters before the *")
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
        query.end(parse_day(value, "q"))
    elif name == "after":
        query.begin(parse_day(value, "q"))
    elif name == "on":
        limit_to_day(query, parse_day(value, "q"))
    else:
        raise invalid_field("q", "has: accepts only link and file")


def limit_to_day(query: SearchQuery, day: date) -> None:
    """Search one day; raise `Invalid` for a moment."""
    if isinstance(day, datetime):
        raise invalid_field("q", "on: accepts only a day such as 2026-01-31")
    query.begin(day)
    query.end(day + DAY)


def want(piece: SearchPiece, former: bool = False) -> Iterator[SearchTerms]:
    """Yield what a word or a phrase must match: its adjacent terms, of which the last one may be the start of a word.

    Scripts without spaces need no `*`, because any stretch of them is found; a sign alone has a key of its own.
    """
    found = list(cut_formerly(piece.text, True) if former else cut(piece.text, True))
    pairs = [term for term in found if not term.sign]
    terms, starts, ends = tuple(term.name for term in pairs), {one.start for one in pairs}, {one.end for one in pairs}
    if terms:
        yield SearchTerms(terms, not found[-1].sign and is_open(piece, terms), star=piece.star)
    yield from (
        SearchTerms(sign=one.name) for one in found if one.sign and not (one.start in starts or one.end in ends)
    )


def is_open(piece: SearchPiece, terms: Sequence[str]) -> bool:
    """Return whether the last term may be the start of a word. Numbers and short words are only with a `*`."""
    last = terms[-1]
    if not any(map(str.isalnum, last)):
        return False
    return piece.star or (not (piece.quoted or DIGIT.search(last)) and bool(keys_for(last)))


def parse_day(text: str, name: str) -> date:
    """Parse a day, or a moment with its zone, which is returned as a `datetime` in UTC; raise `Invalid`."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return min(max(date.fromisoformat(text), FIRST.date()), LAST.date())
        return min(max(moment.astimezone(UTC), FIRST), LAST)
    except (ValueError, OverflowError):
        raise invalid_field(name, "a day such as 2026-01-31, or a moment with its zone") from None


def invalid_field(name: str, detail: str) -> Invalid:
    """Return the error that names this field."""
    return Invalid(errors=[{"field": name, "detail": detail}])


# Terms: messages, queries and excerpts are split into words in one way, in linear time.
#
# A word is folded: what looks alike is equal (`look_key`); accents, other Latin letters (`ł`, `ø`, `æ`), tatweel and
# variants of Arabic letters become plain. Invisible characters do not split a word. Scripts without spaces, and Korean,
# whose words carry particles, are split into overlapping pairs of signs: any stretch of them is found as a phrase of
# pairs. An emoji, a flag and a keycap are terms of their own.
#
# A gram (`~tom`) is the start of a longer word: an exact key for a prefix. PostgreSQL's own prefix match would read
# every posting of every such word. The mark stands first, because a phrase with a prefix fails on a lexeme without
# positions that begins like it.

# Thai, Lao, Myanmar, Khmer; radicals, kana and Han with extensions; units written as one sign; half-width kana.
SPACELESS = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
SPACELESS += r"\u3300-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
# Korean: letters (jamo) that are composed, or stand alone; syllables; half-width letters.
SPACELESS += r"\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\uac00-\ud7ff\uffa0-\uffdc"

# Characters that are composed with the sign before them: voicing marks, Korean vowels and finals, a Myanmar vowel.
COMPOSED = r"\u3099\u309a\uff9e\uff9f\u1160-\u11ff\ud7b0-\ud7ff\uffc2-\uffdc\u102e"

# Signs that belong to the letter before them: diacritics, Hebrew, Arabic, Syriac, Thaana, NKo, the scripts of India,
# Tibet and Java.
SIGNS = (
    r"\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed"
)
SIGNS += r"\u0711\u0730-\u074a\u07a6-\u07b0\u07eb-\u07f3\u08ca-\u08ff\u0900-\u0963\u0966-\u0dff\u0f18-\u0fff"
SIGNS += r"\u1ab0-\u1aff\u1dc0-\u1dff\u1b00-\u1b44\ua980-\ua9c0\U00011100-\U00011134\U0001e944-\U0001e94a"

EMOJI = (
    r"\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a\u231b\u2328\u23cf-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0"
)
EMOJI += r"\u25fb-\u25fe\u2600-\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299"
EMOJI += r"\U0001f000-\U0001faff"
FLAG, KEYCAP, TAGS = r"[\U0001f1e6-\U0001f1ff]{2}", r"[0-9#*]\ufe0f?\u20e3", r"[\U000e0020-\U000e007f]*"

RUN = re.compile(
    rf"(?P<emoji>{FLAG}|{KEYCAP}|[{EMOJI}]{TAGS})[{IGNORABLE}]*"
    rf"|(?P<spaceless>[{SPACELESS}][{SPACELESS}{IGNORABLE}]*)"
    rf"|(?P<word>(?:(?![{IGNORABLE}])[^\W_]|[{SIGNS}])(?:(?![{SPACELESS}{EMOJI}])[^\W_]|[{SIGNS}{IGNORABLE}])*)"
)
ASCII_RUN = re.compile(r"[a-z0-9]+")
# Thai and Lao: a vowel that is typed as two others, and one whose parts are typed around the sign of the tone.
TYPED_TWICE = ("\u0e40\u0e40", "\u0e41"), ("\u0ec0\u0ec0", "\u0ec1")
TONED = re.compile(r"([\u0e4d\u0ecd])([\u0e48-\u0e4b\u0ec8-\u0ecb])(?=[\u0e32\u0eb2])")
TYPED_OTHERWISE = rf"\u0e40\u0e40|\u0ec0\u0ec0|{TONED.pattern.replace('(?=', '(?:')}"
CLUSTER = re.compile(rf"{TYPED_OTHERWISE}|.[{COMPOSED}{IGNORABLE}]*", re.DOTALL)
DROPPED = re.compile(r"[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u08ca-\u08ff]")
PLAIN = str.maketrans(
    {"ł": "l", "đ": "d", "ð": "d", "ɖ": "d", "ɗ": "d", "ø": "o", "ɔ": "o", "æ": "ae", "œ": "oe", "ɛ": "e", "þ": "th"}
    | {"ħ": "h", "ı": "i", "ɨ": "i", "ŋ": "n", "ŧ": "t", "ɓ": "b", "ƒ": "f", "ƙ": "k", "ƴ": "y", "ʻ": "", "ʼ": ""}
    | {"ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه"}
)
# The digits of scripts with spaces: Arabic, Persian, NKo, the scripts of India.
ZEROS = (0x660, 0x6F0, 0x7C0, *range(0x966, 0xDE7, 0x80))
PLAIN |= {zero + digit: str(digit) for zero in ZEROS for digit in range(10)}
WORD_MOST = 64
RAW_MOST = 4 * WORD_MOST  # three letters of Korean become one, other letters become more
GRAMS = (3, 4, 5, 6, 7, 8, 10, 12)  # a longer prefix is checked in the matches of its first letters
FORMER_GRAMS = (3, 5)


class Term(NamedTuple):
    """A term, and its place in the text: `text[start:end]`. A tuple, because thousands are made."""

    name: str
    start: int
    end: int

    @property
    def sign(self) -> bool:
        """Return whether this is a single sign of a script without spaces. No other term ends with its mark."""
        return self.name[-1] == "~"


def fold(word: str) -> str:
    """Return the word as it is indexed: `Łódź` becomes `lodz`; a very long word is cut."""
    return fold_short(word) if len(word) <= WORD_MOST else fold_any(word)


def fold_any(word: str) -> str:
    """Fold a word of any length.

    It is cut before it is normalized: `unicodedata.normalize` is quadratic in a run of combining marks.
    """
    look = look_key(DROPPED.sub("", word)[:RAW_MOST])
    if look[:1] >= "\u0e00":
        look = TONED.sub(r"\2\1", look)
        for typed, meant in TYPED_TWICE:
            look = look.replace(typed, meant)
    plain = DROPPED.sub("", unicodedata.normalize("NFD", look)).translate(PLAIN)
    return unicodedata.normalize("NFC", plain)[:WORD_MOST]


fold_short = lru_cache(16_384)(fold_any)  # the same words occur again and again


def cut(text: str, signs: bool = False) -> Iterator[Term]:
    """Yield the terms in order; with `signs`, also each sign of a script without spaces, marked `~`."""
    if text.isascii():
        for run in ASCII_RUN.finditer(text.lower()):
            yield Term(run[0][:WORD_MOST], *run.span())
        return
    for run in RUN.finditer(text):
        if run.lastgroup == "spaceless":
            yield from cut_spaceless(run[0], run.start(), signs)
        elif name := fold(run[0]) if run.lastgroup == "word" else run["emoji"].replace("\ufe0f", ""):
            yield Term(name, *run.span())


def cut_spaceless(run: str, at: int, signs: bool) -> Iterator[Term]:
    """Yield the pairs of signs, and the signs if wanted. `at`: the place of the run in the text."""
    before: Term | None = None
    for cluster in CLUSTER.finditer(run):
        for sign in fold(cluster[0]):
            one = Term(sign + "~", at + cluster.start(), at + cluster.end())
            if before:
                yield Term(before.name[:-1] + sign, before.start, one.end)
            if signs:
                yield one
            before = one


def gram_sizes(word: str, former: bool = False) -> tuple[int, ...]:
    """Return the sizes of grams. Two Latin letters start too many words; two others say more."""
    sizes = FORMER_GRAMS if former else GRAMS
    return sizes if word.isascii() else (2, *sizes)


def grams_of(term: str) -> Iterator[str]:
    """Yield the keys by which shorter prefixes of this term are found."""
    return ("~" + term[:size] for size in gram_sizes(term) if size < len(term))


def keys_for(prefix: str, former: bool = False) -> tuple[str, ...]:
    """Return the keys, of which every word with this prefix has one; none if the prefix is too short.

    `former`: vectors of before migration 0170 have one of them too.
    """
    start = prefix[: max((size for size in gram_sizes(prefix, former) if size <= len(prefix)), default=0)]
    grams = ("~" + start, start + "~") if former else ("~" + start,)
    return () if not start else (start, *grams) if start == prefix else grams


def is_exact(prefix: str, former: bool = False) -> bool:
    """Return whether a word that has one of `keys_for(prefix)` has the whole prefix."""
    return len(prefix) in gram_sizes(prefix, former)


# Terms as they were before migration 0170, for the messages that have not been indexed again since. Remove them, and
# `former` in their callers, with the first version that cannot follow one without 0170.

OLD_SPACELESS = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff"
    r"\U00020000-\U0003ffff"
)
OLD_SIGNS = r"\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff\u0f18-\u0fff"
OLD_APART = rf"{OLD_SPACELESS}\u2600-\u27bf\U0001f300-\U0001faff"
OLD_RUN = re.compile(rf"([{OLD_SPACELESS}]+)|[{OLD_APART}]|(?:(?![{OLD_APART}])[^\W_]|[{OLD_SIGNS}])+")
OLD_DROPPED = re.compile(r"[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]")


def cut_formerly(text: str, signs: bool = False) -> Iterator[Term]:
    """Yield the former terms in order; with `signs`, also each sign of a script without spaces, marked `~`."""
    for run in OLD_RUN.finditer(text):
        start, end = run.span()
        if not run[1]:
            if word := fold_formerly(run[0]):
                yield Term(word, start, end)
            continue
        for place in range(start, end):
            if place + 1 < end:
                yield Term(fold_formerly(text[place : place + 2]), place, place + 2)
            if signs:
                yield Term(text[place] + "~", place, place + 1)


def fold_formerly(word: str) -> str:
    """Return the word as it was indexed: `Łódź` became `łodz`."""
    word = OLD_DROPPED.sub("", word)[:RAW_MOST]
    folded = unicodedata.normalize("NFC", OLD_DROPPED.sub("", unicodedata.normalize("NFKD", word))).casefold()
    return folded[:WORD_MOST]
