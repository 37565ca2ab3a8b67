"""A reaction: one person's emoji under one message. Pure."""

from dataclasses import asdict, dataclass

import orjson

from chat.log.entry import Unplaced

SHOWN = 100  # of the people who react alike; beyond them a message tells how many they are


@dataclass(frozen=True, slots=True)
class Reaction:
    """Its fields are those of its entry."""

    conversation: int
    seq: int
    emoji: str
    user: int

    def recorded(self, on: bool, count: int, shown: int | None = None) -> Unplaced:
        """What the log says. `count`: how many they are now; `shown`: who is shown now in place of this person."""
        more = {"count": count if count > SHOWN else None, "shown": shown}
        data = asdict(self) | {"on": on} | {name: value for name, value in more.items() if value}
        return Unplaced("reaction", self.conversation, data=orjson.dumps(data))

    def asked(self, **more: int) -> dict[str, object]:
        """For the queries."""
        return asdict(self) | {"most": SHOWN} | more


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody is number `place` (0: none) of the `count` who react alike; `waiting` is the first who is not shown."""

    place: int = 0
    count: int = 0
    waiting: int | None = None
