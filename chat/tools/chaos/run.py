"""A run: users talk and watch each other while faults strike; then everything that they saw is checked.

A plan says which fault strikes when, and which node. The same seed gives the same plan.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from chat.client.node_process import PROGRAM
from chat.shared.registry.lease import check_timing
from chat.shared.tasks import Tasks, first_of
from chat.tools.chaos.checker import ENDLESS, LOST, Violation, check, find_disagreements
from chat.tools.chaos.clients import ChaosReader
from chat.tools.chaos.crowd import Crowd, crowd_of, find_overhearing
from chat.tools.chaos.environment import (
    SETTINGS,
    Environment,
    EnvironmentKind,
    came_true,
    keep_logs,
    open_environment,
    until,
)
from chat.tools.chaos.faults import FAULTS, Fault, FaultTarget
from chat.tools.chaos.history import DATABASE, Place, PostedMessage, Visit, tell_trail
from chat.tools.chaos.report import (
    FAILED,
    GARBAGE,
    RESET,
    SHOWN,
    SHUT_OUT,
    UNANSWERED,
    UNRULY,
    Checkpoint,
    PresenceSample,
    Scores,
    Struck,
    percentile,
)

GAP = (0.5, 5.0)  # seconds between a fault and the next, if the next one waits
OVERLAP = 0.35  # how often the next one does not wait


class Kind(Protocol):
    """The properties of a fault that the plan uses."""

    @property
    def touches(self) -> frozenset[str]:
        """The parts that no other fault may touch meanwhile."""

    @property
    def least(self) -> float:
        """The shortest duration in seconds."""

    @property
    def most(self) -> float:
        """The longest duration in seconds."""


@dataclass(frozen=True, slots=True)
class Strike:
    """The fault `name` at second `at`, for `seconds`."""

    at: float
    name: str
    node: str
    seconds: float


def draw(
    chance: random.Random, kinds: Mapping[str, Kind], nodes: Sequence[str], seconds: float, sections: int
) -> list[list[Strike]]:
    """Return `sections` lists of strikes, each over within `seconds`. Every kind comes once before any comes twice."""
    deck: list[str] = []
    return [draw_section(chance, kinds, nodes, seconds, deck) for _ in range(sections)]


def draw_section(
    chance: random.Random, kinds: Mapping[str, Kind], nodes: Sequence[str], seconds: float, deck: list[str]
) -> list[Strike]:
    """Return one section, with at least one strike. A fault that does not fit goes back into the deck."""
    strikes: list[Strike] = []
    busy: dict[str, float] = {}
    at, misfits = 0.0, 0
    while misfits < 3 or not strikes:
        if not deck:
            deck += chance.sample(sorted(kinds), len(kinds))
        name = deck.pop()
        kind, node = kinds[name], chance.choice(nodes)
        begins = max([at, *(busy[one] + 0.5 for one in kind.touches if one in busy)])
        lasts = chance.uniform(kind.least, max(kind.least, min(kind.most, seconds / 3)))
        if begins + lasts > seconds and (strikes or len(kinds) > 1) and misfits < 2 * len(kinds):
            deck.insert(0, name)
            misfits += 1
            continue
        strikes.append(Strike(round(begins, 1), name, node, round(lasts, 1)))
        busy |= dict.fromkeys(kind.touches, begins + lasts)
        at = begins + (chance.uniform(0, lasts) if chance.random() < OVERLAP else lasts) + chance.uniform(*GAP)
        misfits = misfits if begins + lasts <= seconds else 3
    return strikes


# Options of a run.

SECTION = 75.0  # seconds of faults between two checkpoints
MACHINE = 4.0  # seconds that a busy machine may add before presence is right
HOOKS = 2  # times the patience of clients: a hook may wait for a lease, a deadline and its next attempt, 54 s in all


@dataclass(frozen=True, slots=True)
class ChaosOptions:
    """A run's options. `program` and `settings` start the nodes.

    `patience` is how many seconds clients may take to reconnect or catch up after the last fault. `logs` is the folder
    that keeps the nodes' logs when a promise was broken.
    """

    nodes: int = 3
    people: int = 200
    seconds: float = 600.0
    seed: int = 0
    faults: Sequence[str] = ()
    logs: Path | None = None
    patience: float = 45.0
    program: Sequence[str] = PROGRAM
    settings: dict[str, str] = field(default_factory=dict)
    bus: str = ""  # rabbitmq or nats; empty: Redis, and no queue
    kinds: Mapping[str, Fault] = field(default_factory=lambda: FAULTS)
    environment: EnvironmentKind = Environment

    def names(self) -> list[str]:
        """Return the names of the nodes."""
        return [f"n{n + 1}" for n in range(self.nodes)]

    def talkers(self) -> int:
        """Return how many users post."""
        return max(2, self.people // 10)

    def ghost(self) -> float:
        """Return for how many seconds after the last fault presence may be wrong."""
        linger, lease = (float(self.settings.get(name, 10)) for name in ("PRESENCE_LINGER", "NODE_LEASE"))
        return check_timing(linger, lease).ghost + MACHINE

    def idle(self) -> float:
        """Return after how many seconds of silence the server ends a streamed message."""
        return float((SETTINGS | self.settings)["STREAMING_IDLE"])

    def plan(self) -> list[list[Strike]]:
        """Return the plan; the same seed gives the same plan."""
        fitting = [name for name, kind in self.kinds.items() if self.bus or "bus" not in kind.touches]
        if self.bus == "nats":
            fitting.remove("fill-bus")
        kinds = {name: self.kinds[name] for name in self.faults or fitting}
        sections = max(1, round(self.seconds / SECTION))
        return draw(random.Random(self.seed), kinds, self.names(), self.seconds / sections, sections)


class Run:
    """One run. `tell` gets a line of news; `scores` grows as the run proceeds."""

    def __init__(self, options: ChaosOptions, tell: Callable[[str], None]) -> None:
        self.options, self._tell = options, tell
        self.scores = Scores(options.seed, options.nodes, options.people)
        self._started = time.monotonic()
        self._environment: Environment
        self._crowd: Crowd

    def now(self) -> float:
        """Return the seconds since users began to post."""
        return round(time.monotonic() - self._started, 2)

    async def run(self) -> Scores:
        """Run from the start of the engines to the last finding; return the results."""
        with tempfile.TemporaryDirectory(prefix="tandem-chaos-", ignore_cleanup_errors=True) as own:
            try:
                await self._run_in(Path(own))
            finally:
                whole = self.scores.figures and self.scores.kept and not self.scores.ended
                if self.options.logs and not whole:
                    keep_logs(Path(own), self.options.logs)
        return self.scores

    async def _run_in(self, folder: Path) -> None:
        options = self.options
        self._tell("starting PostgreSQL, Redis, HAProxy and the nodes")
        async with open_environment(
            folder, options.names(), options.settings, options.program, options.bus, options.environment
        ) as self._environment:
            chance, tasks, watch = random.Random(f"people {options.seed}"), Tasks(), Tasks()
            who = options.people, options.talkers(), options.idle()
            async with crowd_of(self._environment, *who, chance, tasks) as self._crowd:
                try:
                    await first_of(self._go(watch), ended(tasks), ended(watch))
                finally:
                    await watch.stop()

    async def _go(self, watch: Tasks) -> None:
        crowd = self._crowd
        await until(lambda: all(user.ready for user in crowd.users), self.options.patience, "all users to connect")
        self._tell(f"{self.options.people} users are connected and begin to post; seed {self.options.seed}")
        self._started = time.monotonic()
        crowd.lives()
        watch.start("samples are taken", self._sample())
        for section in self.options.plan():
            await self._strike_all(section)
            await self._check_calm()
        await self._finish()

    async def _strike_all(self, section: Sequence[Strike]) -> None:
        began = self.now()
        async with asyncio.TaskGroup() as group:
            for strike in section:
                group.create_task(self._strike(strike, began + strike.at), name=strike.name)

    async def _strike(self, strike: Strike, at: float) -> None:
        await asyncio.sleep(max(0.0, at - self.now()))
        fault = self.options.kinds[strike.name]
        node = strike.node if "node" in fault.touches else ""
        struck = Struck(strike.name, fault.about, node, self.now())
        self.scores.struck.append(struck)
        self._tell(f"{strike.name} {node}".rstrip() + f": {fault.about}, {strike.seconds:g} s")
        chance = random.Random(f"{self.options.seed} {strike}")
        await fault.strike(FaultTarget(self._environment, self._crowd, strike.node, strike.seconds, chance))
        struck.until = self.now()

    async def _check_calm(self) -> None:
        """Check that, after the last fault, all clients reconnect, catch up and see correct presence."""
        crowd, at = self._crowd, self.now()
        crowd.wandering = False
        if not await came_true(lambda: all(user.ready for user in crowd.users), self.options.patience):
            late = [user.name for user in crowd.users if not user.ready]
            self.scores.findings += [
                Violation(SHUT_OUT, name, f"not connected after {self.options.patience:g} s") for name in late
            ]
        back, wanted = self.now() - at, crowd.last_seqs()
        await came_true(lambda: not crowd.lagging(wanted), self.options.patience)
        caught_up = self.now() - at
        disagreements = partial(find_disagreements, crowd.users)
        if not await came_true(lambda: not disagreements(), self.options.ghost()):
            self.scores.findings += disagreements()
        settled = self.now() - at
        await self._check_dead_authors()
        self.scores.checkpoints.append(Checkpoint(at, round(back, 1), round(caught_up, 1), round(settled, 1)))
        self._tell(
            f"checkpoint: all connected after {back:.1f} s, caught up {caught_up:.1f} s, presence right {settled:.1f} s"
        )
        crowd.come_back()
        crowd.wandering = True

    async def _check_dead_authors(self) -> None:
        """Check that messages end by themselves whose author died; there may still be some that died just now."""
        limit = self.options.idle() + MACHINE

        def growing() -> list[tuple[str, Place]]:
            return self._crowd.growing(time.monotonic() - limit)

        if not await came_true(lambda: not growing(), limit):
            self.scores.findings += [Violation(ENDLESS, *one) for one in growing()]

    async def _sample(self) -> None:
        while True:
            self.scores.samples.append(self.sample())
            await asyncio.sleep(1)

    def sample(self) -> PresenceSample:
        """Return the figures of this moment."""
        crowd = self._crowd
        here = [user for user in crowd.users if user.here]
        delays = [crowd.delays.popleft() for _ in range(len(crowd.delays))]
        crowd.kept_delays += delays
        return PresenceSample(
            self.now(),
            len(crowd.history.acknowledged),
            sum(map(len, crowd.history.received.values())),
            sum(len(poster.refusals) + poster.failures for poster in crowd.all_posters()),
            sum(user.reader.ready for user in here),
            sum(user.presence.ready for user in here),
            len(here),
            round(max(delays, default=0.0), 3),
        )

    async def _finish(self) -> None:
        crowd = self._crowd
        late = await crowd.stops_talking(self.options.patience)
        self.scores.findings += [Violation(UNANSWERED, "", f"after {self.options.patience:g} s")] * late
        if not await came_true(crowd.has_queued_posts, self.options.patience):
            self._tell("messages of the queue are not posted yet")
        crowd.all_come()
        fence = await crowd.set_fence()
        await came_true(crowd.receiver.turn_on_again, self.options.patience)
        await came_true(lambda: not crowd.growing(time.monotonic()), self.options.idle() + MACHINE)
        if not await came_true(lambda: not crowd.lagging(fence), self.options.patience):
            self._tell(f"{len(crowd.lagging(fence))} users have not caught up")
        if not await came_true(lambda: crowd.receiver.has(fence), HOOKS * self.options.patience):
            self._tell("the receiver of hooks has not got everything")
        self.scores.seconds = self.now()
        self.scores.samples.append(self.sample())
        self._tell("checking what every client saw")
        for user in crowd.users:
            await user.goes()
        await crowd.reads_database()
        self.scores.ended = [replace(one, at=round(one.at - self._started, 1)) for one in self._environment.ended]
        self.scores.findings += await asyncio.to_thread(find_violations, crowd)
        self.scores.findings += [Violation(UNRULY, one.node, one.words) for one in self.scores.ended if one.served]
        self.scores.trails = tell_trails(crowd, self.scores.findings, self._started)
        self.scores.figures = tell_figures(crowd, self.scores)


async def ended(tasks: Tasks) -> None:
    """Raise when a client or the supervisor fails unexpectedly."""
    raise RuntimeError(f"{await tasks.failed} has died; the lines above say of what")


# The verdict: what was wrong, the delivery trail of readers that lost a message, and the figures.


def find_violations(crowd: Crowd) -> list[Violation]:
    """Return all findings in what the clients saw."""
    readers, probe = {user.person.id: user.name for user in crowd.users}, crowd.membership_probe
    return [
        *check(crowd.history),
        *find_overhearing(probe.outside, probe.conversation, crowd.history, readers),
        *(Violation(FAILED, poster.name, what) for poster in crowd.all_posters() for what in poster.surprises),
        *(
            Violation(LOST, author.reader.name, f"the request to stop {place}")
            for author in crowd.authors
            for place in author.asked_to_stop
            if place not in author.reader.stop_requests
        ),
        *(Violation(FAILED, "membership probe", what) for what in probe.surprises),
        *(Violation(LOST, DATABASE, key) for key in crowd.producer.confirmed if key not in crowd.history.acknowledged),
        *(Violation(RESET, user.name, what) for user in crowd.users for what in user.reader.resets),
        *(Violation(GARBAGE, user.name, what) for user in crowd.users for what in user.reader.garbage),
    ]


def tell_trails(crowd: Crowd, findings: Sequence[Violation], started: float) -> list[str]:
    """Return the delivery trails of readers that lost a message; `started` is the run's first moment."""
    received = crowd.history.received
    places = {receipt.message: receipt.position for receipt in received[DATABASE]}
    readers = {user.name: user.reader for user in crowd.users}
    lost = [one for one in findings if one.kind == LOST and one.reader in readers]
    return [
        f"{one.reader}: " + tell_trail(visits(readers[one.reader], started), received[one.reader], places[one.what])
        for one in lost[:SHOWN]
        if isinstance(one.what, PostedMessage) and one.what in places
    ]


