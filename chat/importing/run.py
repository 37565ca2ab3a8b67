"""The import itself: batch by batch, in the order of the file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chat.importing.batches import read_batches
from chat.importing.line import Line
from chat.importing.places import Place, Places
from chat.importing.server import Server
from chat.importing.trouble import NoPlace, ServerAway
from chat.messages.message import format_time

TRIES = 20
PAUSE = 1.0


@dataclass
class Tally:
    """What has become of the lines. `refused`: number and reason of the first ones, as far as they are shown."""

    new: int = 0
    known: int = 0
    bad: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, number: int, reason: str) -> None:
        """Count it."""
        self.bad += 1
        if len(self.refused) < 20:
            self.refused.append((number, reason))


class Import:
    """`into` names the channel of lines that name none; `wait` sleeps."""

    def __init__(self, server: Server, into: str | None, private: bool, wait: Callable[[float], None]) -> None:
        self._server, self._into, self._wait = server, into, wait
        self._places = Places(server, private)
        self.tally = Tally()

    def run(self, path: Path, told: Callable[[int], None]) -> None:
        """All lines; `told` hears how many bytes are done after each batch. Raises `ImportTrouble`."""
        for batch in read_batches(path):
            for line in batch:
                if line.said is None:
                    self.tally.refuse(line.number, line.fault)
            self._post([line for line in batch if line.said is not None])
            told(sum(line.size for line in batch))
        self._places.mark_read()

    def _post(self, lines: Sequence[Line]) -> None:
        """What the server has no room for is sent again, in order; the rest has its answer."""
        places = self._seat_authors(lines)
        for _ in range(TRIES):
            if not lines:
                return
            drafts = [to_draft(line, places[self._name(line)]) for line in lines]
            results = self._server.call("POST", "/api/chat/messages", {"messages": drafts})["results"]
            lines = [line for line, result in zip(lines, results, strict=True) if self._is_busy(line, result)]
            if lines:
                self._wait(PAUSE)
        raise ServerAway("The server", "it takes no more messages")

    def _is_busy(self, line: Line, result: dict[str, Any]) -> bool:
        match result["status"]:
            case 201:
                self.tally.new += 1
            case 200:
                self.tally.known += 1
            case 503:
                return True
            case _:
                problem = result["problem"]
                self.tally.refuse(line.number, f"{problem['detail']} {problem.get('errors', '')}".strip())
        return False

    def _seat_authors(self, lines: Sequence[Line]) -> dict[str, Place]:
        authors: dict[str, list[str]] = {}
        for line in lines:
            if line.said is not None:
                authors.setdefault(self._name(line), []).append(line.said.author)
        places = {name: self._places.find(name) for name in authors}
        for name, place in places.items():
            place.bring(authors[name])
        return places

    def _name(self, line: Line) -> str:
        name = (line.said and line.said.conversation) or self._into
        if name is None:
            raise NoPlace(line.number)
        return name


def to_draft(line: Line, place: Place) -> dict[str, object]:
    """The line as the batch endpoint takes it."""
    assert line.said is not None
    draft: dict[str, object] = {
        "conversation": place.id,
        "author": place.authors[line.said.author],
        "body": line.said.body,
        "client_id": line.client_id,
    }
    return draft | ({"created_at": format_time(line.said.at)} if line.said.at else {})
