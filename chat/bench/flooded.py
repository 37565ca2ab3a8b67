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

FULL = 10_000  # messages


def tell(found: Found, out: Path | None) -> None:
    """The table; and the report, where a folder is named."""
    Console().print(tabulate(found))
    if out is not None:
        save([report_flood(found)], out, " ".join(["tandem", *sys.argv[1:]]))


def tabulate(found: Found) -> Table:
    """A column for each size, and how many times as long one waits at the largest as at the smallest."""
    told = "waiting for a node · of it the processor of PostgreSQL, ms · found · pages touched"
    table = Table(told, *[f"{size:,}" for size in found], "×")
    wider = wider_questions()
    for name in found[max(found)]:
        if name == next(iter(wider)):
            table.add_section()
        first, last = ends(found, name)
        table.add_row(
            name, *[describe(answers[name]) for answers in found.values()], f"{last.waited / first.waited:.2f}"
        )
    return table


def describe(answer: Answer) -> str:
    """A cell of the table."""
    cost = answer.cost
    return f"{answer.waited:.2f} · {cost.processor:.2f} · {cost.found} · {cost.plan.buffers}"


def compared(found: Found, name: str) -> list[int]:
    """The sizes at which this kind is compared: a page at all, a question where there is enough to fill its page."""
    enough = [size for size in sorted(found) if size >= FULL]
    return enough if len(enough) > 1 and name not in pages(1) else sorted(found)


def ends(found: Found, name: str) -> tuple[Answer, Answer]:
    """Among the fewest messages and among the most."""
    sizes = compared(found, name)
    return found[sizes[0]][name], found[sizes[-1]][name]


def report_flood(found: Found) -> Report:
    """Each kind at the largest size, in times the smallest; those that ask for more there have no bar."""
    report, wider = Report("flood", curves=list(curves_of(found))), wider_questions()
    for name in found[max(found)]:
        (first, last), bar = ends(found, name), None if name in wider else FLAT
        note = f"{compared(found, name)[0]:,} messages: {tell_parts(first)}; {max(found):,}: {tell_parts(last)}"
        report.rows.append(Row(name, last.waited / first.waited, "×", bar, note=note))
    report.notes.append("from a request to the last byte of a node's answer; of that the processor of PostgreSQL")
    return report


def tell_parts(answer: Answer) -> str:
    """The whole, and the database's part."""
    return f"{answer.waited:.2f} ms, of it {answer.cost.processor:.2f}, {answer.cost.plan.buffers} pages"


def curves_of(found: Found) -> Iterator[Curve]:
    """How the middling and the dearest kind grow."""
    paging = list(pages(1))
    asked = [name for name in found[max(found)] if name not in (*paging, *wider_questions())]
    for what, kinds, pick in (
        ("a page of history, the dearest kind", paging, max),
        ("a question, the middling kind", asked, median),
        ("a question, the dearest kind", asked, max),
    ):
        sizes = compared(found, kinds[0])
        waits = [(float(size), pick(found[size][kind].waited for kind in kinds)) for size in sizes]
        costs = [(float(size), pick(found[size][kind].cost.processor for kind in kinds)) for size in sizes]
        yield Curve(what, "messages", "ms until it is answered", waits)
        yield Curve(f"{what}, in the database", "messages", "ms of database CPU", costs)
