"""The plan: which sub-command measures what, in which place, beside whom."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

from chat.tools.bench import fanout, growth, hostile, latency, memory, posting, presence, replay, search_depth
from chat.tools.bench.environment import Place, own_database, own_place, place_for
from chat.tools.bench.peers.peers import check_names, enter_rivals
from chat.tools.bench.progress import bars, counting
from chat.tools.bench.report import BenchReport
from chat.tools.bench.runner import Bench, benching


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """What was asked for. `url`: a Tandem that runs, None: one of our own; `scale`: times the sizes of the bars;
    `against`: peers; `cache`: where they are installed."""

    url: str | None = None
    scale: float = 1.0
    rounds: int = 3
    against: tuple[str, ...] = ()
    minutes: float = 60.0
    messages: int = 100_000
    cache: Path = Path(".tandem-bench")


Run = Callable[[BenchOptions, Progress], list[BenchReport]]


@contextmanager
def at_place(options: BenchOptions, nodes: int = 1, **settings: str) -> Iterator[Callable[..., list[BenchReport]]]:
    """A place, and what measures in it: `measure(work, progress, ears)`."""
    with place_for(options.url, nodes, **settings) as place:
        yield lambda work, progress, ears=1: asyncio.run(measured(place, options, work, progress, ears))


async def measured(
    place: Place,
    options: BenchOptions,
    work: Callable[[Bench], Awaitable[BenchReport]],
    progress: Progress,
    ears: int = 1,
) -> list[BenchReport]:
    """In one place, with as many generators."""
    async with benching(place, progress, options.scale, ears) as bench:
        return [await work(bench)]


def run_fanout(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Beside the contenders that were asked for."""
    with ExitStack() as stack:
        check_names(options.against)
        measure = stack.enter_context(at_place(options))
        others, absent = enter_rivals(stack, options.against, options.cache)
        reports = measure(lambda bench: fanout.measure_fanout(bench, others, rounds=options.rounds), progress)
        reports[0].notes += absent
        return reports


def run_post(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Beside handlers that store nothing."""
    with own_place() as place, posting.running_bare() as bare, posting.running_storeless(place) as storeless:

        async def work(bench: Bench) -> BenchReport:
            return await posting.measure_posts(bench, storeless, bare, rounds=options.rounds)

        return asyncio.run(measured(place, options, work, progress))


def run_latency(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """At the bar's rate."""
    with at_place(options) as measure:
        return measure(latency.measure_latency, progress)


def run_memory(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Each way to open in a process of its own."""
    with at_place(options, memory.NODES) as measure:
        return measure(memory.measure_memory, progress, 2)


def run_reconnect(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """All at once."""
    with at_place(options) as measure:
        return measure(replay.measure_reconnect, progress)


def run_replay(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """From the log and not from memory."""
    with at_place(options, RECENT_BYTES="100000") as measure:
        return measure(lambda bench: replay.measure_replay(bench, rounds=options.rounds), progress)


def run_presence(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """With ever more people online."""
    with at_place(options) as measure:
        return measure(presence.measure_presence, progress, 2)


def run_storm(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Seen from another node."""
    with at_place(options, 2, **presence.SETTINGS) as measure:
        return measure(presence.measure_storm, progress)


def run_soak(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """For as long as was asked for."""
    with at_place(options) as measure:
        return measure(lambda bench: memory.measure_soak(bench, options.minutes), progress)


def run_hostile(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """One node with the limits of production."""
    with at_place(options, 1, **hostile.SETTINGS) as measure:
        return measure(hostile.measure_hostile, progress)


def run_growth(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """All but messages and people online, which have their own."""
    with at_place(options, growth.NODES) as measure:
        return measure(growth.measure_growth, progress)


def run_history(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """In a database that no node uses."""
    with own_database() as url:
        return [
            asyncio.run(search_depth.measure_history(url, round(options.messages * min(1, options.scale)), progress))
        ]


def run_search(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """The same."""
    with own_database() as url:
        return [
            asyncio.run(search_depth.measure_questions(url, round(options.messages * min(1, options.scale)), progress))
        ]


def run_transports(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """A node for each."""
    with at_place(options, latency.NODES) as measure:
        return measure(lambda bench: latency.measure_transports(bench, rounds=options.rounds), progress)


RUNS: dict[str, Run] = {
    "fanout": run_fanout,
    "post": run_post,
    "latency": run_latency,
    "memory": run_memory,
    "reconnect": run_reconnect,
    "replay": run_replay,
    "presence": run_presence,
    "storm": run_storm,
    "history": run_history,
    "search": run_search,
    "growth": run_growth,
    "hostile": run_hostile,
    "soak": run_soak,
    "transports": run_transports,
}
EVERYTHING = [name for name in RUNS if name not in ("soak", "hostile")]


def run_one(name: str, options: BenchOptions, progress: Progress, *, alone: bool) -> list[BenchReport]:
    """Its reports. Among others one that fails must not cost the others' figures, which took ten minutes."""
    try:
        return RUNS[name](options, progress)
    except Exception as trouble:
        if alone:
            raise
        return [BenchReport(name, notes=[f"not measured: {trouble!r}"])]


def measure_all(names: list[str], options: BenchOptions) -> list[BenchReport]:
    """One after the other, each with its bar."""
    with bars() as progress, counting(progress, "tandem bench", len(names)) as show:
        reports = []
        for n, name in enumerate(names):
            reports += run_one(name, options, progress, alone=len(names) == 1)
            show(n + 1)
    return reports
