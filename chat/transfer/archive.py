"""Untrusted archives and line files: a ZIP is never unpacked to disk, and no more is read than its size can hold."""

import contextlib
import gzip
import hashlib
import io
import json
import os
import re
import tarfile
import tempfile
import unicodedata
import weakref
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol

from chat.transfer.errors import BadArchive
from chat.transfer.text import digest, parse, repair

MAX_FILE = 512 * 1024 * 1024
MAX_RATIO = 200  # JSON is compressed to a tenth or a twentieth
ALWAYS_ALLOWED = 16 * 1024 * 1024  # bytes, whatever the ratio
MAX_PIECE = 1024 * 1024  # bytes of a tar archive that are unpacked at once
MAX_DEPTH = 3  # folders around everything else
NAMES_ARE_UTF8 = 0x800
DRIVE = re.compile(r"[A-Za-z]:(?:/|$)")
LEFT_BY_SYSTEMS = re.compile(r"(?:^|/)(?:__MACOSX/|\.git/|(?:\.DS_Store|\._[^/]*|Thumbs\.db|desktop\.ini)$)")


class FileArchive(Protocol):
    """Whatever has the bytes of files by their paths."""

    def size_of(self, name: str) -> int | None:
        """Return the size of a file in bytes, or None if it is missing."""

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading in pieces."""


class Archive:
    """The files of a ZIP, or of an unpacked one, by path. `progress` gets the sizes of reads.

    A folder that contains everything is left out of the paths, and so are files that operating systems add. `folder`:
    the path of the folder around all files, or the name of the ZIP. Raise `BadArchive` for an unsafe archive.
    """

    def __init__(self, path: Path, progress: Callable[[int], object] = int) -> None:
        self.path, self.progress = path, progress
        self._files: dict[str, zipfile.ZipInfo | Path] = {}
        found: dict[str, zipfile.ZipInfo | Path] = {}
        found |= dict(files_below(path)) if path.is_dir() else dict(self._open_zip())
        depth = wrapping(list(found))
        outer = path.absolute().as_posix() if path.is_dir() else path.stem
        self.folder = "/".join((outer, *next(iter(found), "").split("/")[:depth]))
        self._files = {"/".join(name.split("/")[depth:]): file for name, file in found.items()}
        self._folders: dict[str, list[str]] = {}
        for name in sorted(self._files):
            self._folders.setdefault(name.rpartition("/")[0], []).append(name)

    def _open_zip(self) -> Iterator[tuple[str, zipfile.ZipInfo]]:
        try:
            self._zip = zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise BadArchive(self.path, f"it cannot be read ({error})") from None
        for info in self._zip.infolist():
            name = name_of(info)
            self._check(name, info)
            if not info.is_dir() and not LEFT_BY_SYSTEMS.search(name):
                yield name, info

    def _check(self, name: str, info: zipfile.ZipInfo) -> None:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or DRIVE.match(name):
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
        return sum(self.size_of(name) or 0 for name in self._files if name.endswith((".json", ".jsonl")))

    @property
    def fingerprint(self) -> str:
        """Return the same text for the same files: a digest of their names and sizes."""
        listed = "\0".join(f"{name}\0{self.size_of(name)}" for name in self.names())
        return hashlib.sha256(listed.encode("utf-8", "replace")).hexdigest()[:40]

    def size_of(self, name: str) -> int | None:
        """Return the size of a file in bytes, or None if it is missing."""
        file = self._files.get(name)
        return file.stat().st_size if isinstance(file, Path) else file.file_size if file else None

    def names(self) -> list[str]:
        """Return the paths of all files, sorted."""
        return sorted(self._files)

    def read(self, name: str) -> bytes:
        """Return the content of a file, or nothing if it is missing. Raise `BadArchive`."""
        if name not in self._files:
            return b""
        try:
            with self.open(name) as file:
                content = file.read(MAX_FILE + 1)
        except (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, OSError) as error:
            raise BadArchive(self.path, f"its file {name!r} is damaged ({error})") from None
        if len(content) > MAX_FILE:
            raise BadArchive(self.path, f"its file {name!r} has more than {MAX_FILE:,} bytes")
        self.progress(len(content))
        return content

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading in pieces."""
        file = self._files[name]
        return file.open("rb") if isinstance(file, Path) else self._zip.open(file)

    def under(self, folder: str) -> list[str]:
        """Return the paths of the files directly in a folder, sorted."""
        return self._folders.get(unicodedata.normalize("NFC", folder), [])

    def folders(self) -> list[str]:
        """Return the paths of all folders that have files of their own, sorted."""
        return sorted(self._folders)


def name_of(info: zipfile.ZipInfo) -> str:
    """Return the path of a file. Slack and others write UTF-8 without saying so; `zipfile` then reads code page 437."""
    name = info.filename
    if not info.flag_bits & NAMES_ARE_UTF8:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name.replace("\\", "/").removeprefix("./"))