def visits(reader: ChaosReader, started: float) -> list[Visit]:
    """Return the reader's streams, in seconds of the run."""
    return [replace(visit, at=visit.at - started) for visit in reader.visits]


def tell_figures(crowd: Crowd, scores: Scores) -> dict[str, float | int | str]:
    """Return the run's figures by name."""
    last, deliveries = scores.samples[-1], crowd.history.deliveries.values()
    return {
        "faults": len(scores.struck),
        "posts acknowledged": last.acknowledged,
        "messages put into the queue": len(crowd.producer.confirmed),
        "receipts": last.received,
        "attempts refused or lost": last.refused,
        "members removed and added": crowd.membership_probe.changes,
        "messages streamed": len(crowd.history.written),
        "appends acknowledged": sum(author.appends for author in crowd.authors),
        "characters streamed": sum(written.acknowledged for written in crowd.history.written.values()),
        "authors that died": sum(written.left > 0 for written in crowd.history.written.values()),
        "of them, logged out while they wrote": sum(author.revoked for author in crowd.authors),
        "messages that a silence ended": sum(author.ended for author in crowd.authors),
        "messages delivered to hooks": sum(map(len, deliveries)),
        "deliveries repeated": sum(one.total() - len(one) for one in deliveries),
        "requests to the bad receiver": ", ".join(f"{kind} {n}" for kind, n in sorted(crowd.receiver.bad.items())),
        "streams opened": sum(len(user.reader.starts) for user in crowd.users),
        "times that a watcher saw a user go offline": sum(user.presence.offlines for user in crowd.users),
        "resets": sum(len(user.reader.resets) for user in crowd.users),
        "streams given up as silent": sum(user.reader.silences for user in crowd.users),
        "post to reader, median, ms": round(percentile(crowd.kept_delays, 0.5) * 1000, 1),
        "post to reader, p99, ms": round(percentile(crowd.kept_delays, 0.99) * 1000, 1),
        "nodes that ended by themselves": len(scores.ended),
    }
