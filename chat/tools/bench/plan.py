"""The plan: which sub-command measures what, in which environment, compared with whom."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import uvloop
from rich.progress import Progress

from chat.local.databases import start_engine
from chat.local.engine import BROKERS
from chat.local.progress import bars, counting
from chat.tools.bench import (
    connections,
    delivery,
    growth,
    hostile,
    posting,
    presence,
    search_depth,
    streamed,
)
from chat.tools.bench.environment import BenchEnvironment, environment_for, own_database, own_environment, start_node
from chat.tools.bench.peers.peers import check_names, start_competitors
from chat.tools.bench.report import BenchReport
from chat.tools.bench.runner import Bench, benching


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """The options. `url` is a running Tandem, None for one of our own; `scale` multiplies the sizes of the bars.

    `against` names peers, and `cache` is the folder where they are installed.
    """

    url: str | None = None
    scale: float = 1.0
    rounds: int = 3
    against: tuple[str, ...] = ()
    minutes: float = 60.0
    messages: int = 100_000
    cache: Path = Path(".tandem-bench")


NOWHERE = "redis://127.0.0.1:1"  # a bus that never answers
Run = Callable[[BenchOptions, Progress], list[BenchReport]]


@contextmanager
def in_environment(
    options: BenchOptions, nodes: int = 1, **settings: str
) -> Iterator[Callable[..., list[BenchReport]]]:
    """Yield an environment and `measure(work, progress, ears)`, which measures in it."""
    with environment_for(options.url, nodes, **settings) as environment:
        yield lambda work, progress, ears=1: asyncio.run(measured(environment, options, work, progress, ears))


async def measured(
    environment: BenchEnvironment,
    options: BenchOptions,
    work: Callable[[Bench], Awaitable[BenchReport]],
    progress: Progress,
    ears: int = 1,
) -> list[BenchReport]:
    """Yield a bench in one environment, with that many generators."""
    async with benching(environment, progress, options.scale, ears) as bench:
        return [await work(bench)]


def run_fanout(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Measure beside the contenders that were named."""
    with ExitStack() as stack:
        check_names(options.against)
        measure = stack.enter_context(in_environment(options))
        others, absent = start_competitors(stack, options.against, options.cache)
        reports = measure(lambda bench: delivery.measure_fanout(bench, others, rounds=options.rounds), progress)
        reports[0].notes += absent
        return reports


def run_post(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Measure beside handlers that store nothing."""
    with own_environment() as environment, posting.starting_baselines(environment) as (storeless, bare):

        async def work(bench: Bench) -> BenchReport:
            return await posting.measure_posts(bench, storeless, bare, rounds=options.rounds)

        return asyncio.run(measured(environment, options, work, progress))


def run_latency(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Measure at the bar's rate."""
    with in_environment(options) as measure:
        return measure(delivery.measure_latency, progress)


def run_memory(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Measure each way to open in a process of its own."""
    with in_environment(options, connections.NODES) as measure:
        return measure(connections.measure_memory, progress, 2)


def run_reconnect(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Reconnect all at once."""
    with in_environment(options) as measure:
        return measure(connections.measure_reconnect, progress)


def run_replay(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Replay from the log: the node keeps little in memory."""
    with in_environment(options, RECENT_BYTES="100000") as measure:
        return measure(lambda bench: connections.measure_replay(bench, rounds=options.rounds), progress)


def run_presence(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Measure with more and more users online."""
    with in_environment(options) as measure:
        return measure(presence.measure_presence, progress, 2)


def run_storm(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Measure from another node."""
    with in_environment(options, 2, **presence.SETTINGS) as measure:
        return measure(presence.measure_storm, progress)


def run_soak(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Run for as long as asked."""
    with in_environment(options) as measure:
        return measure(lambda bench: connections.measure_soak(bench, options.minutes), progress)


def run_hostile(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Measure one node with the limits of production."""
    with in_environment(options, 1, **hostile.SETTINGS) as measure:
        return measure(hostile.measure_hostile, progress)


def run_growth(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Measure all growth, except by messages and by users online, which have sub-commands of their own."""
    with in_environment(options, growth.NODES) as measure:
        return measure(growth.measure_growth, progress)


def run_history(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Measure in a database that no node uses."""
    with own_database() as url:
        return [
            asyncio.run(search_depth.measure_history(url, round(options.messages * min(1, options.scale)), progress))
        ]


def run_search(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Measure in a database that no node uses."""
    with own_database() as url:
        return [
            asyncio.run(search_depth.measure_questions(url, round(options.messages * min(1, options.scale)), progress))
        ]


def run_transports(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Measure with a node for each transport."""
    with in_environment(options, delivery.NODES) as measure:
        return measure(lambda bench: delivery.measure_transports(bench, rounds=options.rounds), progress)


def run_bus(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Measure with two nodes for each bus, on the same database."""
    with own_environment(2) as environment, ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-bench-")))
        urls = [start_engine(stack, BROKERS[name](folder / name)).url for name in ("rabbitmq", "nats")]
        for url in [*urls, NOWHERE]:
            for n in (1, 2):
                node = start_node(stack, f"{urlsplit(url).scheme}{n}", environment.urls, {"BUS_URL": url})
                environment.ports.append(node.port)
                environment.pids.append(node.pid)

        async def work(bench: Bench) -> BenchReport:
            return await delivery.measure_buses(bench, rounds=options.rounds)

        return asyncio.run(measured(environment, options, work, progress))


def run_queue(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Fill the queue, then start a node that consumes it."""
    with own_environment(1) as environment, ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-bench-")))
        url = f"{start_engine(stack, BROKERS['rabbitmq'](folder / 'rabbitmq')).url}/bench"
        count = max(100, round(posting.QUEUED * options.scale))
        with counting(progress, "queue", 1) as show:
            rooms = asyncio.run(posting.fill_queue(environment, url, count))
            node = start_node(stack, "consumer", environment.urls, {"POSTS_FROM": url})
            report = asyncio.run(posting.measure_queue(environment, node, rooms, count))
            show(1)
        return [report]


def run_dump(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Measure one node with small partitions of the log."""
    with in_environment(options, 1, **posting.DUMP_SETTINGS) as measure:
        return measure(lambda bench: posting.measure_dump(bench, rounds=options.rounds), progress)


def run_streamed(options: BenchOptions, progress: Progress) -> list[BenchReport]:
    """Measure with three nodes behind a balancer, of which two are killed."""
    return [uvloop.run(streamed.measure_streamed(options.scale, options.rounds, progress))]


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
    "bus": run_bus,
    "queue": run_queue,
    "dump": run_dump,
    "streamed": run_streamed,
}
EVERYTHING = [name for name in RUNS if name not in ("soak", "hostile", "bus", "queue", "dump")]


def run_one(name: str, options: BenchOptions, progress: Progress, *, alone: bool) -> list[BenchReport]:
    """Return one part's reports. In a run of all parts a failure must not cost the figures of the others."""
    try:
        return RUNS[name](options, progress)
    except Exception as trouble:
        if alone:
            raise
        return [BenchReport(name, notes=[f"not measured: {trouble!r}"])]


def measure_all(names: list[str], options: BenchOptions) -> list[BenchReport]:
    """Run the parts one after the other, each with a progress bar."""
    with bars() as progress, counting(progress, "tandem bench", len(names)) as show:
        reports = []
        for n, name in enumerate(names):
            reports += run_one(name, options, progress, alone=len(names) == 1)
            show(n + 1)
    return reports
