"""Lexemes: the search vector of a message, and queries on it. Pure.

Beside its terms (with positions, for phrases) a vector has keys, so that one index answers all parts of a query:
`@c12` is its conversation, `@a7` its author; `@link`, `@file`, `@y2026` and `@m2026-01`; grams; and windows. `@14.61`
is the stretch of 2^14 log positions that it lies in, `@c12.12.3` the stretch of 2^12 messages of its conversation.

A search goes through the windows from the newest and stops when its page is full. So a common word costs one page
instead of its million messages, and a rare one a few look-ups.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from chat.search.query import (
    FIRST,
    LAST,
    SearchPiece,
    SearchQuery,
    SearchTerms,
    Term,
    cut,
    grams_of,
    is_exact,
    keys_for,
    want,
)

LINK = re.compile(r"\bhttps?://\S", re.IGNORECASE)
LOG_WINDOWS = (10, 12, 14, 16, 18)
OWN_WINDOWS = (10, 12, 14, 16)
MOMENT = timedelta(microseconds=1)
PLACES_MOST = 255  # PostgreSQL keeps no more positions of a term


def encode_vector(
    conversation: int, seq: int, position: int, author: int, at: datetime, body: str, names: Sequence[str] = ()
) -> str:
    """Return the text form of a `tsvector`. `names` are those of the attached files."""
    return f"{encode_words(body, names)} {encode_keys(conversation, seq, position, author, at)}"


def encode_words(body: str, names: Sequence[str] = ()) -> str:
    """Return the lexemes of the text and of the file names."""
    positions: dict[str, list[str]] = {}
    text = "\n".join((body, *names))
    signs: set[str] = set()
    number = 0
    hungarian = is_hungarian(text)
    for term in cut(text, True):
        if term.name[-1] == "~":
            signs.add(term.name)
        else:
            number += 1
            for name in (term.name, *inner_words(text, term, hungarian)):
                positions.setdefault(name, []).append(str(number))
    words = [f"{quote(term)}:{','.join(spots[:PLACES_MOST])}" for term, spots in positions.items()]
    words += [quoted_grams(term) for term in positions]
    words += map(quote, signs)
    words += ["@link"] if LINK.search(body) else []
    words += ["@file"] if names else []
    return " ".join(words)


# Words that begin with an article, a conjunction, a preposition (Arabic), or a verb's prefix or the sign of a
# superlative (Hungarian), as texts are folded. The rest is indexed at the same place.

ARABIC = (
    re.compile(r"[\u0648\u0641]?(?:[\u0628\u0643]?\u0627\u0644|\u0644\u0644)([\u0621-\u064a]{2,})"),
    re.compile(r"[\u0648\u0641]([\u0621-\u064a]{4,})"),
    re.compile(r"[\u0628\u0644\u0643]([\u0621-\u064a]{4,})"),
)
PREFIXES = "meg el ki be fel fol le at ra ossze vissza szet haza oda ide vegig hozza elo korul tovabb leg(?=[a-z]*bb)"
HUNGARIAN = tuple(re.compile(f"{prefix}([a-z]{{4,}})") for prefix in PREFIXES.split())
IN_HUNGARIAN = re.compile(
    r"[őű]|\b(?:hogy|egy|és|csak|már|még|lesz|azt|ezt|nincs|szia|köszi|köszönöm|kérlek)\b", re.IGNORECASE
)
SUPERLATIVE = re.compile("leg[a-z]{2,}bb")
HUNGARIAN_LETTER = re.compile("[áéíóöőúüű]", re.IGNORECASE)


def inner_words(text: str, term: Term, hungarian: bool) -> tuple[str, ...]:
    """Return a word without what is written before it in one word. `hungarian`: the text is in this language."""
    first = term.name[0]
    if "\u0621" <= first <= "\u064a":
        return without_prefix(term.name, ARABIC)
    accented = hungarian or (not text.isascii() and HUNGARIAN_LETTER.search(text, term.start, term.end))
    if "a" <= first <= "z" and (accented or SUPERLATIVE.match(term.name)):
        return without_prefix(term.name, HUNGARIAN)
    return ()


@lru_cache(16_384)
def without_prefix(name: str, patterns: tuple[re.Pattern[str], ...]) -> tuple[str, ...]:
    """Return the rest of a word after each of the prefixes that it has."""
    return tuple(dict.fromkeys(found[1] for one in patterns if (found := one.fullmatch(name))))


def is_hungarian(text: str) -> bool:
    """Return whether a text has a letter or a word that only Hungarian has."""
    return not text.isascii() and IN_HUNGARIAN.search(text) is not None


def encode_keys(conversation: int, seq: int, position: int, author: int, at: datetime) -> str:
    """Return the keys of the place, the author and the time (UTC)."""
    own, at = own_prefix(conversation), at.astimezone(UTC)
    windows = [f"@{size}.{position >> size}" for size in LOG_WINDOWS]
    windows += [f"{own}{size}.{seq >> size}" for size in OWN_WINDOWS]
    return f"@c{conversation} @a{author} @y{at.year} @m{at.year}-{at.month:02} {' '.join(windows)}"


def own_prefix(conversation: int) -> str:
    """Return the prefix of the keys of a conversation's own windows."""
    return f"@c{conversation}."


@lru_cache(65_536)
def quoted_grams(term: str) -> str:
    """Return the grams of a term. Cached, because the same words occur again and again."""
    return " ".join(map(quote, grams_of(term)))


