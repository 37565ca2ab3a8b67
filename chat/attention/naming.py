"""Naming: whom a text calls with an `@`, before anybody looks whether there are such people. Pure.

A name is called by `@name` in any case, outside of code and addresses, and where no letter or digit stands before the
`@`, so that ben@example.org calls nobody. Scripts that put no space between words may stand on either side.
"""

import re
from dataclasses import dataclass

from chat.attention.code import strip_code

EVERYONE = frozenset({"channel", "here"})
SPACED = "\u00aa\u00b5\u00ba\u00c0-\u0dff"  # letters of the scripts that put spaces between words
CALL = re.compile(rf"(?<![A-Za-z0-9_@+%{SPACED}-])@([A-Za-z0-9_.-]{{2,}}+)(?![@{SPACED}])")
NAME_MOST = 32
CALLS_MOST = 50


@dataclass(frozen=True, slots=True)
class Naming:
    """Each call as the names that it may mean, in lower case, the likeliest first; and whether it calls everyone."""

    calls: tuple[tuple[str, ...], ...] = ()
    channel: bool = False
    here: bool = False

    @property
    def empty(self) -> bool:
        """Nobody is called."""
        return not (self.calls or self.channel or self.here)


NOBODY = Naming()


def find_naming(text: str) -> Naming:
    """Whom `text` calls: `@channel`, `@here`, and the first 50 others, each once."""
    if "@" not in text:
        return NOBODY
    calls = dict.fromkeys(call[1].lower() for call in CALL.finditer(strip_code(text)))
    meant = [readings(call) for call in calls]
    everyone = {name for names in meant for name in names if name in EVERYONE}
    people = [names for names in meant if names and not EVERYONE.intersection(names)]
    return Naming(tuple(people[:CALLS_MOST]), "channel" in everyone, "here" in everyone)


def readings(call: str) -> tuple[str, ...]:
    """The call itself, then without the full stops and dashes at its end: they may be the sentence's."""
    name = call.rstrip("._-")
    ends = range(len(call), max(len(name), 2) - 1, -1)
    return tuple(call[:end] for end in ends if end <= NAME_MOST)
