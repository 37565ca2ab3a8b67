"""Highlights: the excerpt around the first match, found with little work, as if all matches were known."""

from collections.abc import Iterator, Sequence

from hypothesis import given
from hypothesis import strategies as st

from chat.search.highlight import HIT_MOST, LENGTH, WORK_MOST, Budget, choose_stretch, highlight, join_spans
from chat.search.query import SearchTerms, Term, cut, parse_query

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
    "ｶﾞ",
    "\u00ad",
    "학교",
    "🇩🇪",
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
    "a-b-to*",
    "a-tom*",
    "ガ",
    "학",
    "학교",
    "🇩🇪",
]
QUESTIONS = st.lists(st.sampled_from(ASKED), min_size=1, max_size=4).map(" ".join)


def all_spans(body: str, wanted: Sequence[SearchTerms]) -> Iterator[tuple[int, int]]:
    """Yield every match, found in the simplest way."""
    found = list(cut(body, True))
    terms = [term for term in found if not term.sign]
    for one in wanted:
        if one.sign:
            yield from ((term.start, term.end) for term in found if term.name == one.sign)
        else:
            yield from phrases(terms, one)


def phrases(terms: list[Term], wanted: SearchTerms) -> Iterator[tuple[int, int]]:
    """Yield where these terms are adjacent; the last one may be the start of a word."""
    *head, last = wanted.terms
    for n in range(len(terms) - len(head)):
        *before, end = terms[n : n + len(head) + 1]
        if [term.name for term in before] == head and (
            end.name.startswith(last) if wanted.prefix else end.name == last
        ):
            yield terms[n].start, end.end


def reference(body: str, wanted: Sequence[SearchTerms]) -> list[tuple[str, bool]]:
    """Return the highlight, made from every match of the whole text."""
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
    """Words, prefixes, overlapping phrases, and scripts without spaces give the same excerpt."""
    wanted = parse_query(question).wanted
    if all(high - low <= HIT_MOST for low, high in join_spans(sorted(all_spans(body, wanted)))):
        assert highlight(body, wanted) == reference(body, wanted)


def test_a_phrase_across_a_gap_is_whole() -> None:
    """A phrase starts before the end of another match's excerpt and ends long after it; it is complete."""
    body = "one two " + "." * 2 * LENGTH + " three"
    pieces = highlight(body, parse_query('two "two three"').wanted)
    assert [text for text, hit in pieces if hit] == [body.removeprefix("one ")]


def test_a_hit_that_has_no_end_is_cut() -> None:
    """Ten thousand matching characters in a row are one match, which is cut."""
    pieces = highlight("東" * 10_000, parse_query("東東").wanted)
    assert pieces == [("東" * HIT_MOST, True), ("…", False)]


def test_text_after_the_excerpt_is_not_read() -> None:
    """The work for a match at the beginning is that for the excerpt, however long the message is."""
    budget = Budget()
    highlight("tomato soup " * 1_300, parse_query("tomato soup").wanted, budget)
    assert WORK_MOST - budget.left < LENGTH


def test_an_answer_has_a_budget() -> None:
    """Of a hundred long messages with late matches, the last ones are shown from their beginning, without matches."""
    budget, wanted = Budget(), parse_query('zebra "a a b" "a a c"').wanted
    body = "a " * 7_990 + "zebra"
    shown = [highlight(body, wanted, budget) for _ in range(100)]
    assert any(hit for _, hit in shown[0])
    assert shown[-1] == [(body[:LENGTH], False), ("…", False)]
    assert budget.left > -100 * 10
