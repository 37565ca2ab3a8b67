"""At which load which part of Tandem is full, and what to do then: a model of costs that were measured.

    python deploy/capacity.py                          the table for growing numbers of people
    python deploy/capacity.py --people 250000 --readers 200

Nothing is asked of any server. The one part that arithmetic does not give is simulated: the log's head, which one
transaction at a time may hold, with everything that arrives meanwhile going into the next one (group commit).
"""

import argparse
import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from math import ceil

HOPELESS = 0.5  # seconds behind: it falls back forever
FULL = 0.6  # of what a part can do: from here on waits grow faster than the load


@dataclass(frozen=True, slots=True)
class Costs:
    """What was measured (README, "What it costs"), per process or server. Change them for your machines."""

    delivery: float = 5.0e-6  # s of a node's CPU for each reader of a message
    post: float = 1 / 7_000  # s of a node's CPU for a message that is posted by itself
    heard: float = 4e-6  # s of a node's CPU for an entry that others have posted, before any reader
    stream: int = 3_100  # bytes of a node
    socket: int = 4_800
    commit: float = 0.7e-3  # s under the log's head for each transaction …
    entry: float = 0.035e-3  # … and for each entry in it: 28,000 a second where batches are large
    registry: float = 15e-6  # s of Redis for a change of a person
    frame: int = 400  # bytes of an entry, as announced to every node
    row: int = 1_200  # bytes of a message on disk, its indexes and its place in the log included
    node_memory: float = 4e9  # bytes that a node's process may use
    node_connections: int = 50_000
    redis_bytes: float = 1e9  # a second, to all nodes together
    disk: float = 4e12  # bytes of PostgreSQL


@dataclass(frozen=True, slots=True)
class Load:
    """The busiest minute of an installation."""

    people: int
    online: float = 0.3  # of them, at once
    devices: float = 1.4  # of each who is online
    posts: float = 0.5  # of each who is online, a minute
    readers: int = 40  # devices that have a message's conversation and are online
    changes: float = 0.5  # of each who is online, a minute: comes, goes, idles, is back
    days: int = 730  # that messages are kept; the busiest minute is 4 times the average one

    @property
    def connected(self) -> float:
        """Devices, each with a stream and a socket."""
        return self.people * self.online * self.devices

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.people * self.online * self.posts / 60


def nodes_for(load: Load, costs: Costs) -> int:
    """How many node processes, each on a core of its own: by CPU, memory and connections. 0: no number is enough."""
    spread = load.rate * (costs.post + load.readers * costs.delivery)
    each = load.rate * costs.heard  # every node hears every entry
    memory = load.connected * (costs.stream + costs.socket)
    if each >= FULL:
        return 0
    by = (spread / (FULL - each), memory / (FULL * costs.node_memory), 2 * load.connected / costs.node_connections)
    return max(1, *map(ceil, by))


def simulate_head(rate: float, costs: Costs, messages: int = 60_000, seed: int = 1) -> float:
    """The 99th percentile of the wait for one's commit, in seconds; messages come at random, `rate` a second."""
    chance, free, waits = random.Random(seed), 0.0, []
    came = list(accumulate(chance.expovariate(rate) for _ in range(messages)))
    first = 0
    while first < messages:
        start = max(free, came[first])
        after = bisect_right(came, start, first)  # anyone who has come by then goes together
        free = start + costs.commit + costs.entry * (after - first)
        waits += [free - moment for moment in came[first:after]]
        if waits[-1] > HOPELESS:
            return float("inf")
        first = after
    return sorted(waits)[int(messages * 0.99)]


@dataclass(frozen=True, slots=True)
class Step:
    """`used`: the part that is in use of what there is; from FULL on the step is due."""

    name: str
    used: float

    @property
    def due(self) -> bool:
        """Is it time?"""
        return self.used >= FULL


def steps(load: Load, costs: Costs) -> list[Step]:
    """How near each step is, in the order in which they mostly come."""
    nodes = nodes_for(load, costs)
    head = load.rate * costs.entry  # batches grow with the load: what a transaction costs by itself fades
    return [
        Step("more than one node", FULL * nodes / 2 if nodes else 9.0),
        Step("PostgreSQL on a machine of its own", load.rate / 1_000 * FULL),
        Step("Redis Cluster", max(load.people * load.online * load.changes / 60 * costs.registry, flood(load, costs))),
        Step("tables spread by conversation", load.rate / 4 * 86_400 * load.days * costs.row / costs.disk),
        Step("several logs, one cursor of many parts", max(head, load.rate * costs.heard)),
    ]


def flood(load: Load, costs: Costs) -> float:
    """Announcements to all nodes, of what Redis can send."""
    return load.rate * costs.frame * max(1, nodes_for(load, costs)) / costs.redis_bytes


def rows(people: list[int], load: Load, costs: Costs) -> Iterator[list[str]]:
    """The table: one number of people a row."""
    for count in people:
        one = replace(load, people=count)
        wait = simulate_head(one.rate, costs) if one.rate else 0.0
        waited = f"{wait * 1000:.1f} ms" if wait < 1 else "grows"
        due = [step.name for step in steps(one, costs) if step.due]
        nodes = nodes_for(one, costs) or "–"
        yield [f"{count:,}", f"{one.rate:,.0f}", f"{one.connected:,.0f}", f"{nodes}", waited, "; ".join(due) or "none"]


HEADING = ["people", "messages/s", "devices at once", "nodes", "commit, p99", "due"]
PEOPLE = [1_000, 10_000, 50_000, 200_000, 500_000, 1_000_000, 5_000_000, 10_000_000, 20_000_000]


def table(people: list[int], load: Load, costs: Costs) -> str:
    """As Markdown."""
    lines = [HEADING, ["---"] * len(HEADING), *rows(people, load, costs)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """The table, for the load that the options describe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="*", default=PEOPLE)
    for name in ("online", "devices", "posts", "changes"):
        parser.add_argument(f"--{name}", type=float, default=getattr(Load(0), name))
    for name in ("readers", "days"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Load(0), name))
    given = vars(parser.parse_args())
    print(table(given.pop("people"), Load(0, **given), Costs()))


if __name__ == "__main__":
    main()
