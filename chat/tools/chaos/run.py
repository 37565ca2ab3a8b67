"""A run: people talk and watch each other while the plan's faults strike; then everything that they saw is checked."""

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from chat.shared.tasks import Tasks, first_of
from chat.tools.chaos.checker import LOST, Violation, check
from chat.tools.chaos.clients import ChaosReader
from chat.tools.chaos.crowd import Crowd, crowd_of, find_eavesdroppers
from chat.tools.chaos.environment import Rig, came_true, keep_logs, rig_of, until
from chat.tools.chaos.faults import FAULTS, FaultTarget
from chat.tools.chaos.history import DATABASE, PostedMessage, Visit, tell_trail
from chat.tools.chaos.plan import ChaosOptions, Strike
from chat.tools.chaos.results import (
    FAILED,
    GARBAGE,
    SHOWN,
    SHUT_OUT,
    UNANSWERED,
    UNRULY,
    Checkpoint,
    PresenceSample,
    Scores,
    Struck,
    find_disagreements,
    percentile,
)


class Run:
    """One run. `tell` is called with a line of news; `scores` grow as it goes."""

    def __init__(self, options: ChaosOptions, tell: Callable[[str], None]) -> None:
        self.options, self._tell = options, tell
        self.scores = Scores(options.seed, options.nodes, options.people)
        self._started = time.monotonic()
        self._rig: Rig
        self._crowd: Crowd

    def now(self) -> float:
        """Seconds since people began to talk."""
        return round(time.monotonic() - self._started, 2)

    async def run(self) -> Scores:
        """From the engines' start to the last finding."""
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
        async with rig_of(folder, options.names(), options.settings, options.program) as self._rig:
            chance, tasks, watch = random.Random(f"people {options.seed}"), Tasks(), Tasks()
            async with crowd_of(self._rig, options.people, options.talkers(), chance, tasks) as self._crowd:
                try:
                    await first_of(self._go(watch), ended(tasks), ended(watch))
                finally:
                    await watch.stop()

    async def _go(self, watch: Tasks) -> None:
        crowd = self._crowd
        await until(lambda: all(guest.ready for guest in crowd.guests), self.options.patience, "everybody to be there")
        self._tell(f"{self.options.people} people are here, and begin to talk; seed {self.options.seed}")
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
        node = strike.node if "node" in FAULTS[strike.name].touches else ""
        struck = Struck(strike.name, node, self.now())
        self.scores.struck.append(struck)
        self._tell(f"{strike.name} {node}".rstrip() + f": {FAULTS[strike.name].about}, {strike.seconds:g} s")
        chance = random.Random(f"{self.options.seed} {strike}")
        await FAULTS[strike.name].strike(FaultTarget(self._rig, self._crowd, strike.node, strike.seconds, chance))
        struck.until = self.now()

    async def _check_calm(self) -> None:
        """All is mended: everybody comes in again, catches up, and sees the others as they are."""
        crowd, at = self._crowd, self.now()
        crowd.wandering = False
        if not await came_true(lambda: all(guest.ready for guest in crowd.guests), self.options.patience):
            late = [guest.name for guest in crowd.guests if not guest.ready]
            self.scores.findings += [
                Violation(SHUT_OUT, name, f"not back after {self.options.patience:g} s") for name in late
            ]
        back, wanted = self.now() - at, crowd.last_seqs()
        await came_true(lambda: not crowd.lagging(wanted), self.options.patience)
        caught_up = self.now() - at
        disagreements = partial(find_disagreements, crowd.guests)
        if not await came_true(lambda: not disagreements(), self.options.ghost()):
            self.scores.findings += disagreements()
        settled = self.now() - at
        self.scores.checkpoints.append(Checkpoint(at, round(back, 1), round(caught_up, 1), round(settled, 1)))
        self._tell(f"calm: all back after {back:.1f} s, caught up {caught_up:.1f} s, presence right {settled:.1f} s")
        crowd.come_back()
        crowd.wandering = True

    async def _sample(self) -> None:
        while True:
            self.scores.samples.append(self.sample())
            await asyncio.sleep(1)

    def sample(self) -> PresenceSample:
        """How it stands."""
        crowd = self._crowd
        here = [guest for guest in crowd.guests if guest.here]
        delays = [crowd.delays.popleft() for _ in range(len(crowd.delays))]
        crowd.kept_delays += delays
        return PresenceSample(
            self.now(),
            len(crowd.history.acknowledged),
            sum(map(len, crowd.history.received.values())),
            sum(len(poster.refusals) + poster.failures for poster in crowd.posters),
            sum(guest.reader.ready for guest in here),
            sum(guest.onlooker.ready for guest in here),
            len(here),
            round(max(delays, default=0.0), 3),
        )

    async def _finish(self) -> None:
        crowd = self._crowd
        late = await crowd.stops_talking(self.options.patience)
        self.scores.findings += [Violation(UNANSWERED, "", f"after {self.options.patience:g} s")] * late
        crowd.all_come()
        fence = await crowd.set_fence()
        if not await came_true(lambda: not crowd.lagging(fence), self.options.patience):
            self._tell(f"{len(crowd.lagging(fence))} guests have not caught up")
        self.scores.seconds = self.now()
        self.scores.samples.append(self.sample())
        self._tell("checking what everybody saw")
        for guest in crowd.guests:
            await guest.goes()
        await crowd.reads_the_truth()
        self.scores.ended = [replace(one, at=round(one.at - self._started, 1)) for one in self._rig.ended]
        self.scores.findings += await asyncio.to_thread(judge, crowd)
        self.scores.findings += [Violation(UNRULY, one.node, one.words) for one in self.scores.ended if one.served]
        self.scores.trails = tell_trails(crowd, self.scores.findings, self._started)
        self.scores.figures = tell_figures(crowd, self.scores)


