"""A source: a file with a chat in it, recognised by what it holds and not by its name."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Annotated, Any

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from chat.accounts.validation import DisplayName
from chat.model.types import Moment, Name, Text, check_words
from chat.transfer.archive import Archive, read_lines
from chat.transfer.authors import account_name
from chat.transfer.errors import NewerVersion, NoPlace, NotAChat, UnknownFile
from chat.transfer.mattermost import MattermostServer
from chat.transfer.records import (
    ConversationRecord,
    HeaderRecord,
    Item,
    Key,
    LineError,
    MemberRecord,
    MessageRecord,
    Record,
    UserRecord,
    explain,
)
from chat.transfer.slack import Workspace

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
        yield from MattermostServer().read(file, name, told)


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
        known = HeaderRecord.model_validate_json(orjson.dumps(head))
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


# Plain lines: a message each, with its author, and perhaps its time and its channel; for whatever else there is.

LONGEST = 1024 * 1024


class PlainMessage(BaseModel):
    """What a line says; other fields are left aside, for exports of chats have all sorts of them."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    author: DisplayName
    body: Annotated[Text, AfterValidator(check_words)]
    conversation: Name | None = None
    at: Moment | None = None


class Plain:
    """`into`: the channel of lines that name none; channels that are made are `private` or not."""

    def __init__(self, into: str | None, private: bool) -> None:
        self._into, self._private = into, private
        self._seats: dict[str, dict[str, None]] = {}
        self._people: set[str] = set()

    def read(self, file: IO[bytes], name: str, told: Callable[[int], None]) -> Iterator[Item]:
        """Every author before his first message, every channel before its first, and who is in it at the end."""
        for number, line in read_lines(file, told, LONGEST):
            try:
                said = PlainMessage.model_validate_json(line)
            except ValidationError as wrong:
                yield LineError(f"{name}:{number}", explain(wrong))
                continue
            yield from self._tell(said, f"{name}:{number}", name_line(number, line))
        for key, people in self._seats.items():
            yield from (MemberRecord(conversation=key, user=person) for person in people)

    def _tell(self, said: PlainMessage, place: str, client_id: str) -> Iterator[Item]:
        title, author = said.conversation or self._into, account_name(said.author)
        if title is None:
            raise NoPlace(place)
        key = title.lower()
        if author not in self._people:
            self._people.add(author)
            yield UserRecord(name=author, display_name=said.author)
        if key not in self._seats:
            self._seats[key] = {}
            yield ConversationRecord(id=key, kind="channel", name=title, private=self._private)
        self._seats[key][author] = None
        at = said.at or datetime.now(UTC)
        yield MessageRecord(conversation=key, author=author, client_id=client_id, body=said.body, created_at=at)


def name_line(number: int, line: bytes) -> str:
    """The message's `client_id`: its place and its content, so that the same file again makes no message twice."""
    return f"{number}-{hashlib.sha256(line.strip()).hexdigest()[:32]}"


# Our own lines, read again.

ANY: TypeAdapter[Record] = TypeAdapter(Annotated[Record, Field(discriminator="type")])


def read_own(file: IO[bytes], name: str, told: Callable[[int], None]) -> Iterator[Item]:
    """All records but the head; what belongs to a conversation that has no line of its own belongs nowhere."""
    told_of: set[Key] = set()
    for number, line in read_lines(file, told):
        item = parse_record(line, f"{name}:{number}") if number > 1 else None
        if isinstance(item, ConversationRecord):
            told_of.add(item.id)
        key = getattr(item, "conversation", None)
        if key is not None and key not in told_of:
            item = LineError(f"{name}:{number}", f"conversation: there is no line before it that describes {key}")
        if item is not None:
            yield item


def parse_record(line: bytes, place: str) -> Item:
    """The record, or what is wrong with it."""
    try:
        return ANY.validate_json(line)
    except ValidationError as wrong:
        return LineError(place, explain(wrong))
