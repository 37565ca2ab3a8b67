"""Untrusted archives and line files: a ZIP is never unpacked to disk, and no more is read than its size can hold."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from chat.transfer.errors import BadArchive

MAX_FILE = 512 * 1024 * 1024
MAX_RATIO = 200  # JSON is compressed to a tenth or a twentieth
ALWAYS_ALLOWED = 16 * 1024 * 1024  # bytes, whatever the ratio


class Archive:
    """The files of a ZIP by path. Raise `BadArchive` for an unsafe one. `progress` gets the sizes of reads."""

    def __init__(self, path: Path, progress: Callable[[int], object] = int) -> None:
        self.path, self.progress = path, progress
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise BadArchive(path, f"it cannot be read ({error})") from None
        self._infos = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}
        for name, info in self._infos.items():
            self._check(name, info)

    def _check(self, name: str, info: zipfile.ZipInfo) -> None:
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise BadArchive(self.path, f"its file {name!r} has a path outside of the archive")
        if info.flag_bits & 1:
            raise BadArchive(self.path, f"its file {name!r} is encrypted")
        if path.suffix in (".json", ".jsonl") and (
            info.file_size > MAX_FILE or info.file_size > ALWAYS_ALLOWED + MAX_RATIO * info.compress_size
        ):
            raise BadArchive(self.path, f"its file {name!r} would unpack to {info.file_size:,} bytes")

    @property
    def size(self) -> int:
        """Return the size of all files that are read."""
        return sum(info.file_size for name, info in self._infos.items() if name.endswith((".json", ".jsonl")))

    def names(self) -> list[str]:
        """Return the paths of all files, sorted."""
        return sorted(self._infos)

    def read(self, name: str) -> bytes:
        """Return the content of a file, or nothing if it is missing. Raise `BadArchive`."""
        if name not in self._infos:
            return b""
        try:
            content = self._zip.read(name)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise BadArchive(self.path, f"its file {name!r} is damaged ({error})") from None
        self.progress(len(content))
        return content

    def size_of(self, name: str) -> int | None:
        """Return the size of a file, or None if it is missing."""
        info = self._infos.get(name)
        return info.file_size if info else None

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading in pieces."""
        return self._zip.open(name)

    def under(self, folder: str) -> Iterator[str]:
        """Return the paths of the files directly in a folder, sorted."""
        return (name for name in self.names() if name.rpartition("/")[0] == folder)


# Files with one JSON value per line.

MAX_LINE = 16 * 1024 * 1024
BOM = b"\xef\xbb\xbf"


def read_lines(file: IO[bytes], progress: Callable[[int], None], most: int = MAX_LINE) -> Iterator[tuple[int, bytes]]:
    """Yield `(number, line)`, counted from 1, without empty lines. Of a line that is too long, only its start.

    `progress` gets the size of each line in the file.
    """
    number = 0
    while raw := file.readline(most):
        number += 1
        size, rest = len(raw), raw
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(most)
            size += len(rest)
        progress(size)
        if raw.strip():
            yield number, raw.removeprefix(BOM) if number == 1 else raw