def files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the path and place of each file in a folder. Links are not followed."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            place = Path(parent) / name
            path = unicodedata.normalize("NFC", place.relative_to(folder).as_posix())
            if place.is_file() and not place.is_symlink() and not LEFT_BY_SYSTEMS.search(path):
                yield path, place


def wrapping(names: list[str]) -> int:
    """Return how many folders, each in the one before it, contain all files. A re-zipped export has one."""
    folders = [name.split("/")[:-1] for name in names]
    depth = 0
    while depth < MAX_DEPTH and len({tuple(parts[: depth + 1]) for parts in folders}) == 1 and len(folders[0]) > depth:
        depth += 1
    return depth


# Archives of `tar` and `gzip`.


class TarArchive:
    """The files of a `.tar.gz` by path, in the shape of `Archive`. Raise `BadArchive` for an unsafe one.

    It is decompressed once into a file without a name, so that its files can be read in any order. Links and devices
    are left out, and so is the folder around everything.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        most = ALWAYS_ALLOWED + MAX_RATIO * path.stat().st_size
        with tempfile.TemporaryFile() as tar:
            try:
                with gzip.open(path) as packed:
                    while piece := packed.read(MAX_PIECE):
                        tar.write(piece)
                        if tar.tell() > most:
                            raise BadArchive(path, f"it would unpack to more than {most:,} bytes")
                tar.seek(0)
                with tarfile.open(fileobj=tar) as listed:
                    found = {self._path_of(one.name): one for one in listed if one.isreg() and not one.issparse()}
            except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
                raise BadArchive(path, f"it cannot be read ({error})") from None
            self.descriptor = os.dup(tar.fileno())
        weakref.finalize(self, os.close, self.descriptor)
        tops = {name.partition("/")[0] for name in found}
        inside = len(tops) == 1 and all("/" in name for name in found)
        self._files = {name.partition("/")[2] if inside else name: one for name, one in found.items()}
        self.folder = next(iter(tops)) if inside else path.stem

    def _path_of(self, name: str) -> str:
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise BadArchive(self.path, f"its file {name!r} has a path outside of the archive")
        return str(path)

    @property
    def fingerprint(self) -> str:
        """Return the same text for the same files: a digest of their names and sizes."""
        return digest(*(f"{name} {self.size_of(name)}" for name in self.names()))

    def names(self) -> list[str]:
        """Return the paths of all files, sorted."""
        return sorted(self._files)

    def size_of(self, name: str) -> int | None:
        """Return the size of a file in bytes, or None if it is missing."""
        return self._files[name].size if name in self._files else None

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading in pieces."""
        return io.BufferedReader(TarMember(self, self._files[name]))


class TarMember(io.RawIOBase):
    """A file of a tar archive. Several may be read at once."""

    def __init__(self, archive: TarArchive, info: tarfile.TarInfo) -> None:
        self._archive, self._at, self._end = archive, info.offset_data, info.offset_data + info.size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = os.pread(self._archive.descriptor, min(len(buffer), self._end - self._at), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


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


# Files with one JSON list.

BETWEEN = re.compile(r"(?<=\})\s*,\s*(?=\{)")
SPACE = re.compile(r"[\s,]*")


def read_list(content: bytes) -> tuple[list[Any], list[tuple[int, str]]]:
    """Return the entries of a JSON list, and the line and reason of each place that cannot be read.

    Entries before and after such a place are read. The time is linear in the size.
    """
    try:
        found = parse(content or b"[]")
        return (found, []) if isinstance(found, list) else ([], [(1, "is not a list")])
    except ValueError:
        text = content.decode("utf-8-sig", "replace")
    entries: list[Any] = []
    errors: list[tuple[int, str]] = []
    decoder, at, line, counted = json.JSONDecoder(), text.find("[") + 1, 1, 0
    while (at := skip(text, at)) < len(text) and text[at] != "]":
        try:
            value, at = decoder.raw_decode(text, at)
            entries.append(repair(value))
        except (json.JSONDecodeError, RecursionError) as error:
            wrong = error.pos if isinstance(error, json.JSONDecodeError) else at
            line, counted = line + text.count("\n", counted, wrong), wrong
            errors.append((line, error.msg if isinstance(error, json.JSONDecodeError) else "is nested too deeply"))
            if (further := BETWEEN.search(text, max(wrong, at + 1))) is None:
                break
            at = further.end()
    return entries, errors


def line_of(content: bytes, number: int) -> int:
    """Return the line of an entry of a JSON list. Slow, and only used to name places."""
    text = content.decode("utf-8-sig", "replace")
    decoder, at = json.JSONDecoder(), text.index("[") + 1
    for _ in range(number):
        at = decoder.raw_decode(text, skip(text, at))[1]
    return text.count("\n", 0, skip(text, at)) + 1


def skip(text: str, at: int) -> int:
    """Return the start of the next entry."""
    found = SPACE.match(text, at)
    return found.end() if found else at
