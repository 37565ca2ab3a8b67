"""Check what was seen: messages that a history must never contain, and presence that is wrong. Pure.

Each finding names its kind, the reader and the message or user.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from chat.tools.chaos.history import DATABASE, MemberStay, Place, PostReceipt, ReceivedText, RunHistory

LOST, REPEATED, REORDERED, INVENTED = "lost", "repeated", "reordered", "invented"
ALTERED, OVERHEARD, GAP, MADE_TWICE = "altered", "overheard", "gap", "made twice"
TORN, ENDLESS, FOLLOWED = "torn", "endless", "followed"
GHOST, MISSED = "ghost", "missed"


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise. `reader` is "" when it is between the poster and the server."""

    kind: str
    reader: str
    what: object

    def __str__(self) -> str:
        return f"{self.kind}: {self.what} {f'at {self.reader}' if self.reader else ''}"


def check(history: RunHistory) -> list[Violation]:
    """Return all findings. Whatever faults occurred, the list must be empty."""
    return [
        *find_unfaithful_answers(history),
        *(Violation(FOLLOWED, "", request) for request in history.followed),
        *(finding for reader in history.stays for finding in check_reader(history, reader)),
    ]


def check_reader(history: RunHistory, reader: str) -> Iterator[Violation]:
    """Yield everything that went wrong for one reader."""
    yield from find_lost(history, reader)
    yield from find_repeated(history, reader)
    yield from find_reordered(history, reader)
    yield from find_invented(history, reader)
    yield from find_altered(history, reader)
    yield from find_overheard(history, reader)
    yield from find_gaps(history, reader)
    if reader != DATABASE and reader not in history.deliveries:  # which have no text of streamed messages
        yield from find_torn(history, reader)
        yield from find_endless(history, reader)


def find_unfaithful_answers(history: RunHistory) -> Iterator[Violation]:
    """Yield posts with two answers that differ, with an altered answer, or with two answers that say "created"."""
    for key, answers in history.acknowledged.items():
        if len(set(answers)) > 1 or answers[0].key != key or answers[0].body != history.sent.get(key):
            yield Violation(ALTERED, "", (key, answers))
        if history.made[key] > 1:
            yield Violation(MADE_TWICE, "", key)


def find_lost(history: RunHistory, reader: str) -> Iterator[Violation]:
    """Yield messages that were acknowledged and never reached a member."""
    got = {receipt.message.key for receipt in history.received[reader]}
    seqs = seqs_by_conversation(history, reader)
    for key, (message, *_) in history.acknowledged.items():
        stays = history.stays[reader].get(message.conversation, ())
        if key not in got and any(is_owed(message.seq, stay, seqs[message.conversation]) for stay in stays):
            yield Violation(LOST, reader, message)


def find_repeated(history: RunHistory, reader: str) -> Iterator[Violation]:
    """Yield receipts whose position, number or post was received before."""
    seen: set[object] = set()
    for receipt in history.received[reader]:
        message = receipt.message
        marks = {receipt.position, (message.conversation, message.seq), message.key}
        if seen & marks:
            yield Violation(REPEATED, reader, receipt)
        seen |= marks


def find_reordered(history: RunHistory, reader: str) -> Iterator[Violation]:
    """Yield receipts after one with a later position or, in the same conversation, with a later number."""
    for earlier, later in pairwise(history.received[reader]):
        if later.position < earlier.position:
            yield Violation(REORDERED, reader, later)
    for receipts in by_conversation(history, reader).values():
        for earlier, later in pairwise(receipts):
            if later.message.seq < earlier.message.seq:
                yield Violation(REORDERED, reader, later)


def find_invented(history: RunHistory, reader: str) -> Iterator[Violation]:
    """Yield receipts of messages that no one posted."""
    for receipt in history.received[reader]:
        if receipt.message.key not in history.sent:
            yield Violation(INVENTED, reader, receipt)


def find_altered(history: RunHistory, reader: str) -> Iterator[Violation]:
    """Yield receipts whose text was not sent, or that differ from the message that the poster got."""
    for receipt in history.received[reader]:
        key, message = receipt.message.key, receipt.message
        told = history.acknowledged.get(key, [message])[0]
        if told != message or history.sent.get(key, message.body) != message.body:
            yield Violation(ALTERED, reader, receipt)


