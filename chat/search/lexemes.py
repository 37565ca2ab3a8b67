"""Lexemes: what stands in a message's vector, and how a question is put to it. Pure.

Beside its terms (with their places, for phrases) a vector holds keys, so that one index answers all of a question:
`@c12` its conversation, `@a7` its author, `@link`, `@file`, `@y2026` and `@m2026-01`, grams, and its windows: `@14.61`
is the stretch of 2^14 log positions that it came from, `@c12.12.3` the stretch of 2^12 messages of its conversation. A
search goes through the windows from the newest and stops when its page is full; so a common word costs a page and not
its million messages, and a rare one a few look-ups.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from chat.search.query import SearchQuery, SearchTerms, cut, gram_for, grams_of, signs_of

LINK = re.compile(r"\bhttps?://\S", re.IGNORECASE)
LOG_WINDOWS = (10, 12, 14, 16, 18)
OWN_WINDOWS = (10, 12, 14, 16)
MOMENT = timedelta(microseconds=1)
PLACES_MOST = 255  # as many places of one term PostgreSQL keeps


def encode_vector(
    conversation: int, seq: int, position: int, author: int, at: datetime, body: str, names: Sequence[str] = ()
) -> str:
    """The text form of a `tsvector`; `names` are those of the files that the message carries."""
    return f"{encode_words(body, names)} {encode_keys(conversation, seq, position, author, at)}"


def encode_words(body: str, names: Sequence[str] = ()) -> str:
    """What the text itself, and what its files are called, is found by."""
    places: dict[str, list[str]] = {}
    said = "\n".join((body, *names))
    for number, term in enumerate(cut(said), 1):
        places.setdefault(term.name, []).append(str(number))
    words = [f"{quote(term)}:{','.join(spots[:PLACES_MOST])}" for term, spots in places.items()]
    words += [quoted_grams(term) for term in places]
    words += [] if said.isascii() else map(quote, signs_of(said))
    words += ["@link"] if LINK.search(body) else []
    words += ["@file"] if names else []
    return " ".join(words)


def encode_keys(conversation: int, seq: int, position: int, author: int, at: datetime) -> str:
    """Where it stands, and who said it when (UTC)."""
    own, at = own_prefix(conversation), at.astimezone(UTC)
    windows = [f"@{size}.{position >> size}" for size in LOG_WINDOWS]
    windows += [f"{own}{size}.{seq >> size}" for size in OWN_WINDOWS]
    return f"@c{conversation} @a{author} @y{at.year} @m{at.year}-{at.month:02} {' '.join(windows)}"


def own_prefix(conversation: int) -> str:
    """How the keys of a conversation's own windows begin."""
    return f"@c{conversation}."


@lru_cache(65_536)
def quoted_grams(term: str) -> str:
    """Remembered, for people say the same words again and again."""
    return " ".join(map(quote, grams_of(term)))


@lru_cache(65_536)
def quote(lexeme: str) -> str:
    """As PostgreSQL reads it in a vector or a query."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def encode_what(question: SearchQuery, authors: Iterable[int]) -> str:
    """The `tsquery` of what was said and by whom, as far as it is exact keys; empty when that is not asked."""
    parts = [key for one in question.wanted for key in keys_of(one)]
    parts += [either(f"@a{author}" for author in authors)]
    parts += [quote("@link")] if question.links else []
    parts += [quote("@file")] if question.files else []
    return " & ".join(part for part in parts if part)


def encode_where(conversations: Iterable[int]) -> str:
    """The `tsquery` of the conversations."""
    return either(f"@c{one}" for one in conversations)


def encode_when(question: SearchQuery) -> str:
    """The `tsquery` of the time, a little wider than was asked; empty for any."""
    return either(months_between(question.after, question.before - MOMENT)) if question.timed else ""


def keys_of(wanted: SearchTerms) -> Iterator[str]:
    """What must be in the index for it."""
    if wanted.sign:
        yield quote(wanted.sign)
    elif wanted.prefix:
        yield quote(gram_for(wanted.terms[0]) or "")
    else:
        yield " <-> ".join(map(quote, wanted.terms))


def encode_rest(question: SearchQuery) -> str:
    """The `tsquery` that a message found must satisfy beside: prefixes in their full length."""
    return " & ".join(quote(one.terms[0]) + ":*" for one in question.wanted if one.prefix)


def either(lexemes: Iterable[str]) -> str:
    """Any of them; empty for none."""
    listed = " | ".join(map(quote, lexemes))
    return f"({listed})" if listed else ""


def months_between(first: datetime, last: datetime) -> Iterator[str]:
    """The keys of all years within, and of the months of the years that are cut; a little more than was asked."""
    for year in range(max(first.year, 1970), min(last.year, 2100) + 1):
        if first.year < year < last.year:
            yield f"@y{year}"
        else:
            begin, end = first.month if year == first.year else 1, last.month if year == last.year else 12
            yield from (f"@m{year}-{month:02}" for month in range(begin, end + 1))


# Lines: the places that a search looks through, from the newest. Pure. They are the positions of the log. Where the
# question is about one conversation they are the numbers of its messages: then it does not matter how long ago it
# fell silent.


@dataclass(frozen=True, slots=True)
class Line:
    """From place `first` to place `last`. `own`: of one conversation; `mark` tells the two apart where a page names the
    place that it went down to. The keys of its windows begin with `prefix`; `narrow` and `wide` are the sizes of the
    smallest and the largest, in bits."""

    own: bool
    first: int
    last: int
    prefix: str
    whole: str
    narrow: int
    wide: int

    @property
    def mark(self) -> str:
        """Of its places."""
        return "s" if self.own else "p"


def log_line(first: int, last: int, whole: bool) -> Line:
    """A stretch of the log. `whole`: are messages found by all these keys yet? The smallest they have always had."""
    return Line(False, first, last, "@", "", LOG_WINDOWS[0], LOG_WINDOWS[-1 if whole else 0])


def own_line(conversation_id: int, last_seq: int) -> Line:
    """A conversation."""
    key = quote(f"@c{conversation_id}")
    return Line(True, 1, last_seq, own_prefix(conversation_id), key, OWN_WINDOWS[0], OWN_WINDOWS[-1])
