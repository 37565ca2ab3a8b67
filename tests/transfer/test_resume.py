"""A killed import or export continues where it stopped; bad lines stop nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chat.transfer.errors import FileTaken, TransferError
from chat.transfer.export_files import PartialExport
from chat.transfer.exporter import ExportMark
from chat.transfer.importer import Importer
from tests.transfer.files import big, exports, imports, write_lines
from tests.transfer.million import import_all, lines


class Killed(Exception):
    """Stands for a kill."""


async def test_a_killed_import_continues(
    elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each commit stores the progress, and imported records are not read again."""
    monkeypatch.setattr("chat.transfer.importer.GROUP", 100)
    file = write_lines(tmp_path / "big.jsonl", *big(1_000))
    groups_taken = 0
    take = Importer._import_group

    async def die(self: Importer, group: Any, at: int) -> int:
        nonlocal groups_taken
        groups_taken += 1
        if groups_taken == 5:
            raise Killed
        return await take(self, group, at)

    monkeypatch.setattr(Importer, "_import_group", die)
    with pytest.raises(Killed):
        await imports(elsewhere, file)
    capsys.readouterr()
    assert await imports(elsewhere, file) == 0
    assert groups_taken == 5 + 7  # four of eleven were imported
    assert capsys.readouterr().out == "602 new, 398 known, 0 invalid\n"
    lines = await exports(elsewhere, tmp_path / "out.jsonl")
    assert [line["body"] for line in lines if line["type"] == "message"] == [f"line {n}" for n in range(1_000)]


async def test_a_killed_export_continues(elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill leaves a part with its progress, perhaps with half a line; the file appears when it is complete."""
    assert await imports(elsewhere, write_lines(tmp_path / "big.jsonl", *big(500))) == 0
    monkeypatch.setattr("chat.transfer.exporter.PAGE", 100)
    whole = await exports(elsewhere, tmp_path / "whole.jsonl")
    monkeypatch.setattr(PartialExport, "write", dying(PartialExport.write, 7))
    out = tmp_path / "out.jsonl"
    with pytest.raises(Killed):
        await exports(elsewhere, out)
    assert not out.exists()
    with pytest.raises(FileTaken):
        await exports(elsewhere, out, conversation="long")
    assert await exports(elsewhere, out) == whole
    assert not out.with_name("out.jsonl.part").exists()
    with pytest.raises(FileTaken):
        await exports(elsewhere, out)


def dying(write: Callable[..., None], at: int) -> Callable[..., None]:
    """Fail after so many pieces are written; of the last one half is written, without the progress."""
    pieces = 0

    def die(self: PartialExport, lines: bytes, messages: int, mark: ExportMark) -> None:
        nonlocal pieces
        pieces += 1
        if pieces == at:
            self._file.write(lines[: len(lines) // 2])
            raise Killed
        write(self, lines, messages, mark)

    return die


async def test_bad_lines_are_named_and_touch_no_others(
    elsewhere: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad lines are reported with file and number; the rest is imported, and the exit code says that some lines
    failed."""
    lines = big(3)
    lines[3] |= {"body": "", "files": [{"id": 1, "name": "plan.pdf", "size": 9}]}
    bad = [b"{not json", {"type": "message", "conversation": 8}, {"type": "wish"}, b"x" * 2**25]
    stray = lines[3] | {"conversation": 8}
    nul = [
        {"files": [{"name": "a\0b", "size": 1}]},
        {"reactions": [{"emoji": "\0", "users": ["ana"]}]},
        {"body": "a\0b"},
    ]
    bad += [lines[3] | one for one in nul]
    assert await imports(elsewhere, write_lines(tmp_path / "bad.jsonl", *lines[:4], *bad, stray, *lines[4:])) == 1
    told = capsys.readouterr()
    assert told.out == "3 new, 0 known, 8 invalid\n"
    wrong = [line.split(": ")[0] for line in told.err.splitlines() if line.startswith("bad.jsonl:")]
    assert wrong == [f"bad.jsonl:{number}" for number in range(5, 13)]


async def test_a_newer_version_is_refused(elsewhere: str, tmp_path: Path) -> None:
    """The file is refused before anything is read."""
    lines = big(1)
    with pytest.raises(TransferError, match="version"):
        await imports(elsewhere, write_lines(tmp_path / "new.jsonl", lines[0] | {"version": 99}, *lines[1:]))


def test_a_large_import_is_killed_and_continued(elsewhere: str, tmp_path: Path) -> None:
    """The short form of `python -m tests.transfer.million`: a kill, nothing twice, in the order of time, with little
    memory."""
    file = tmp_path / "mm.jsonl"
    file.write_bytes(b"\n".join(lines(4_000)))
    assert import_all(elsewhere, file, 4_000, kills=1) == 0
