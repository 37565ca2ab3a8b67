"""The report of a run: its results, a timeline of them as SVG, and tables of promises, faults and figures. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from html import escape
from itertools import pairwise
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from chat.tools.chaos import checker
from chat.tools.chaos.checker import Violation
from chat.tools.chaos.environment import Ended

RESET, SHUT_OUT, UNANSWERED, FAILED = "reset", "shut out", "unanswered", "failed"
GARBAGE, UNRULY = "garbage", "unruly"
PROMISES = {
    checker.LOST: "acknowledged, and never received by a member or a hook",
    checker.GAP: "a number skipped in a conversation",
    checker.REPEATED: "received twice",
    checker.REORDERED: "received out of order",
    checker.INVENTED: "received, though never posted",
    checker.ALTERED: "another text, or another message than the poster got",
    checker.MADE_TWICE: "one post acknowledged as new twice",
    checker.OVERHEARD: "read before being added, or after removal",
    checker.TORN: "a streamed message whose text is not the author's, character by character",
    checker.ENDLESS: "a streamed message that did not end, though its author did or died",
    checker.FOLLOWED: "a request to an address that a hook's receiver redirected to",
    checker.GHOST: "shown as online after it settled, though offline",
    checker.MISSED: "shown as offline after it settled, though online",
    RESET: "a reader told to read everything again",
    SHUT_OUT: "a client that could not reconnect",
    UNANSWERED: "a post that no retry got through",
    FAILED: "an answer that was neither success nor a temporary error",
    GARBAGE: "bytes in a stream that are no event",
    UNRULY: "a node that ended while it served, or did not end when asked",
}
SHOWN = 50  # findings of each kind that a report lists


@dataclass(frozen=True, slots=True)
class PresenceSample:
    """The measurements of one second of the run. Counts are totals since its start.

    `delay` is the longest time in seconds from a first attempt to post to a reader.
    """

    at: float
    acknowledged: int
    received: int
    refused: int
    reading: int
    looking: int
    here: int
    delay: float


@dataclass(slots=True)
class Struck:
    """A fault as it happened, in seconds of the run; `until` is 0 while it is in progress."""

    name: str
    about: str
    node: str
    at: float
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The seconds after the last fault until all clients were connected, had caught up, and saw correct presence."""

    at: float
    back: float
    caught_up: float
    settled: float


@dataclass(slots=True)
class Scores:
    """All results, and everything that a report shows."""

    seed: int
    nodes: int
    people: int
    seconds: float = 0.0
    samples: list[PresenceSample] = field(default_factory=list)
    struck: list[Struck] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    findings: list[Violation] = field(default_factory=list)
    trails: list[str] = field(default_factory=list)
    figures: dict[str, float | int | str] = field(default_factory=dict)

    def rows(self) -> dict[str, int]:
        """Return how often each promise was broken."""
        counts = Counter(finding.kind for finding in self.findings)
        return {kind: counts[kind] for kind in PROMISES}

    @property
    def kept(self) -> bool:
        """True if no promise was broken."""
        return not self.findings

    def shown(self) -> list[Violation]:
        """Return the first findings of each kind."""
        kinds = {kind: [one for one in self.findings if one.kind == kind] for kind in PROMISES}
        return [one for found in kinds.values() for one in found[:SHOWN]]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self) | {
            "kept": self.kept,
            "promises": self.rows(),
            "findings": [str(finding) for finding in self.shown()],
            "under": [{"fault": name, "times": times} for name, times in count_strikes(self.struck).items()],
        }


def count_strikes(struck: Sequence[Struck]) -> dict[str, int]:
    """Return how often each fault struck."""
    return dict(Counter(one.name for one in struck))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of the values lies; 0 of no values."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


# The timeline: faults, checkpoints, and what was going on.

WIDTH, LEFT, LANE, CHART, GAP = 1200, 190, 16, 90, 34
POINTS = 240  # in a line: four pixels each
STYLE = """
text{font:12px system-ui,sans-serif;fill:#333} .title{font-weight:600} .small{font-size:11px;fill:#777}
.fault{fill:#d9480f;opacity:.75} .calm{fill:#2b8a3e} .axis{stroke:#ccc} path{fill:none;stroke-width:1.5}
@media (prefers-color-scheme:dark){svg{background:#16181d} text{fill:#ddd} .small{fill:#999} .axis{stroke:#444}}
"""


