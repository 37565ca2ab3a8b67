"""The highlight: the stretch of a message where what was looked for stands, as plain segments. Pure.

No markup leaves the server: `[["the ", false], ["tomato", true]]` cannot become anybody's HTML.
"""

from collections.abc import Iterator, Sequence

from chat.search.question import Wanted
from chat.search.terms import Term, cut, signs_of

LENGTH, BEFORE = 240, 60
Span = tuple[int, int]


def highlight(body: str, wanted: Sequence[Wanted]) -> list[tuple[str, bool]]:
    """`(text, hit)` pairs around the first hit; `…` stands where something was left out."""
    spans = join_spans(sorted(find_spans(body, wanted)))
    start, end = choose_stretch(body, spans)
    segments, at = [("…", False)] if start else [], start
    for low, high in spans:
        if at <= low and high <= end:
            segments += [(body[at:low], False), (body[low:high], True)]
            at = high
    segments += [(body[at:end], False), ("…" if end < len(body) else "", False)]
    return [segment for segment in segments if segment[0]]


def find_spans(body: str, wanted: Sequence[Wanted]) -> Iterator[Span]:
    """Where each of what is wanted stands; a phrase from its first term to its last."""
    terms = list(cut(body))
    for one in wanted:
        if one.sign:
            yield from ((n, n + 1) for n, sign in enumerate(body) if next(signs_of(sign), None) == one.sign)
        elif one.prefix:
            yield from ((term.start, term.end) for term in terms if term.name.startswith(one.terms[0]))
        else:
            yield from find_phrase(terms, one.terms)


def find_phrase(terms: Sequence[Term], phrase: Sequence[str]) -> Iterator[Span]:
    """Where these terms stand side by side."""
    size = len(phrase)
    for n in range(len(terms) - size + 1):
        if all(term.name == name for term, name in zip(terms[n : n + size], phrase, strict=True)):
            yield terms[n].start, terms[n + size - 1].end


def join_spans(spans: Sequence[Span]) -> list[Span]:
    """Those that touch or overlap are one."""
    joined: list[Span] = []
    for low, high in spans:
        if joined and low <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(high, joined[-1][1])
        else:
            joined.append((low, high))
    return joined


def choose_stretch(body: str, spans: Sequence[Span]) -> Span:
    """The part to show: around the first hit, from the beginning of a word where there is one near."""
    low, high = spans[0] if spans else (0, 0)
    start = 0 if low <= BEFORE else low - BEFORE
    if start and (space := body.find(" ", start, low)) >= 0:
        start = space + 1
    return start, min(len(body), max(start + LENGTH, high))