async def ended(tasks: Tasks) -> None:
    """Raises when a client or the supervisor has died of something that nobody foresaw."""
    raise RuntimeError(f"{await tasks.failed} has died; the lines above say of what")


# The judgement: what was wrong with what everybody saw, how those came past a message who lost one, and how much it
# was.


def judge(crowd: Crowd) -> list[Violation]:
    """All findings in what the clients saw."""
    readers, door = {guest.person.id: guest.name for guest in crowd.guests}, crowd.doorkeeper
    return [
        *check(crowd.history),
        *find_eavesdroppers(door.outside, door.room, crowd.history, readers),
        *(Violation(FAILED, poster.name, what) for poster in crowd.posters for what in poster.surprises),
        *(Violation(FAILED, "the door", what) for what in door.surprises),
        *(Violation(GARBAGE, guest.name, what) for guest in crowd.guests for what in guest.reader.garbage),
    ]


def tell_trails(crowd: Crowd, findings: Sequence[Violation], started: float) -> list[str]:
    """Of those who lost a message, so many; `started` is the run's first moment."""
    received = crowd.history.received
    places = {receipt.message: receipt.position for receipt in received[DATABASE]}
    readers = {guest.name: guest.reader for guest in crowd.guests}
    lost = [one for one in findings if one.kind == LOST and one.reader in readers]
    return [
        f"{one.reader}: " + tell_trail(visits(readers[one.reader], started), received[one.reader], places[one.what])
        for one in lost[:SHOWN]
        if isinstance(one.what, PostedMessage) and one.what in places
    ]


def visits(reader: ChaosReader, started: float) -> list[Visit]:
    """Its streams, in seconds of the run."""
    return [replace(visit, at=visit.at - started) for visit in reader.visits]


def tell_figures(crowd: Crowd, scores: Scores) -> dict[str, float | int | str]:
    """How much of everything."""
    last = scores.samples[-1]
    return {
        "faults": len(scores.struck),
        "posts acknowledged": last.acknowledged,
        "receipts": last.received,
        "attempts refused or broken off": last.refused,
        "members removed and added": crowd.doorkeeper.changes,
        "streams opened": sum(len(guest.reader.starts) for guest in crowd.guests),
        "times that a watcher saw somebody leave": sum(guest.onlooker.offlines for guest in crowd.guests),
        "resets": sum(guest.reader.resets for guest in crowd.guests),
        "streams given up as silent": sum(guest.reader.silences for guest in crowd.guests),
        "post to reader, median, ms": round(percentile(crowd.kept_delays, 0.5) * 1000, 1),
        "post to reader, p99, ms": round(percentile(crowd.kept_delays, 0.99) * 1000, 1),
        "nodes that ended by themselves": len(scores.ended),
    }