def draw_timeline(scores: Scores) -> str:
    """Return the timeline as SVG: faults above, activity below."""
    seconds = max([scores.seconds, *(one.until for one in scores.struck), 1.0])

    def x_of(at: float) -> float:
        return LEFT + at / seconds * (WIDTH - LEFT - 20)

    parts, y = lanes(scores, seconds, x_of)
    for title, lines in charts(thin(scores.samples)):
        parts += chart(title, lines, x_of, y)
        y += CHART + GAP
    parts += axis(seconds, x_of, y)
    kept = "every promise held" if scores.kept else f"{len(scores.findings)} findings"
    head = f"{scores.nodes} nodes, {scores.people} people, seed {scores.seed}: {kept}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 40:.0f}" font-size="12">'
        f'<style>{STYLE}</style><text class="title" x="20" y="24">{escape(head)}</text>{"".join(parts)}</svg>\n'
    )


def lanes(scores: Scores, seconds: float, x_of: Callable[[float], float]) -> tuple[list[str], float]:
    """Return a lane for each kind of fault and one for checkpoints, and the height at which the charts begin."""
    parts, y = [], 44.0
    for name in sorted({one.name for one in scores.struck}):
        parts.append(label(name, y))
        for one in [one for one in scores.struck if one.name == name]:
            title = f"{name} {one.node} {one.at:g}–{one.until:g} s"
            parts.append(bar("fault", x_of(one.at), x_of(one.until or seconds), y, title))
        y += LANE
    parts.append(label("checkpoints", y))
    for point in scores.checkpoints:
        title = f"presence right {point.settled:g} s after all was mended"
        parts.append(bar("calm", x_of(point.at), x_of(point.at + point.settled), y, title))
    for end in scores.ended:
        y += LANE
        parts += [label(f"{end.node} ended", y), bar("fault", x_of(end.at), x_of(end.at), y, end.words)]
    return parts, y + LANE + GAP


def label(name: str, y: float) -> str:
    """Return the label of a lane."""
    return f'<text x="{LEFT - 8}" y="{y + 11:.0f}" text-anchor="end">{escape(name)}</text>'


def bar(kind: str, left: float, right: float, y: float, title: str) -> str:
    """Return a stretch of time in a lane; the title shows under the pointer."""
    width, height = max(3.0, right - left), LANE - 3
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{y:.0f}" width="{width:.1f}" height="{height}">'
        f"<title>{escape(title)}</title></rect>"
    )


def thin(samples: Sequence[PresenceSample]) -> list[PresenceSample]:
    """Return as many samples as can be told apart; the longest delays are kept."""
    step = max(1, len(samples) // POINTS)
    groups = [samples[at : at + step] for at in range(0, len(samples), step)]
    return [replace(group[-1], delay=max(one.delay for one in group)) for group in groups]


Line = tuple[str, Sequence[tuple[float, float]]]


def charts(samples: Sequence[PresenceSample]) -> list[tuple[str, list[Line]]]:
    """Return titles with their lines: a color and points."""
    steps = [(one, two, max(0.5, two.at - one.at)) for one, two in pairwise(samples)]
    posts = [(two.at, (two.acknowledged - one.acknowledged) / gap) for one, two, gap in steps]
    refused = [(two.at, (two.refused - one.refused) / gap) for one, two, gap in steps]
    received = [(two.at, (two.received - one.received) / gap) for one, two, gap in steps]
    delays = [(one.at, one.delay) for one in samples]
    people: list[Line] = [
        ("#868e96", [(one.at, one.here) for one in samples]),
        ("#2b8a3e", [(one.at, one.reading) for one in samples]),
        ("#862e9c", [(one.at, one.looking) for one in samples]),
    ]
    return [
        ("posts acknowledged (blue) and attempts refused (red), a second", [("#1971c2", posts), ("#c92a2a", refused)]),
        ("messages received, a second", [("#1971c2", received)]),
        ("users online (gray), with a stream (green), with a socket (purple)", people),
        ("longest time from a first attempt to post to a reader, s", [("#e67700", delays)]),
    ]


def chart(title: str, lines: Sequence[Line], x_of: Callable[[float], float], y: float) -> list[str]:
    """Return one chart with its highest value."""
    top = max([value for _, points in lines for _, value in points] or [1.0]) or 1.0
    parts = [
        f'<text x="{LEFT}" y="{y - 6:.0f}">{escape(title)}</text>',
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - 20}" y1="{y + CHART:.0f}" y2="{y + CHART:.0f}"/>',
        f'<text class="small" x="{LEFT - 8}" y="{y + 8:.0f}" text-anchor="end">{top:,.3g}</text>',
        f'<text class="small" x="{LEFT - 8}" y="{y + CHART:.0f}" text-anchor="end">0</text>',
    ]
    for colour, points in lines:
        path = " ".join(f"{x_of(at):.1f},{y + CHART - value / top * CHART:.1f}" for at, value in points)
        parts.append(f'<path stroke="{colour}" d="M{path}"/>' if points else "")
    return parts


