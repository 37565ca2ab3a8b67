"""A source: a file with a chat in it, recognised by what it holds and not by its name."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import orjson
from pydantic import ValidationError

from chat.exchange.archive import Archive
from chat.exchange.item import Item, explain
from chat.exchange.mattermost.server import Server
from chat.exchange.own import read_own
from chat.exchange.plain import Plain
from chat.exchange.record import Head
from chat.exchange.slack.workspace import Workspace
from chat.exchange.trouble import NewerVersion, NotAChat, UnknownFile

ZIP = b"PK\x03\x04"
FIRST_MOST = 1024 * 1024
Told = Callable[[int], None]
Read = Callable[[Told], Iterator[Item]]


@dataclass(frozen=True, slots=True)
class Source:
    """`origin` names where it comes from, before the keys of its conversations; None: they are found by their names.

    `exact`: it says itself who has read what and who follows; else all of it counts as read. `size`: of its bytes, of
    which the function given to `read` is told. `print`: the same for the same file.
    """

    kind: str
    origin: str | None
    exact: bool
    size: int
    print: str
    read: Read


def open_source(path: Path, into: str | None, private: bool) -> Source:
    """Raises `UnknownFile`, `BadArchive`, `NewerVersion`, `NotAChat`."""
    with path.open("rb") as file:
        begin = file.read(4)
    return open_archive(path) if begin == ZIP else open_lines(path, into, private)


def open_archive(path: Path) -> Source:
    """Slack's, or Mattermost's lines beside its files."""
    archive = Archive(path)
    lines = [name for name in archive.names() if name.endswith(".jsonl") and "/" not in name]
    if len(lines) == 1:
        read = partial(read_mattermost, lambda: archive.open(lines[0]), f"{path.name}/{lines[0]}")
        return Source("Mattermost", "mattermost", False, archive.size, print_of(path), read)
    if "users.json" in archive.names():
        team = Workspace(archive).team
        return Source("Slack", f"slack:{team}", False, archive.size, print_of(path), partial(read_slack, path))
    raise UnknownFile(path)


def read_slack(path: Path, told: Told) -> Iterator[Item]:
    """The archive's items."""
    return Workspace(Archive(path, told)).read()


def read_mattermost(opened: Callable[[], IO[bytes]], name: str, told: Told) -> Iterator[Item]:
    """The lines' items."""
    with closing(opened()) as file:
        yield from Server().read(file, name, told)


def open_lines(path: Path, into: str | None, private: bool) -> Source:
    """By its first line, or the first that can be read as one: a file may begin with a broken one."""
    size, shape = path.stat().st_size, print_of(path)
    match first_line(path):
        case {"type": "tandem"} as head:
            return Source("Tandem", check_head(path, head), True, size, shape, partial(read_file, path, read_own))
        case {"type": "version"}:
            read = partial(read_mattermost, lambda: path.open("rb"), path.name)
            return Source("Mattermost", "mattermost", False, size, shape, read)
        case {"author": _} | {"body": _}:
            plain = partial(read_plain, path, into, private)
            return Source("lines", None, False, size, f"{shape}:{into}", plain)
    raise UnknownFile(path)


def read_plain(path: Path, into: str | None, private: bool, told: Told) -> Iterator[Item]:
    """Plain lines' items."""
    return read_file(path, Plain(into, private).read, told)


def read_file(path: Path, read: Callable[[IO[bytes], str, Told], Iterator[Item]], told: Told) -> Iterator[Item]:
    """The items of a file of lines."""
    with path.open("rb") as file:
        yield from read(file, path.name, told)


def first_line(path: Path) -> Any:
    """The first line that is JSON, of those in the first MiB."""
    with path.open("rb") as file:
        for line in file.read(FIRST_MOST).removeprefix(b"\xef\xbb\xbf").splitlines():
            try:
                return orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
    return None


def check_head(path: Path, head: Any) -> str:
    """Where it comes from; raises `NewerVersion`, `NotAChat`."""
    try:
        known = Head.model_validate_json(orjson.dumps(head))
    except ValidationError as wrong:
        raise NewerVersion(path, explain(wrong)) from None
    if known.scope == "person":
        raise NotAChat(path)
    return f"tandem:{known.source}"


def print_of(path: Path) -> str:
    """A fingerprint: its size, its beginning and its end."""
    size = path.stat().st_size
    with path.open("rb") as file:
        begin = file.read(FIRST_MOST)
        file.seek(max(0, size - FIRST_MOST))
        return hashlib.sha256(b"%d\n%b%b" % (size, begin, file.read())).hexdigest()[:40]