@lru_cache(65_536)
def quote(lexeme: str) -> str:
    """Return the lexeme as PostgreSQL reads it in a vector or a query."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def encode_what(query: SearchQuery, authors: Iterable[int], former: bool = False) -> str:
    """Return the `tsquery` of terms and authors, as far as they are exact keys; empty if there are none.

    `former`: some messages have the terms of before migration 0170. Each word is asked for in both forms.
    """
    asked = [forms_of(piece) for piece in query.pieces] if former else [[query.wanted]]
    parts = [any_of(all_of(key for one in form for key in keys_of(one, former)) for form in forms) for forms in asked]
    parts += [either(f"@a{author}" for author in authors)]
    parts += [quote("@link")] if query.links else []
    parts += [quote("@file")] if query.files else []
    return all_of(parts)


def forms_of(piece: SearchPiece) -> list[list[SearchTerms]]:
    """Return what the piece must match in messages indexed now, and in those indexed before migration 0170."""
    now, formerly = list(want(piece)), list(want(piece, former=True))
    return [now, formerly] if formerly and formerly != now else [now]


def encode_where(conversations: Iterable[int]) -> str:
    """Return the `tsquery` of the conversations."""
    return either(f"@c{one}" for one in conversations)


def encode_when(after: datetime, before: datetime) -> str:
    """Return the `tsquery` of the time, a little wider than asked; empty for any time."""
    return either(months_between(after, before - MOMENT)) if (after, before) != (FIRST, LAST) else ""


def keys_of(wanted: SearchTerms, former: bool = False) -> Iterator[str]:
    """Yield the keys that a match must have in the index.

    Without a star, `former` messages are found by whole words, as they were: their short grams have too many matches.
    """
    if wanted.sign:
        yield quote(wanted.sign)
    elif wanted.prefix:
        *head, last = wanted.terms
        yield from map(quote, head)
        yield either(dict.fromkeys((last, *keys_for(last))) if former and not wanted.star else keys_for(last, former))
    else:
        yield phrase_of(wanted)


def phrase_of(wanted: SearchTerms) -> str:
    """Return the `tsquery` of what must match, also where it is no exact key."""
    terms = [quote(term) for term in wanted.terms or (wanted.sign,)]
    return " <-> ".join(terms) + (":*" if wanted.prefix else "")


def encode_rest(query: SearchQuery, former: bool = False) -> str:
    """Return the `tsquery` that matches must satisfy in addition: prefixes in their full length, and in phrases."""
    if not former:
        return all_of(phrase_of(one) for one in query.wanted if is_rest(one))
    asked = [forms_of(piece) for piece in query.pieces]
    open_ones = [forms for forms in asked if any(is_rest(one, True) for form in forms for one in form)]
    return all_of(any_of(all_of(map(phrase_of, form)) for form in with_whole(forms)) for forms in open_ones)


def with_whole(forms: list[list[SearchTerms]]) -> list[list[SearchTerms]]:
    """Return the forms, and each with whole words: the grams of before migration 0170 hide a prefix in a phrase."""
    return forms + [[replace(one, prefix=False) for one in form] for form in forms]


def is_rest(wanted: SearchTerms, former: bool = False) -> bool:
    """Return whether a message with all keys may still not match."""
    return wanted.prefix and (len(wanted.terms) > 1 or not is_exact(wanted.terms[-1], former and wanted.star))


def all_of(parts: Iterable[str]) -> str:
    """Return a `tsquery` of all these; empty ones are left out."""
    return " & ".join(part for part in parts if part)


def any_of(parts: Iterable[str]) -> str:
    """Return a `tsquery` of any of these."""
    listed = [part for part in parts if part]
    return " | ".join(listed) if len(listed) < 2 else f"({' | '.join(f'({part})' for part in listed)})"


def either(lexemes: Iterable[str]) -> str:
    """Return a `tsquery` of any of these lexemes; empty for none."""
    listed = " | ".join(map(quote, lexemes))
    return f"({listed})" if listed else ""


def months_between(first: datetime, last: datetime) -> Iterator[str]:
    """Yield the keys of the whole years, and of the months in years at the ends.

    They cover a little more than asked.
    """
    for year in range(max(first.year, 1970), min(last.year, 2100) + 1):
        if first.year < year < last.year:
            yield f"@y{year}"
        else:
            begin, end = first.month if year == first.year else 1, last.month if year == last.year else 12
            yield from (f"@m{year}-{month:02}" for month in range(begin, end + 1))


# Ranges: the places that a search goes through. They are log positions. In one conversation they are the seqs of its
# messages instead, so it does not matter how long ago the last one was posted.


@dataclass(frozen=True, slots=True)
class SearchRange:
    """The places from `first` to `last` that a search goes through, from the newest.

    `own`: places are seqs of one conversation, not log positions; `mark` tells the two apart in the `next` of a page.
    The keys of its windows start with `prefix`; `narrow` and `wide` are the sizes of the smallest and largest, in bits.
    """

    own: bool
    first: int
    last: int
    prefix: str
    whole: str
    narrow: int
    wide: int

    @property
    def mark(self) -> str:
        """The prefix of places in `next`."""
        return "s" if self.own else "p"


def log_range(first: int, last: int, whole: bool) -> SearchRange:
    """Return a stretch of the log. Unless `whole`, only the smallest windows are used, which all messages have."""
    return SearchRange(False, first, last, "@", "", LOG_WINDOWS[0], LOG_WINDOWS[-1 if whole else 0])


def conversation_range(conversation_id: int, last_seq: int) -> SearchRange:
    """Return the range of one conversation."""
    key = quote(f"@c{conversation_id}")
    return SearchRange(True, 1, last_seq, own_prefix(conversation_id), key, OWN_WINDOWS[0], OWN_WINDOWS[-1])
