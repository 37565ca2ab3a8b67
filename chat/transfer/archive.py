"""An archive: a ZIP of which nothing is unpacked onto the disk, and no more read than its size can honestly hold."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from chat.transfer.errors import BadArchive

FILE_MOST = 512 * 1024 * 1024
RATIO_MOST = 200  # JSON shrinks to a tenth or a twentieth
FREE = 16 * 1024 * 1024  # so much may any archive hold


class Archive:
    """The files in it by their paths; raises `BadArchive` before anything is read. `told` hears of bytes read."""

    def __init__(self, path: Path, told: Callable[[int], object] = int) -> None:
        self.path, self.told = path, told
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError) as wrong:
            raise BadArchive(path, f"it cannot be read ({wrong})") from None
        self._infos = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}
        for name, info in self._infos.items():
            self._check(name, info)

    def _check(self, name: str, info: zipfile.ZipInfo) -> None:
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise BadArchive(self.path, f"its file {name!r} climbs out of it")
        if info.flag_bits & 1:
            raise BadArchive(self.path, f"its file {name!r} is encrypted")
        if path.suffix in (".json", ".jsonl") and (
            info.file_size > FILE_MOST or info.file_size > FREE + RATIO_MOST * info.compress_size
        ):
            raise BadArchive(self.path, f"its file {name!r} would unpack to {info.file_size:,} bytes")

    @property
    def size(self) -> int:
        """Of all that is read."""
        return sum(info.file_size for name, info in self._infos.items() if name.endswith((".json", ".jsonl")))

    def names(self) -> list[str]:
        """Of all files, sorted."""
        return sorted(self._infos)

    def read(self, name: str) -> bytes:
        """A whole file; empty when there is none. Raises `BadArchive`."""
        if name not in self._infos:
            return b""
        try:
            content = self._zip.read(name)
        except (zipfile.BadZipFile, zlib.error, EOFError) as wrong:
            raise BadArchive(self.path, f"its file {name!r} is damaged ({wrong})") from None
        self.told(len(content))
        return content

    def open(self, name: str) -> IO[bytes]:
        """A file to be read bit by bit."""
        return self._zip.open(name)

    def under(self, folder: str) -> Iterator[str]:
        """The paths of the files right in it, sorted."""
        return (name for name in self.names() if name.rpartition("/")[0] == folder)


# Lines: a file of JSON, one thing a line, with the place of each; what is too long for one is read past.

LINE_MOST = 16 * 1024 * 1024
BOM = b"\xef\xbb\xbf"


def read_lines(file: IO[bytes], told: Callable[[int], None], most: int = LINE_MOST) -> Iterator[tuple[int, bytes]]:
    """`(number, line)`, numbers from 1, empty ones left out; of one that is too long only its beginning.

    `told` hears how many bytes each has in the file.
    """
    number = 0
    while raw := file.readline(most):
        number += 1
        size, rest = len(raw), raw
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(most)
            size += len(rest)
        told(size)
        if raw.strip():
            yield number, raw.removeprefix(BOM) if number == 1 else raw
