"""The excerpt of a message around the first match of a search, as plain segments. Pure.

The server sends no markup: `[["the ", false], ["tomato", true]]` cannot become HTML.

A body is read only until the excerpt behind its first match is complete. Each term costs one unit of work, and one
more for each unfinished phrase; all results of a response share a `Budget`. Time grows linearly with the text.
"""

from collections.abc import Iterator, Sequence

from chat.search.lexemes import inner_words, is_hungarian
from chat.search.query import SearchTerms, Term, cut

LENGTH, BEFORE = 240, 60
HIT_MOST = 600  # a longer hit is cut
WORK_MOST = 50_000  # of one response: about 50 ms; an ordinary page of 20 results takes 2,000
Span = tuple[int, int]


class Budget:
    """The work that is left for a response."""

    def __init__(self, most: int = WORK_MOST) -> None:
        self.left = most

    def spend(self, work: int) -> bool:
        """Count `work`; return False once nothing is left."""
        self.left -= work
        return self.left > 0


class Phrase:
    """Finds a phrase in a sequence of terms (Knuth, Morris and Pratt). Each term is examined once."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names, self._fallback = names, fallbacks(names)
        self.matched = 0
        self._starts: list[int] = []

    def feed(self, term: Term) -> Span | None:
        """Return the span of the phrase if `term` completes it."""
        self._starts.append(term.start)
        while self.matched and self.names[self.matched] != term.name:
            self.matched = self._fallback[self.matched - 1]
        if self.names[self.matched] == term.name:
            self.matched += 1
        del self._starts[: len(self._starts) - self.matched]
        if self.matched < len(self.names):
            return None
        span = self._starts[0], term.end
        self.matched = self._fallback[-1]
        del self._starts[: len(self._starts) - self.matched]
        return span

    def begins_before(self, end: int) -> bool:
        """Return whether an unfinished phrase starts before `end`."""
        return self.matched > 0 and self._starts[0] < end


class OpenPhrase:
    """Finds a phrase whose last term is the start of a word."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._head, self._last, self._begun = Phrase(names[:-1]), names[-1], -1

    @property
    def matched(self) -> int:
        """Return how many terms are matched so far, at least."""
        return self._head.matched + (self._begun >= 0)

    def feed(self, term: Term) -> Span | None:
        """Return the span of the phrase if `term` completes it."""
        begun, head = self._begun, self._head.feed(term)
        self._begun = head[0] if head else -1
        return (begun, term.end) if begun >= 0 and term.name.startswith(self._last) else None

    def begins_before(self, end: int) -> bool:
        """Return whether an unfinished phrase starts before `end`."""
        return 0 <= self._begun < end or self._head.begins_before(end)


def fallbacks(names: Sequence[str]) -> list[int]:
    """Return, for each prefix of `names`, the length of its longest proper prefix that is also its suffix."""
    lengths, length = [0], 0
    for name in names[1:]:
        while length and names[length] != name:
            length = lengths[length - 1]
        length += names[length] == name
        lengths.append(length)
    return lengths


class Matcher:
    """The terms and phrases of a search, arranged so that each term of a body is looked up once."""

    def __init__(self, wanted: Sequence[SearchTerms]) -> None:
        self.signs = any(one.sign for one in wanted)
        self._prefixes = tuple(one.terms[0] for one in wanted if one.prefix and len(one.terms) == 1)
        whole = [one.terms for one in wanted if one.terms and not one.prefix]
        self._words = frozenset([terms[0] for terms in whole if len(terms) == 1] + [one.sign for one in wanted])
        self._phrases: list[Phrase | OpenPhrase] = [Phrase(terms) for terms in dict.fromkeys(whole) if len(terms) > 1]
        begun = dict.fromkeys(one.terms for one in wanted if one.prefix and len(one.terms) > 1)
        self._phrases += [OpenPhrase(terms) for terms in begun]
        self._firsts = frozenset(phrase.names[0] for phrase in self._phrases)

    def feed(self, term: Term, inner: Sequence[str] = ()) -> Iterator[Span]:
        """Yield the spans that `term` completes. `inner`: the words within it that are found too."""
        if any(name in self._words or name.startswith(self._prefixes) for name in (term.name, *inner)):
            yield term.start, term.end
        if term.sign:
            return
        first = term.name in self._firsts
        for phrase in self._phrases:
            if (first or phrase.matched) and (span := phrase.feed(term)):
                yield span

    def unfinished(self, end: int) -> int:
        """Return how many unfinished phrases start before `end`."""
        return sum(1 for phrase in self._phrases if phrase.begins_before(end))


def highlight(body: str, wanted: Sequence[SearchTerms], budget: Budget | None = None) -> list[tuple[str, bool]]:
    """Return `(text, hit)` pairs around the first hit; `…` stands for text that was left out."""
    spans = join_spans(sorted(find_spans(body, Matcher(wanted), budget or Budget())))
    start, end = choose_stretch(body, spans)
    segments, at = [("…", False)] if start else [], start
    for low, high in [(low, min(high, low + HIT_MOST)) for low, high in spans]:
        if at <= low and high <= end:
            segments += [(body[at:low], False), (body[low:high], True)]
            at = high
    segments += [(body[at:end], False), ("…" if end < len(body) else "", False)]
    return [segment for segment in segments if segment[0]]


def find_spans(body: str, matcher: Matcher, budget: Budget) -> list[Span]:
    """Return all hits that can be in the excerpt, as far as the budget goes; a phrase spans all its terms."""
    spans: list[Span] = []
    end, hungarian = len(body), is_hungarian(body)
    for term in cut(body, matcher.signs):
        unfinished = matcher.unfinished(end)
        if (term.start >= end and not unfinished) or not budget.spend(1 + unfinished):
            break
        if found := list(matcher.feed(term, inner_words(body, term, hungarian))):
            spans += found
            end = horizon(body, spans)
    return spans


def horizon(body: str, spans: Sequence[Span]) -> int:
    """Return the position behind which no hit can be in the excerpt; the end of the body while there is no hit."""
    if not spans:
        return len(body)
    low = min(span[0] for span in spans)
    high = max(span[1] for span in spans)
    return max(low + LENGTH, min(high, low + HIT_MOST)) + 1


def join_spans(spans: Sequence[Span]) -> list[Span]:
    """Return the spans with those joined that touch or overlap."""
    joined: list[Span] = []
    for low, high in spans:
        if joined and low <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(high, joined[-1][1])
        else:
            joined.append((low, high))
    return joined


def choose_stretch(body: str, spans: Sequence[Span]) -> Span:
    """Return the part to show: around the first hit, starting at a word if one starts shortly before it."""
    low, high = spans[0] if spans else (0, 0)
    start = 0 if low <= BEFORE else low - BEFORE
    if start and (space := body.find(" ", start, low)) >= 0:
        start = space + 1
    return start, min(len(body), max(start + LENGTH, min(high, low + HIT_MOST)))
