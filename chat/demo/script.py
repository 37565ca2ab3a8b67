"""The script of the demo: conversations, and who says what in them when, read from talk.txt. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, cast

# name → display name; the first one is an admin
PEOPLE = {
    "ana": "Ana Duarte",
    "ben": "Ben Okafor",
    "chloe": "Chloé Martin",
    "dmitri": "Дмитрий Волков",
    "emi": "Emi 佐藤",
    "farid": "فريد حداد",
    "grace": "Grace Lindqvist",
    "lena": "Lena Groß",
}
Kind = Literal["channel", "group", "direct"]
MORE = "    "  # how lines begin that go on with the message above
NAME = re.compile(r"\{([\w.-]+)\}")
CARRIED = re.compile(r"(?:\{[\w.-]+\})* ?")
WHEN = re.compile(r"(\d+) days? ago, (\d\d):(\d\d)|(\d+) minutes ago")


@dataclass(frozen=True, slots=True)
class Beginning:
    """When a talk began: at a time of day so many working days ago, or so many minutes ago."""

    days: int
    hour: int
    minute: int
    minutes_ago: int

    def moment(self, now: datetime) -> datetime:
        """The same in the past of `now`."""
        if not self.days:
            return now - timedelta(minutes=self.minutes_ago)
        day, left = now.replace(hour=self.hour, minute=self.minute, second=7, microsecond=0), self.days
        while left:
            day -= timedelta(days=1)
            left -= day.weekday() < 5
        return day


@dataclass(slots=True)
class Line:
    """`after`: seconds since the talk began; `files`: the names of those that it carries."""

    who: str
    what: str
    beginning: Beginning
    after: int
    files: tuple[str, ...] = ()

    def moment(self, now: datetime) -> datetime:
        """When it was said."""
        return self.beginning.moment(now) + timedelta(seconds=self.after)


@dataclass(slots=True)
class Scene:
    """One conversation; the first of `people` begins it."""

    kind: Kind
    private: bool
    name: str | None
    topic: str
    people: list[str]
    lines: list[Line] = field(default_factory=list)

    def read_already(self) -> int:
        """How many of its lines everybody has read: those of the days before."""
        return sum(1 for line in self.lines if line.beginning.days)


def read_scenes(text: str) -> list[Scene]:
    """All of them, in order."""
    scenes: list[Scene] = []
    for mark, rest in split_lines(text):
        if mark == "==":
            scenes.append(read_heading(rest))
        elif mark == "--":
            beginning, after = read_beginning(rest), 0
        else:
            what, files = read_files(rest)
            scenes[-1].lines.append(Line(mark, what, beginning, after, files))
            after += pause_after(what)
    return scenes


def read_files(text: str) -> tuple[str, tuple[str, ...]]:
    """`{a.png}{b.csv} look` → what is said, and the names."""
    carried = CARRIED.match(text)
    assert carried is not None
    return text[carried.end() :], tuple(NAME.findall(carried[0]))


def split_lines(text: str) -> Iterator[tuple[str, str]]:
    """`(==, heading)`, `(--, time)` or `(name, message)`, without comments, with what goes on put together."""
    kept = "\n".join(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    for whole in re.split(r"\n(?!" + MORE + ")", kept):
        mark, _, rest = whole.replace("\n" + MORE, "\n").partition(" ")
        yield mark.removesuffix(":"), rest


def read_heading(heading: str) -> Scene:
    """`channel general > What it is for: ana, ben`."""
    what, _, people = heading.rpartition(": ")
    what, _, topic = what.partition(" > ")
    kind, _, name = what.partition(" ")
    everybody = list(PEOPLE) if people == "all" else people.split(", ")
    private = kind == "private"
    return Scene(cast(Kind, "channel" if private else kind), private, name or None, topic, everybody)


def read_beginning(text: str) -> Beginning:
    """`3 days ago, 09:12` or `20 minutes ago`; raises `ValueError`."""
    if not (match := WHEN.fullmatch(text)):
        raise ValueError(f"no time: {text}")
    return Beginning(*(int(number or 0) for number in match.groups()))


def pause_after(what: str) -> int:
    """How long it takes until somebody has read it and answered, in seconds; always the same for the same words."""
    return 12 + len(what) // 5 + sum(what.encode()) % 50
