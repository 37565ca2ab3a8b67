"""The newest entries, kept once for the whole node: a reader whose cursor they reach back to needs no page.

This is what lets replay meet live under load: pages are read with an `await`, and by then the log has gone on; the
last steps are taken from here, without one. Bounded in bytes, whatever the number of readers.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from chat.log.entry import Entry
from chat.log.redaction import tells_deletion, without_name

OVERHEAD = 200  # bytes that an entry takes beside its frame


class Recent:
    """Entries without holes, the last one at `position`."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._entries: deque[Entry] = deque()
        self.position = 0

    def start_over(self, position: int) -> None:
        """Know nothing before `position`."""
        self._entries.clear()
        self._size, self.position = 0, position

    def add(self, entries: Sequence[Entry]) -> None:
        """The next entries; the oldest are let go as far as the limit asks."""
        for entry in entries:
            if tells_deletion(entry):
                self._forget_name(entry.subject or 0)
        self._entries.extend(entries)
        self._size += sum(len(entry.frame) + OVERHEAD for entry in entries)
        self.position = entries[-1].position
        while self._size > self._limit and self._entries:
            self._size -= len(self._entries.popleft().frame) + OVERHEAD

    def _forget_name(self, user_id: int) -> None:
        """Take the name of a deleted account out of the entries from before; the log does so in the background."""
        for n, entry in enumerate(self._entries):
            if entry.kind == "user" and entry.subject == user_id and entry.frame:
                self._entries[n] = entry._replace(frame=without_name(entry.frame, user_id))

    def reaches(self, position: int) -> bool:
        """Are all entries after `position`, up to our own, still here?"""
        return position >= self.position - len(self._entries)

    def after(self, position: int) -> Iterable[Entry]:
        """The entries after `position`; ask `reaches` first."""
        known = len(self._entries)
        return islice(self._entries, max(0, known - (self.position - position)), known)
