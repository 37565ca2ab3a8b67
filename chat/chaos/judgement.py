"""The judgement: what was wrong with what everybody saw, how those came past a message who lost one, and how much it
was."""

from collections.abc import Sequence
from dataclasses import replace

from chat.chaos.checker import LOST, Finding, check
from chat.chaos.crowd import Crowd
from chat.chaos.database import DATABASE
from chat.chaos.door import find_eavesdroppers
from chat.chaos.history import Message
from chat.chaos.reader import Reader
from chat.chaos.scores import FAILED, GARBAGE, SHOWN, Scores, percentile
from chat.chaos.trail import Visit, tell_trail


def judge(crowd: Crowd) -> list[Finding]:
    """All findings in what the clients saw."""
    readers, door = {guest.person.id: guest.name for guest in crowd.guests}, crowd.doorkeeper
    return [
        *check(crowd.history),
        *find_eavesdroppers(door.outside, door.room, crowd.history, readers),
        *(Finding(FAILED, poster.name, what) for poster in crowd.posters for what in poster.surprises),
        *(Finding(FAILED, "the door", what) for what in door.surprises),
        *(Finding(GARBAGE, guest.name, what) for guest in crowd.guests for what in guest.reader.garbage),
    ]


def tell_trails(crowd: Crowd, findings: Sequence[Finding], started: float) -> list[str]:
    """Of those who lost a message, so many; `started` is the run's first moment."""
    received = crowd.history.received
    places = {receipt.message: receipt.position for receipt in received[DATABASE]}
    readers = {guest.name: guest.reader for guest in crowd.guests}
    lost = [one for one in findings if one.kind == LOST and one.reader in readers]
    return [
        f"{one.reader}: " + tell_trail(visits(readers[one.reader], started), received[one.reader], places[one.what])
        for one in lost[:SHOWN]
        if isinstance(one.what, Message) and one.what in places
    ]


def visits(reader: Reader, started: float) -> list[Visit]:
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
