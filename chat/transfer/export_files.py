"""An export into a file that is whole or not there: until then it is `….part`, beside which stands how far it is."""

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import orjson

from chat.exchange.export.export import Export, Mark
from chat.exchange.export.person import person_lines
from chat.exchange.export.reader import Reader
from chat.exchange.trouble import OtherFile

Told = Callable[[int], None]  # how many messages more are written


class Draft:
    """The unfinished file; `what` is asked for says whether it may be gone on with."""

    def __init__(self, path: Path, what: str) -> None:
        self._path, self._what = path, what
        self._part, self._note = path.with_name(path.name + ".part"), path.with_name(path.name + ".part.json")
        self.mark, self.messages, self._size = Mark(), 0, 0
        if path.exists():
            raise OtherFile(path)
        if self._part.exists() and self._note.exists():
            self._go_on(orjson.loads(self._note.read_bytes()))

    def _go_on(self, noted: dict[str, object]) -> None:
        if noted["what"] != self._what:
            raise OtherFile(self._part)
        self.mark, self._size = Mark(**noted["mark"]), int(str(noted["size"]))  # type: ignore[arg-type]
        self.messages = int(str(noted["messages"]))

    def __enter__(self) -> "Draft":
        self._file = self._part.open("r+b" if self._size else "wb")
        self._file.truncate(self._size)
        self._file.seek(self._size)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        if kind is None:
            self._part.rename(self._path)
            self._note.unlink(missing_ok=True)

    def write(self, lines: bytes, messages: int, mark: Mark) -> None:
        """The lines, then how far they reach: a kill in between writes them once more, over the same bytes."""
        self._file.write(lines)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._size += len(lines)
        self.messages += messages
        self.mark = mark
        noted = {"what": self._what, "mark": asdict(mark), "size": self._size, "messages": self.messages}
        fresh = self._note.with_suffix(".new")
        fresh.write_bytes(orjson.dumps(noted))
        fresh.rename(self._note)


async def write_export(
    reader: Reader, path: Path, only: int | None, begin: Callable[[int, int], None], told: Told
) -> int:
    """Everything, or one conversation; how many messages it has. `begin` hears how many there will be and are."""
    export = Export(reader, only)
    with Draft(path, f"conversation {only}" if only else "everything") as draft:
        begin(await export.count(), draft.messages)
        async for piece in export.pieces(draft.mark):
            draft.write(piece.lines, piece.messages, piece.mark)
            told(piece.messages)
    return draft.messages


async def write_person(reader: Reader, path: Path, user_id: int, told: Told) -> int:
    """One person's own data."""
    path.with_name(path.name + ".part.json").unlink(missing_ok=True)  # little: it begins anew
    with Draft(path, f"person {user_id}") as draft:
        async for lines, messages in person_lines(reader, user_id):
            draft.write(lines, messages, Mark())
            told(messages)
    return draft.messages
