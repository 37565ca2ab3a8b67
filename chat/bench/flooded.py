"""What a flood has found: a table of all kinds at all sizes, and a report of what must stay flat."""

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from chat.bench.depth import pages, wider_questions
from chat.bench.depths import FLAT
from chat.bench.flood import Answer, Found
from chat.bench.report import Curve, Report, Row
from chat.bench.show import save


def tell(found: Found, out: Path | None) -> None:
    """The table; and the report, where a folder is named."""
    Console().print(tabulate(found))
    if out is not None:
        save([report_flood(found)], out, " ".join(["tandem", *sys.argv[1:]]))


def tabulate(found: Found) -> Table:
    """A column for each size, and how many times as long one waits at the largest as at the smallest."""
    told = "waiting for a node · of it the processor of PostgreSQL, ms · found · pages touched"
    table = Table(told, *[f"{size:,}" for size in found], "×")
    first, last = min(found), max(found)
    wider = wider_questions()
    for name, answer in found[last].items():
        if name == next(iter(wider)):
            table.add_section()
        cells = [describe(answers[name]) for answers in found.values()]
        table.add_row(name, *cells, f"{answer.waited / found[first][name].waited:.2f}")
    return table


def describe(answer: Answer) -> str:
    """A cell of the table."""
    cost = answer.cost
    return f"{answer.waited:.2f} · {cost.processor:.2f} · {cost.found} · {cost.plan.buffers}"


def report_flood(found: Found) -> Report:
    """Each kind at the largest size, in times the smallest; those that ask for more there have no bar."""
    first, last = min(found), max(found)
    report, wider = Report("flood", curves=list(curves_of(found))), wider_questions()
    for name, answer in found[last].items():
        before, bar = found[first][name], None if name in wider else FLAT
        report.rows.append(Row(name, answer.waited / before.waited, "×", bar, note=compare(before, answer)))
    report.notes.append(
        f"how long one waits for a node's answer among {last:,} messages, in times that among {first:,}"
    )
    return report


def compare(before: Answer, after: Answer) -> str:
    """Both, and the database's part."""
    waited = f"{before.waited:.2f} ms, then {after.waited:.2f}"
    processor = f"of it PostgreSQL's processor {before.cost.processor:.2f}, then {after.cost.processor:.2f}"
    return f"{waited}; {processor}; {after.cost.found} found, {after.cost.plan.buffers} pages"


def curves_of(found: Found) -> Iterator[Curve]:
    """How the middling and the dearest kind grow."""
    paging = set(pages(1))
    asked = set(next(iter(found.values()))) - paging - set(wider_questions())
    for what, kinds, pick in (
        ("a page of history, the dearest kind", paging, max),
        ("a question, the middling kind", asked, median),
        ("a question, the dearest kind", asked, max),
    ):
        waits = [(float(size), pick(answers[kind].waited for kind in kinds)) for size, answers in sorted(found.items())]
        costs = [
            (float(size), pick(answers[kind].cost.processor for kind in kinds))
            for size, answers in sorted(found.items())
        ]
        yield Curve(what, "messages", "ms until it is answered", waits)
        yield Curve(f"{what}, in the database", "messages", "ms of database CPU", costs)