def axis(seconds: float, x_of: Callable[[float], float], y: float) -> list[str]:
    """Return the times below the charts."""
    step = next((one for one in (5, 10, 30, 60, 120, 300) if seconds / one <= 12), 600)
    return [
        f'<text class="small" x="{x_of(at):.1f}" y="{y - 10:.0f}" text-anchor="middle">{at} s</text>'
        for at in range(0, int(seconds) + 1, step)
    ]


# The tables.


def show_report(scores: Scores, console: Console) -> None:
    """Print the tables, the findings and the verdict."""
    console.print(Group(*tables(scores)))
    for line in [*map(str, scores.shown()), *scores.trails]:
        console.print(f"  {line}", style="red", markup=False, soft_wrap=True)
    if len(scores.findings) > len(scores.shown()):
        console.print(f"  … and {len(scores.findings) - len(scores.shown())} more findings", style="red")
    console.print(verdict(scores))


def verdict(scores: Scores) -> Text:
    """Return the verdict in one line."""
    where = f"{scores.nodes} nodes, {scores.people} people, {scores.seconds:.0f} s, seed {scores.seed}"
    if scores.kept:
        return Text(f"✓ every promise held: {where}", "bold green")
    return Text(f"✗ {len(scores.findings)} findings: {where}", "bold red")


def tables(scores: Scores) -> list[RenderableType]:
    """Return promises, faults, checkpoints and figures, and nodes that ended by themselves, if there are any."""
    always: list[RenderableType] = [promises(scores), faults(scores), checkpoints(scores), figures(scores)]
    return [*always, endings(scores)] if scores.ended else always


def promises(scores: Scores) -> Table:
    """Return a row for each promise; all must be 0."""
    table = Table("", "promise broken", "times", title="What every client saw")
    for kind, times in scores.rows().items():
        mark, style = ("✗", "bold red") if times else ("✓", "green")
        table.add_row(Text(mark, style), f"{kind}: {PROMISES[kind]}", Text(str(times), style))
    return table


def faults(scores: Scores) -> Table:
    """Return the faults that were caused, and how often."""
    table = Table("fault", "", "times", "seconds in all", title="What was broken")
    for name, times in sorted(count_strikes(scores.struck).items()):
        struck = [one for one in scores.struck if one.name == name]
        table.add_row(name, struck[0].about, str(times), f"{sum(one.until - one.at for one in struck):.0f}")
    return table


def checkpoints(scores: Scores) -> Table:
    """Return the seconds from the last fault of each section until everything was well."""
    table = Table("at, s", "all back, s", "caught up, s", "presence right, s", title="Mended, then")
    for one in scores.checkpoints:
        table.add_row(f"{one.at:.0f}", f"{one.back:.1f}", f"{one.caught_up:.1f}", f"{one.settled:.1f}")
    return table


def endings(scores: Scores) -> Table:
    """Return the nodes that ended by themselves, with exit code and last log lines; their logs are kept."""
    table = Table("at, s", "node", "code", "last log lines", title="Nodes that ended by themselves")
    for one in scores.ended:
        table.add_row(f"{one.at:.0f}", one.node, str(one.code), Text(one.words))
    return table


def figures(scores: Scores) -> Table:
    """Return the other figures."""
    table = Table("figure", "", title="How much")
    for name, value in scores.figures.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    return table