def find_overheard(history: RunHistory, reader: str) -> Iterator[Violation]:
    """Yield receipts from before the reader was added or after they were removed."""
    for receipt in history.received[reader]:
        if not is_member(history, reader, receipt.message.conversation, receipt.message.seq):
            yield Violation(OVERHEARD, reader, receipt)


def find_gaps(history: RunHistory, reader: str) -> Iterator[Violation]:
    """Yield the numbers of a conversation that a member skipped, counted from the first one of the stay."""
    for conversation, got in seqs_by_conversation(history, reader).items():
        for stay in history.stays[reader][conversation]:
            for seq in range(stay.first, last_received(stay, got) + 1):
                if seq not in got:
                    yield Violation(GAP, reader, (conversation, seq))


def find_torn(history: RunHistory, reader: str) -> Iterator[Violation]:
    """Yield streamed messages whose text is not the author's, character by character."""
    for place, got in history.texts[reader].items():
        wrong = list(got.wrong)
        if (written := history.written.get(place)) is None:
            yield Violation(INVENTED, reader, place)
            continue
        if not written.text.startswith(got.text):
            wrong.append(describe_difference(got.text, written.text))
        stored = history.texts[DATABASE].get(place)
        if stored is not None and got.state and stored.text != got.text:
            wrong.append(f"{len(got.text)} characters, and {len(stored.text)} are stored")
        yield from (Violation(TORN, reader, (place, what)) for what in wrong)
    for place, got in owed_texts(history, reader):
        written = history.written[place]
        if got.length < written.acknowledged or (written.state == "complete" and got.text != written.text):
            have, owed = got.length, len(written.text)
            yield Violation(TORN, reader, (place, f"{have} characters of {owed}, {written.acknowledged} acknowledged"))
        if written.state and got.state and got.state != written.state:
            yield Violation(TORN, reader, (place, f"ended as {got.state}, and its author ended it as {written.state}"))


def describe_difference(got: str, written: str) -> str:
    """Return where two texts differ first."""
    at = next((n for n, (one, two) in enumerate(zip(got, written, strict=False)) if one != two), len(written))
    return f"{got[at : at + 20]!r} at {at}, where the author wrote {written[at : at + 20]!r}"


def find_endless(history: RunHistory, reader: str) -> Iterator[Violation]:
    """Yield streamed messages that never ended: at the end of a run all have, of authors that died too."""
    for place, got in owed_texts(history, reader):
        if not got.state:
            yield Violation(ENDLESS, reader, place)


def owed_texts(history: RunHistory, reader: str) -> Iterator[tuple[Place, ReceivedText]]:
    """Yield what the reader has of each streamed message that was posted while they were, and still are, a member."""
    for place in history.written:
        stays = history.stays[reader].get(place[0], ())
        if any(stay.covers(place[1]) and stay.last is None for stay in stays):
            yield place, history.texts[reader].get(place) or ReceivedText()


def last_received(stay: MemberStay, got: set[int]) -> int:
    """Return the last number that the reader got of this stay, or after it began when it lasts; 0 for none."""
    return max(got, default=0) if stay.last is None else max((seq for seq in got if stay.covers(seq)), default=0)


def is_owed(seq: int, stay: MemberStay, got: set[int]) -> bool:
    """Return whether the reader must have received this message of the stay.

    Readers that are removed while they are disconnected get nothing more of the stay that has ended.
    """
    return stay.covers(seq) and (stay.last is None or seq < last_received(stay, got))


def is_member(history: RunHistory, reader: str, conversation: int, seq: int) -> bool:
    """Return whether the reader was a member when this message was posted."""
    return any(stay.covers(seq) for stay in history.stays[reader].get(conversation, ()))


def seqs_by_conversation(history: RunHistory, reader: str) -> dict[int, set[int]]:
    """Return the numbers that the reader got, conversation by conversation."""
    seqs: dict[int, set[int]] = defaultdict(set)
    for receipt in history.received[reader]:
        seqs[receipt.message.conversation].add(receipt.message.seq)
    return seqs


def by_conversation(history: RunHistory, reader: str) -> dict[int, list[PostReceipt]]:
    """Return the reader's receipts by conversation, in the order received."""
    receipts: dict[int, list[PostReceipt]] = defaultdict(list)
    for receipt in history.received[reader]:
        receipts[receipt.message.conversation].append(receipt)
    return receipts


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
