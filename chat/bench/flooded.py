"""What a flood has found: a table of all kinds at all sizes, and a report of what must stay flat."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from chat.bench.depth import Cost, pages, wider_questions
from chat.bench.depths import FLAT
from chat.bench.flood import Found
from chat.bench.report import Curve, Report, Row
from chat.bench.show import save


def tell(found: Found, out: Path | None) -> None:
    """The table; and the report, where a folder is named."""
    Console().print(tabulate(found))
    if out is not None:
        save([report_flood(found)], out, " ".join(["tandem", *sys.argv[1:]]))


def tabulate(found: Found) -> Table:
    """A column for each size, and how many times the smallest the largest costs."""
    table = Table("processor of PostgreSQL, ms · found · pages touched", *[f"{size:,}" for size in found], "×")
    first, last = min(found), max(found)
    wider = wider_questions()
    for name, cost in found[last].items():
        cells = [f"{one[name].processor:.2f} · {one[name].found} · {one[name].plan.buffers}" for one in found.values()]
        if name == next(iter(wider)):
            table.add_section()
        table.add_row(name, *cells, f"{cost.processor / found[first][name].processor:.2f}")
    return table


def report_flood(found: Found) -> Report:
    """Each kind at the largest size, in times the smallest; those that ask for more there have no bar."""
    first, last = min(found), max(found)
    report, wider = Report("flood", curves=list(curves_of(found))), wider_questions()
    for name, cost in found[last].items():
        before, bar = found[first][name], None if name in wider else FLAT
        note = f"{before.processor:.2f} ms, then {cost.processor:.2f}; {cost.found} found, {cost.plan.buffers} pages"
        report.rows.append(Row(name, cost.processor / before.processor, "×", bar, note=note))
    report.notes.append(f"milliseconds of PostgreSQL's processor among {first:,} messages, then among {last:,}")
    return report


def curves_of(found: Found) -> Iterator[Curve]:
    """How the middling and the dearest kind grow."""
    paging = set(pages(1))
    asked = set(next(iter(found.values()))) - paging - set(wider_questions())
    for what, kinds, pick in (
        ("a page of history, the dearest kind", paging, max),
        ("a question, the middling kind", asked, median),
        ("a question, the dearest kind", asked, max),
    ):
        points = [(float(size), pick(costs_of(costs, kinds))) for size, costs in sorted(found.items())]
        yield Curve(what, "messages", "ms of database CPU", points)


def costs_of(costs: dict[str, Cost], kinds: Iterable[str]) -> list[float]:
    """In milliseconds."""
    return [costs[kind].processor for kind in kinds]
