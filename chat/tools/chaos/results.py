"""Results of a run: samples of each second, faults, checkpoints, findings, and the check of presence. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from chat.tools.chaos import checker
from chat.tools.chaos.checker import Violation

GHOST, MISSED, SHUT_OUT = "ghost", "missed", "shut out"
UNANSWERED, FAILED, GARBAGE, UNRULY = "unanswered", "failed", "garbage", "unruly"
PROMISES = {
    checker.LOST: "acknowledged, and never received by a member or a hook",
    checker.GAP: "a number skipped in a conversation",
    checker.REPEATED: "received twice",
    checker.REORDERED: "received out of order",
    checker.INVENTED: "received, though never posted",
    checker.ALTERED: "another text, or another message than the poster got",
    checker.MADE_TWICE: "one post acknowledged as new twice",
    checker.OVERHEARD: "read before being added, or after removal",
    checker.TORN: "a streamed message whose text is not the author's, character by character",
    checker.ENDLESS: "a streamed message that did not end, though its author did or died",
    checker.FOLLOWED: "a request to an address that a hook's receiver redirected to",
    GHOST: "shown as online after it settled, though offline",
    MISSED: "shown as offline after it settled, though online",
    SHUT_OUT: "a client that could not reconnect",
    UNANSWERED: "a post that no retry got through",
    FAILED: "an answer that was neither success nor a temporary error",
    GARBAGE: "bytes in a stream that are no event",
    UNRULY: "a node that ended while it served, or did not end when asked",
}
SHOWN = 50  # findings of each kind that a report lists


@dataclass(frozen=True, slots=True)
class PresenceSample:
    """One second. Counts are totals so far.

    `delay` is the longest time in seconds from a first attempt to post to a reader.
    """

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
    """A fault as it happened, in seconds of the run; `until` is 0 while it is in progress."""

    name: str
    node: str
    at: float
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Ended:
    """A node that ended by itself: the second of the run, the exit code, its last log lines.

    `served` is False for a node that could not start, for example while PostgreSQL was down. Such a node ends and is
    started again, which is correct.
    """

    node: str
    at: float
    code: int
    served: bool
    words: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The seconds after the last fault until all clients were connected, had caught up, and saw correct presence."""

    at: float
    back: float
    caught_up: float
    settled: float


@dataclass(slots=True)
class Scores:
    """All results, and everything that a report shows."""

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
        """Return how often each promise was broken."""
        counts = Counter(finding.kind for finding in self.findings)
        return {kind: counts[kind] for kind in PROMISES}

    @property
    def kept(self) -> bool:
        """True if no promise was broken."""
        return not self.findings

    def shown(self) -> list[Violation]:
        """Return the first findings of each kind."""
        kinds = {kind: [one for one in self.findings if one.kind == kind] for kind in PROMISES}
        return [one for found in kinds.values() for one in found[:SHOWN]]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self) | {
            "kept": self.kept,
            "promises": self.rows(),
            "findings": [str(finding) for finding in self.shown()],
            "under": [{"fault": name, "times": times} for name, times in count_strikes(self.struck).items()],
        }


def count_strikes(struck: Sequence[Struck]) -> dict[str, int]:
    """Return how often each fault struck."""
    return dict(Counter(one.name for one in struck))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of the values lies; 0 of no values."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


# The check of presence: each user must be shown with the right status once things have settled.


class Watched(Protocol):
    """A user who may be online."""

    @property
    def id(self) -> int:
        """The user id."""


class WatcherResults(Protocol):
    """The statuses that a presence socket shows."""

    shown: dict[int, tuple[int, str]]
    ready: bool

    node: str

    @property
    def watched(self) -> Sequence[int]:
        """The users it watches."""


class UserResults(Protocol):
    """A user of the run."""

    name: str
    here: bool

    @property
    def person(self) -> Watched:
        """The account."""

    @property
    def presence(self) -> WatcherResults:
        """The user's presence socket."""


def find_disagreements(users: Sequence[UserResults]) -> list[Violation]:
    """Return a violation for each user shown as online who is offline, or the other way round."""
    here = {user.person.id: user.here for user in users}
    return [
        Violation(MISSED if here[one] else GHOST, user.name, (one, status, user.presence.node))
        for user in users
        if user.here and user.presence.ready
        for one in user.presence.watched
        if (status := user.presence.shown.get(one, (0, "offline"))[1]) != ("online" if here[one] else "offline")
    ]
