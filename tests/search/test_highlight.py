"""Highlights: the excerpt around the first hit, found with little work and the same as if all hits were looked for."""

from collections.abc import Iterator, Sequence

from hypothesis import given
from hypothesis import strategies as st

from chat.search.highlight import HIT_MOST, LENGTH, WORK_MOST, Budget, choose_stretch, highlight, join_spans
from chat.search.query import SearchTerms, Term, cut, parse_query, signs_of

PIECES = [
    "a",
    "b",
    "c",
    "tom",
    "tomato",
    "東",
    "京",
    "都",
    "か",
    "é",
    "☕",
    " ",
    " ",
    " ",
    ", ",
    "日本",
    "ab",
    "x" * 90,
]
BODIES = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
ASKED = [
    "a",
    "b",
    '"a b"',
    '"a a b"',
    "tom*",
    "東",
    "東京",
    '"b a b a"',
    "京都",
    "か",
    "xx",
    '"a b c a b"',
    '"a b a b a"',
]
QUESTIONS = st.lists(st.sampled_from(ASKED), min_size=1, max_size=4).map(" ".join)


def all_spans(body: str, wanted: Sequence[SearchTerms]) -> Iterator[tuple[int, int]]:
    """Yield every hit, found in the simplest way."""
    terms = list(cut(body))
    for one in wanted:
        if one.sign:
            yield from ((n, n + 1) for n, sign in enumerate(body) if next(signs_of(sign), None) == one.sign)
        elif one.prefix:
            yield from ((term.start, term.end) for term in terms if term.name.startswith(one.terms[0]))
        else:
            yield from phrases(terms, one.terms)


def phrases(terms: list[Term], names: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield where these terms stand side by side."""
    for n in range(len(terms) - len(names) + 1):
        if [term.name for term in terms[n : n + len(names)]] == list(names):
            yield terms[n].start, terms[n + len(names) - 1].end


def reference(body: str, wanted: Sequence[SearchTerms]) -> list[tuple[str, bool]]:
    """Return the highlight, made from every hit of the whole body."""
    spans = join_spans(sorted(all_spans(body, wanted)))
    start, end = choose_stretch(body, spans)
    segments, at = [("…", False)] if start else [], start
    for low, high in spans:
        if at <= low and high <= end:
            segments += [(body[at:low], False), (body[low:high], True)]
            at = high
    segments += [(body[at:end], False), ("…" if end < len(body) else "", False)]
    return [segment for segment in segments if segment[0]]


@given(BODIES, QUESTIONS)
def test_the_excerpt_is_the_same_as_if_all_hits_were_known(body: str, question: str) -> None:
    """Words, prefixes, phrases that overlap, and signs of scripts without spaces."""
    wanted = parse_query(question).wanted
    if all(high - low <= HIT_MOST for low, high in join_spans(sorted(all_spans(body, wanted)))):
        assert highlight(body, wanted) == reference(body, wanted)


def test_a_phrase_across_a_gap_is_whole() -> None:
    """Its first word comes before the end of the excerpt of another hit, its last one long after it."""
    body = "one two " + "." * 2 * LENGTH + " three"
    pieces = highlight(body, parse_query('two "two three"').wanted)
    assert [text for text, hit in pieces if hit] == [body.removeprefix("one ")]


def test_a_hit_that_has_no_end_is_cut() -> None:
    """Ten thousand signs in a row are one hit."""
    pieces = highlight("東" * 10_000, parse_query("東東").wanted)
    assert pieces == [("東" * HIT_MOST, True), ("…", False)]


def test_what_is_behind_the_excerpt_is_not_read() -> None:
    """The work for a hit at the beginning is that for the excerpt, however long the message."""
    budget = Budget()
    highlight("tomato soup " * 1_300, parse_query("tomato soup").wanted, budget)
    assert WORK_MOST - budget.left < LENGTH


def test_an_answer_has_a_budget() -> None:
    """Of a hundred long messages with late hits the last are shown from their beginning, without hits."""
    budget, wanted = Budget(), parse_query('zebra "a a b" "a a c"').wanted
    body = "a " * 7_990 + "zebra"
    shown = [highlight(body, wanted, budget) for _ in range(100)]
    assert any(hit for _, hit in shown[0])
    assert shown[-1] == [(body[:LENGTH], False), ("…", False)]
    assert budget.left > -100 * 10
