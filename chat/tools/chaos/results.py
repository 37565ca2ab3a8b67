"""What a run has come to: samples of each second, strikes, checkpoints, findings. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from chat.tools.chaos import checker
from chat.tools.chaos.checker import Violation

GHOST, MISSED, SHUT_OUT = "ghost", "missed", "shut out"
UNANSWERED, FAILED, GARBAGE, UNRULY = "unanswered", "failed", "garbage", "unruly"
PROMISES = {
    checker.LOST: "acknowledged, and never received by a member",
    checker.GAP: "a number skipped in a conversation",
    checker.REPEATED: "received twice",
    checker.REORDERED: "received out of order",
    checker.INVENTED: "received, though nobody posted it",
    checker.ALTERED: "other words, or another message than the poster was told of",
    checker.MADE_TWICE: "one post told to be new twice",
    checker.OVERHEARD: "read before being added, or after removal",
    GHOST: "shown as here after it settled, though gone",
    MISSED: "shown as gone after it settled, though here",
    SHUT_OUT: "a client that did not get in again",
    UNANSWERED: "a post that no retry brought through",
    FAILED: "an answer that was neither taken, nor refused with a time to retry",
    GARBAGE: "bytes in a stream that are no event",
    UNRULY: "a node that ended while it served, or did not end when told",
}
SHOWN = 50  # findings of a kind that a report names one by one


@dataclass(frozen=True, slots=True)
class PresenceSample:
    """One second. Counts are totals so far; `delay`: the longest from a first attempt to post to a reader, seconds."""

    at: float
    acknowledged: int
    received: int
    refused: int
    reading: int
    looking: int
    here: int
    delay: float


@dataclass(slots=True)
class Struck:
    """A fault as it happened, in seconds of the run; `until` is 0 while it is under way."""

    name: str
    node: str
    at: float
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Ended:
    """A node that ended by itself, at which second of the run, and what it said last.

    `served`: one that cannot even begin, as PostgreSQL is away, ends, and is started again: that is as it should be.
    """

    node: str
    at: float
    code: int
    served: bool
    words: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All mended: how long until everybody was in again, had caught up, and saw the others as they were."""

    at: float
    back: float
    caught_up: float
    settled: float


@dataclass(slots=True)
class Scores:
    """Everything that a report is made of."""

    seed: int
    nodes: int
    people: int
    seconds: float = 0.0
    samples: list[PresenceSample] = field(default_factory=list)
    struck: list[Struck] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    findings: list[Violation] = field(default_factory=list)
    trails: list[str] = field(default_factory=list)
    figures: dict[str, float | int | str] = field(default_factory=dict)

    def rows(self) -> dict[str, int]:
        """How often each promise was broken."""
        counts = Counter(finding.kind for finding in self.findings)
        return {kind: counts[kind] for kind in PROMISES}

    @property
    def kept(self) -> bool:
        """Not one was."""
        return not self.findings

    def shown(self) -> list[Violation]:
        """So many of each kind."""
        kinds = {kind: [one for one in self.findings if one.kind == kind] for kind in PROMISES}
        return [one for found in kinds.values() for one in found[:SHOWN]]

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self) | {
            "kept": self.kept,
            "promises": self.rows(),
            "findings": [str(finding) for finding in self.shown()],
            "under": [{"fault": name, "times": times} for name, times in count_strikes(self.struck).items()],
        }


def count_strikes(struck: Sequence[Struck]) -> dict[str, int]:
    """How often each fault struck."""
    return dict(Counter(one.name for one in struck))


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share lies under; 0 of none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


# Sightings: whether everybody is shown as he is, once things have settled. Pure.


class Watched(Protocol):
    """Somebody who may be here."""

    @property
    def id(self) -> int:
        """The user's."""


class WatcherResults(Protocol):
    """What somebody is shown."""

    shown: dict[int, tuple[int, str]]
    ready: bool

    node: str

    @property
    def watched(self) -> Sequence[int]:
        """Whom he watches."""


class UserResults(Protocol):
    """One of the people."""

    name: str
    here: bool

    @property
    def person(self) -> Watched:
        """Who."""

    @property
    def onlooker(self) -> WatcherResults:
        """His eyes."""


def find_disagreements(guests: Sequence[UserResults]) -> list[Violation]:
    """Of everybody who looks on: who is shown as here and is not, or the other way round."""
    here = {guest.person.id: guest.here for guest in guests}
    return [
        Violation(MISSED if here[one] else GHOST, guest.name, (one, status, guest.onlooker.node))
        for guest in guests
        if guest.here and guest.onlooker.ready
        for one in guest.onlooker.watched
        if (status := guest.onlooker.shown.get(one, (0, "offline"))[1]) != ("online" if here[one] else "offline")
    ]
