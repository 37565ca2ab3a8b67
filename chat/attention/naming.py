"""The names that a message mentions with `@`, before any account is looked up. Pure; time grows linearly with the text.

`@name` counts in any case, outside code and addresses, and where no letter or digit precedes the `@`, so that
ben@example.org mentions no one. Scripts without spaces between words may stand on either side.
"""

import re
from dataclasses import dataclass

from chat.attention.code import strip_code

EVERYONE = frozenset({"channel", "here"})
SPACED = "\u00aa\u00b5\u00ba\u00c0-\u0dff"  # letters of the scripts that put spaces between words
CALL = re.compile(rf"(?<![A-Za-z0-9_@+%{SPACED}-])@([A-Za-z0-9_.-]{{2,}}+)(?![@{SPACED}])")
NAME_MOST = 32
CALLS_MOST = 50
READINGS_MOST = 4  # of one call: at most 200 names of a message are looked up


@dataclass(frozen=True, slots=True)
class Naming:
    """The mentions of a message: for each, the names that it may mean, in lower case, the longest first."""

    calls: tuple[tuple[str, ...], ...] = ()
    channel: bool = False
    here: bool = False

    @property
    def empty(self) -> bool:
        """Whether there are no mentions."""
        return not (self.calls or self.channel or self.here)


NOBODY = Naming()


def find_naming(text: str) -> Naming:
    """Return the mentions in `text`: `@channel`, `@here`, and the first 50 other names, each once."""
    if "@" not in text:
        return NOBODY
    calls = dict.fromkeys(call[1].lower() for call in CALL.finditer(strip_code(text)))
    everyone: set[str] = set()
    people: list[tuple[str, ...]] = []
    for names in map(readings, calls):
        if found := EVERYONE.intersection(names):
            everyone |= found
        elif names and len(people) < CALLS_MOST:
            people.append(names)
    return Naming(tuple(people), "channel" in everyone, "here" in everyone)


def readings(call: str) -> tuple[str, ...]:
    """Return the names that `call` may mean, the longest first.

    Full stops and dashes at the end may belong to the name or to the sentence. Where more than a few of them follow,
    only the longest names and the one without any of them are kept.
    """
    least = max(len(call.rstrip("._-")), 2)
    ends = range(min(len(call), NAME_MOST), least - 1, -1)
    chosen = [*ends[: READINGS_MOST - 1], *ends[READINGS_MOST - 1 :][-1:]]
    return tuple(call[:end] for end in chosen)
