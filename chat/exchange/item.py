"""Items: what a source has, one after the other: records, and what cannot become any. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import ValidationError

from chat.exchange.record import Conversation, Message, Pin, Record, User

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that is none, with its file and number."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Aside:
    """Something that has no place in Tandem; only counted."""

    what: str


Item = Record | Fault | Aside


@dataclass
class Tally:
    """What was in the source, and what has become of it. `faults`: the first of them, as far as they are shown."""

    counts: Counter[str] = field(default_factory=Counter)
    asides: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    bad: int = 0
    new: int = 0
    known: int = 0

    def take(self, item: Item) -> Record | None:
        """Count it; the record, if it is one."""
        match item:
            case Fault():
                self.bad += 1
                self.faults += [item] if self.bad <= SHOWN else []
                return None
            case Aside():
                self.asides[item.what] += 1
                return None
        self.counts.update(parts_of(item))
        return item

    def __str__(self) -> str:
        return f"{self.new:,} new, {self.known:,} known, {self.bad:,} refused"


def parts_of(record: Record) -> Iterable[str]:
    """What it counts as."""
    match record:
        case Message():
            yield "messages"
            yield from ["replies in threads"] if record.thread else []
            yield from ["edited"] if record.edited_at else []
            yield from ["deleted"] if record.deleted_at else []
            yield from ["reactions"] * sum(len(one.users) for one in record.reactions)
        case User():
            yield "people"
        case Conversation():
            yield "conversations"
        case Pin():
            yield "pins"


def explain(wrong: ValidationError) -> str:
    """Which fields are wrong, and why, in one line."""
    faults = wrong.errors(include_url=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'line'}: {one['msg']}" for one in faults)
