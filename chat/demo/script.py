"""The script of the demo: conversations and who says what in them, read from talk.txt. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class Scene:
    """One conversation; the first of `people` begins it."""

    kind: Kind
    name: str | None
    topic: str
    people: list[str]
    lines: list[tuple[str, str]] = field(default_factory=list)


def read_scenes(text: str) -> list[Scene]:
    """All of them, in order."""
    scenes: list[Scene] = []
    for line in meaningful(text.splitlines()):
        if line.startswith("== "):
            scenes.append(read_heading(line.removeprefix("== ")))
        else:
            who, _, what = line.partition(": ")
            scenes[-1].lines.append((who, what.replace("|", "\n")))
    return scenes


def meaningful(lines: Iterable[str]) -> Iterator[str]:
    """What is neither empty nor a comment."""
    return (line for line in lines if line.strip() and not line.startswith("#"))


def read_heading(heading: str) -> Scene:
    """`channel general > What it is for: ana, ben`."""
    what, _, people = heading.rpartition(": ")
    what, _, topic = what.partition(" > ")
    kind, _, name = what.partition(" ")
    everybody = list(PEOPLE) if people == "all" else people.split(", ")
    return Scene(cast(Kind, kind), name or None, topic, everybody)
