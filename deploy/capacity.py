"""Compute which part of Tandem is full at which load, and the next step, from measured costs.

    python deploy/capacity.py                          the table for growing numbers of users
    python deploy/capacity.py --people 250000 --readers 200

No server is needed. The queue for the log's head is simulated: one transaction at a time holds the head, and posts
that arrive meanwhile share the next one (group commit). Everything else is arithmetic.
"""

import argparse
import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from math import ceil

HOPELESS = 0.5  # seconds of wait for the head at which the queue only grows
FULL = 0.6  # part of a capacity from which waits grow faster than the load


@dataclass(frozen=True, slots=True)
class Costs:
    """Measured costs per process or server, on two Intel cores. Replace them with those of your machines."""

    delivery: float = 5.0e-6  # s of a node's CPU for each reader of a message
    post: float = 1 / 7_000  # s of a node's CPU for a message posted in a request of its own
    heard: float = 4e-6  # s of a node's CPU for an entry from another node, without readers
    stream: int = 3_100  # bytes of a node
    socket: int = 4_800
    commit: float = 0.7e-3  # s under the log's head for each transaction
    entry: float = 0.035e-3  # s more for each entry in it: 28,000 a second in large batches
    registry: float = 15e-6  # s of Redis for a presence change of a user
    frame: int = 400  # bytes of an entry, as announced to every node
    row: int = 1_200  # bytes of a message on disk, with its indexes and its log entry
    node_memory: float = 4e9  # bytes of memory of a node's process
    node_connections: int = 50_000
    redis_bytes: float = 1e9  # bytes a second that Redis sends to all nodes together
    disk: float = 4e12  # bytes of PostgreSQL


@dataclass(frozen=True, slots=True)
class Load:
    """The busiest minute of an installation."""

    people: int
    online: float = 0.3  # part of them that is online at once
    devices: float = 1.4  # of each online user
    posts: float = 0.5  # of each online user, a minute
    readers: int = 40  # connected devices in a message's conversation
    changes: float = 0.5  # of presence, of each online user, a minute: connects, disconnects, idle, active
    days: int = 730  # that messages are kept; the busiest minute is 4 times the average one

    @property
    def connected(self) -> float:
        """Return the number of connected devices, each with a stream and a socket."""
        return self.people * self.online * self.devices

    @property
    def rate(self) -> float:
        """Return the messages a second."""
        return self.people * self.online * self.posts / 60


def nodes_for(load: Load, costs: Costs) -> int:
    """Return how many nodes are needed, each on a core of its own, by CPU, memory and connections; 0: never enough."""
    spread = load.rate * (costs.post + load.readers * costs.delivery)
    each = load.rate * costs.heard  # every node receives every entry
    memory = load.connected * (costs.stream + costs.socket)
    if each >= FULL:
        return 0
    by = (spread / (FULL - each), memory / (FULL * costs.node_memory), 2 * load.connected / costs.node_connections)
    return max(1, *map(ceil, by))


def simulate_head(rate: float, costs: Costs, messages: int = 60_000, seed: int = 1) -> float:
    """Return the 99th percentile of the wait for a commit, in seconds; infinity if the queue only grows.

    Messages arrive at random, `rate` a second.
    """
    chance, free, waits = random.Random(seed), 0.0, []
    came = list(accumulate(chance.expovariate(rate) for _ in range(messages)))
    first = 0
    while first < messages:
        start = max(free, came[first])
        after = bisect_right(came, start, first)  # posts that have arrived share the transaction
        free = start + costs.commit + costs.entry * (after - first)
        waits += [free - moment for moment in came[first:after]]
        if waits[-1] > HOPELESS:
            return float("inf")
        first = after
    return sorted(waits)[int(messages * 0.99)]


@dataclass(frozen=True, slots=True)
class Step:
    """A step to more capacity. `used`: the part of the present capacity in use."""

    name: str
    used: float

    @property
    def due(self) -> bool:
        """Return whether the step is due."""
        return self.used >= FULL


def steps(load: Load, costs: Costs) -> list[Step]:
    """Return all steps with how near they are, in the order in which they usually become due."""
    nodes = nodes_for(load, costs)
    head = load.rate * costs.entry  # batches grow with the load, so the cost of a transaction itself can be ignored
    return [
        Step("more than one node", FULL * nodes / 2 if nodes else 9.0),
        Step("PostgreSQL on a machine of its own", load.rate / 1_000 * FULL),
        Step(
            "Redis Cluster",
            max(load.people * load.online * load.changes / 60 * costs.registry, announcements(load, costs)),
        ),
        Step("tables distributed by conversation", load.rate / 4 * 86_400 * load.days * costs.row / costs.disk),
        Step("several logs, one cursor with several parts", max(head, load.rate * costs.heard)),
    ]


def announcements(load: Load, costs: Costs) -> float:
    """Return the part of Redis's bandwidth that announcements to all nodes need."""
    return load.rate * costs.frame * max(1, nodes_for(load, costs)) / costs.redis_bytes


def rows(people: list[int], load: Load, costs: Costs) -> Iterator[list[str]]:
    """Yield a row of the table for each number of users."""
    for count in people:
        one = replace(load, people=count)
        wait = simulate_head(one.rate, costs) if one.rate else 0.0
        waited = f"{wait * 1000:.1f} ms" if wait < 1 else "grows"
        due = [step.name for step in steps(one, costs) if step.due]
        nodes = nodes_for(one, costs) or "–"
        yield [f"{count:,}", f"{one.rate:,.0f}", f"{one.connected:,.0f}", f"{nodes}", waited, "; ".join(due) or "none"]


HEADING = ["users", "messages/s", "connected devices", "nodes", "commit, p99", "due"]
PEOPLE = [1_000, 10_000, 50_000, 200_000, 500_000, 1_000_000, 5_000_000, 10_000_000, 20_000_000]


def table(people: list[int], load: Load, costs: Costs) -> str:
    """Return the table as Markdown."""
    lines = [HEADING, ["---"] * len(HEADING), *rows(people, load, costs)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Print the table for the load that the options describe."""
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
