"""The report: a table of promises with their zeros, the faults, how long it took to be calm again, the figures."""

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from chat.chaos.faults.table import FAULTS
from chat.chaos.scores import PROMISES, Scores, count_strikes


def show_report(scores: Scores, console: Console) -> None:
    """All of it."""
    console.print(Group(*tables(scores)))
    for line in [*map(str, scores.shown()), *scores.trails]:
        console.print(f"  {line}", style="red", markup=False, soft_wrap=True)
    if len(scores.findings) > len(scores.shown()):
        console.print(f"  … and {len(scores.findings) - len(scores.shown())} more findings", style="red")
    console.print(verdict(scores))


def verdict(scores: Scores) -> Text:
    """One line."""
    where = f"{scores.nodes} nodes, {scores.people} people, {scores.seconds:.0f} s, seed {scores.seed}"
    if scores.kept:
        return Text(f"✓ every promise held: {where}", "bold green")
    return Text(f"✗ {len(scores.findings)} findings: {where}", "bold red")


def tables(scores: Scores) -> list[RenderableType]:
    """Promises, faults, checkpoints, figures; and nodes that ended by themselves, if any did."""
    always: list[RenderableType] = [promises(scores), faults(scores), checkpoints(scores), figures(scores)]
    return [*always, endings(scores)] if scores.ended else always


def promises(scores: Scores) -> Table:
    """A row for each; all must be 0."""
    table = Table("", "promise broken", "times", title="What every client saw")
    for kind, times in scores.rows().items():
        mark, style = ("✗", "bold red") if times else ("✓", "green")
        table.add_row(Text(mark, style), f"{kind}: {PROMISES[kind]}", Text(str(times), style))
    return table


def faults(scores: Scores) -> Table:
    """What was broken on purpose, and how often."""
    table = Table("fault", "", "times", "seconds in all", title="What was broken")
    for name, times in sorted(count_strikes(scores.struck).items()):
        lasted = sum(one.until - one.at for one in scores.struck if one.name == name)
        table.add_row(name, FAULTS[name].about, str(times), f"{lasted:.0f}")
    return table


def checkpoints(scores: Scores) -> Table:
    """How long after the last fault of a section all was well."""
    table = Table("at, s", "all back, s", "caught up, s", "presence right, s", title="Mended, then")
    for one in scores.checkpoints:
        table.add_row(f"{one.at:.0f}", f"{one.back:.1f}", f"{one.caught_up:.1f}", f"{one.settled:.1f}")
    return table


def endings(scores: Scores) -> Table:
    """Who ended by himself, with which code, and what he said last; his log is kept."""
    table = Table("at, s", "node", "code", "last words", title="Nodes that ended by themselves")
    for one in scores.ended:
        table.add_row(f"{one.at:.0f}", one.node, str(one.code), Text(one.words))
    return table


def figures(scores: Scores) -> Table:
    """The rest."""
    table = Table("figure", "", title="How much")
    for name, value in scores.figures.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    return table
