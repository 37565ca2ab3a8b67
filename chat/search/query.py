"""A question: what somebody looks for, read from the text typed and the fields beside it. Pure.

`tomatoes "ripe and red" gard* from:ana in:general after:2026-01-01 has:link`
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from chat.search.terms import cut, gram_for, signs_of
from chat.shared.problems import Invalid

PIECE = re.compile(r'"([^"]*)"?|(\S+)')
FILTER = re.compile(r"(from|in|before|after|has):(.+)", re.IGNORECASE)
WANTED_MOST = 20
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Terms that stand side by side; or, with `prefix`, one word that begins so; or the `sign` of one gram alone."""

    terms: tuple[str, ...] = ()
    prefix: bool = False
    sign: str = ""


@dataclass(slots=True)
class Question:
    """Everything in it must be so. Names are as typed; `links`, `files`: only what carries one."""

    wanted: list[Wanted] = field(default_factory=list)
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


def parse_question(text: str) -> Question:
    """What the text asks; raises `Invalid` on a filter that means nothing."""
    question = Question()
    for quoted, bare in PIECE.findall(text):
        if found := FILTER.fullmatch(bare):
            take_filter(question, found[1].lower(), found[2])
        else:
            question.wanted += want(quoted or bare, prefix=bare.endswith("*"))
    if len(question.wanted) > WANTED_MOST:
        raise wrong("q", f"at most {WANTED_MOST} words at once")
    return question


def take_filter(question: Question, name: str, value: str) -> None:
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


def want(piece: str, prefix: bool) -> Iterator[Wanted]:
    """What a word or a phrase asks for: its terms side by side, its last one open when it is a prefix.

    Scripts without spaces need no prefix: any stretch of them is found.
    """
    terms, signs = [term.name for term in cut(piece)], list(signs_of(piece))
    if not terms:
        yield from (Wanted(sign=sign) for sign in signs)
        return
    if prefix and not any(signs_of(piece[-2:])):
        *terms, last = terms
        if gram_for(last) is None:
            raise wrong("q", "more letters before a *")
        yield Wanted((last,), prefix=True)
    if terms:
        yield Wanted(tuple(terms))


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
