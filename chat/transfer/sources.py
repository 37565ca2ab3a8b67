"""Sources: files with a chat, recognized by their content instead of their name."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Annotated, Any

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from chat.accounts.validation import DisplayName
from chat.model.types import Moment, Name, Text, check_exact, check_words
from chat.shared.appearance import look_key
from chat.transfer.archive import Archive, FileArchive, TarArchive, read_lines
from chat.transfer.errors import NewerVersion, NoConversation, PersonalData, UnknownFile
from chat.transfer.mattermost import INVALID, MattermostServer
from chat.transfer.recognize import Files, ForeignOptions, SingleFile, find_chat, fingerprint
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
from chat.transfer.slack import Workspace, is_slack
from chat.transfer.text import account_name, digest, parse

ZIP, GZIP = b"PK\x03\x04", b"\x1f\x8b"
MAX_START = 1024 * 1024
EMOJI_LINE = re.compile(rb'\s*\{\s*"type"\s*:\s*"emoji"')
CREATED_AT = re.compile(rb'"create_at"\s*:\s*(\d+)')
Progress = Callable[[int], None]
Read = Callable[[Progress], Iterator[Item]]
OpenFile = Callable[[], IO[bytes]]


@dataclass(frozen=True, slots=True)
class Source:
    """A file to import. `origin` is put before the keys of its conversations; None: they are channel names.

    `exact`: the source says what each user has read and follows. Otherwise everything counts as read. `size`: the bytes
    that `read` will report. `fingerprint`: the same for the same file. `repeats`: two messages may have the same author
    and `client_id`. `archive`: has the bytes of files.
    """

    kind: str
    origin: str | None
    exact: bool
    size: int
    fingerprint: str
    read: Read
    repeats: bool = False
    archive: FileArchive | None = None


def open_source(
    path: Path, into: str | None, private: bool, server: str | None = None, foreign: ForeignOptions | None = None
) -> Source:
    """Return the source in a file or folder. A mapping makes any file a table.

    Raise `UnknownFile`, `BadArchive`, `NewerVersion` or `PersonalData`.
    """
    foreign = replace(foreign or ForeignOptions(), private=private, server=server)
    if path.is_dir():
        return open_archive(path, foreign)
    if foreign.mapping:
        return open_foreign(SingleFile(path), foreign)
    with path.open("rb") as file:
        start = file.read(4)
    if start[:2] == GZIP:
        return open_foreign(TarArchive(path), foreign)
    return open_archive(path, foreign) if start == ZIP else open_lines(path, into, private, foreign)


def open_archive(path: Path, foreign: ForeignOptions) -> Source:
    """Return the source in a ZIP or an unpacked one: Slack, lines of Tandem or Mattermost with files, or another."""
    archive = Archive(path)
    lines = [name for name in archive.names() if name.endswith(".jsonl") and "/" not in name]
    if len(lines) == 1:
        open_file = partial(archive.open, lines[0])
        with closing(open_file()) as file:
            first = first_value(file)
        if isinstance(first, dict) and first.get("type") == "tandem":
            read = partial(read_file, open_file, f"{path.name}/{lines[0]}", read_tandem)
            origin = check_header(path, first)
            return Source("Tandem", origin, True, archive.size, fingerprint(path), read, archive=archive)
        name = f"{path.name}/{lines[0]}"
        return replace(open_mattermost(path, open_file, name, archive.size, foreign.server), archive=archive)
    if is_slack(archive):
        team = Workspace(archive).team
        read = partial(read_slack, path)
        return Source("Slack", f"slack:{team}", False, archive.size, fingerprint(path), read, archive=archive)
    return open_foreign(archive, foreign)


def open_foreign(files: Files, options: ForeignOptions) -> Source:
    """Return the chat of another program. Raise `UnknownFile`."""
    if (found := find_chat(files, options)) is None:
        raise UnknownFile(files.path)
    size = sum(files.size_of(name) or 0 for name in found.files)
    columns = digest(options.mapping.read_text()) if options.mapping else ""
    mark = f"{files.fingerprint}:{options.zone}:{options.server}:{columns}"
    return Source(found.kind, found.origin, False, size, mark, found.read, archive=files)


def read_slack(path: Path, progress: Progress) -> Iterator[Item]:
    """Yield the items of a Slack export."""
    return Workspace(Archive(path, progress)).read()


def open_mattermost(path: Path, open_file: Callable[[], IO[bytes]], name: str, size: int, server: str | None) -> Source:
    """Return the source in a Mattermost export. `server`: its name, if the operator gives one."""
    with closing(open_file()) as file:
        origin = digest("server", server) if server else find_server(file)
    read = partial(read_mattermost, open_file, name)
    mark = f"{fingerprint(path)}:{server}" if server else fingerprint(path)
    return Source("Mattermost", f"mattermost:{origin}", False, size, mark, read, repeats=True)


def find_server(file: IO[bytes]) -> str:
    """Return a short name for the server that an export is from, by its oldest post.

    Later exports of the same server begin with the same post, and no other server has it. Only the lines with the
    lowest times are parsed.
    """
    oldest: tuple[int, str] | None = None
    names: list[str] = []
    for _, line in read_lines(file, lambda _: None):
        at = min(map(int, CREATED_AT.findall(line)), default=None)
        if at is not None and oldest is not None and at > oldest[0]:
            continue
        try:
            raw = parse(line)
            what = raw[raw["type"]]
            if at is not None and raw["type"] in ("post", "direct_post"):
                place = what.get("channel_members") or [what["team"], what["channel"]]
                said = digest(*map(str, (at, what["user"], *sorted(place), what.get("message"))))
                oldest = min(oldest or (at, said), (at, said))
            elif raw["type"] in ("team", "user"):
                names.append(str(what.get("name") or what.get("username")))
        except INVALID:
            continue
    return oldest[1] if oldest else digest(*sorted(names))


def find_emoji_lines(file: IO[bytes]) -> list[dict[str, Any]]:
    """Return the custom emoji of an export. Linear."""
    found = []
    for _, line in read_lines(file, lambda _: None):
        if EMOJI_LINE.match(line):
            with suppress(*INVALID):
                raw = parse(line)
                found += [raw["emoji"]] if isinstance(raw["emoji"], dict) else []
    return found


def read_mattermost(open_file: OpenFile, name: str, progress: Progress) -> Iterator[Item]:
    """Yield the items of a Mattermost export."""
    with closing(open_file()) as file:
        emoji = find_emoji_lines(file)
    with closing(open_file()) as file:
        yield from MattermostServer(emoji).read(file, name, progress)


def open_lines(path: Path, into: str | None, private: bool, foreign: ForeignOptions) -> Source:
    """Return the source in a file of lines, recognized by the first line that is JSON."""
    size, mark = path.stat().st_size, fingerprint(path)
    open_file = partial(open_bytes, path)
    with open_file() as file:
        first = first_value(file)
    match first:
        case {"type": "tandem"} as header:
            read = partial(read_file, open_file, path.name, read_tandem)
            return Source("Tandem", check_header(path, header), True, size, mark, read)
        case {"type": "version"}:
            return open_mattermost(path, open_file, path.name, size, foreign.server)
        case {"author": _} | {"body": _}:
            plain = partial(read_plain, path, into, private)
            return Source("lines", None, False, size, f"{mark}:{into}", plain)
    return open_foreign(SingleFile(path), foreign)


def read_plain(path: Path, into: str | None, private: bool, progress: Progress) -> Iterator[Item]:
    """Yield the items of plain lines."""
    return read_file(partial(open_bytes, path), path.name, Plain(into, private).read, progress)


def read_file(
    open_file: OpenFile, name: str, read: Callable[[IO[bytes], str, Progress], Iterator[Item]], progress: Progress
) -> Iterator[Item]:
    """Yield the items of a file of lines."""
    with closing(open_file()) as file:
        yield from read(file, name, progress)


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for reading."""
    return path.open("rb")


def first_value(file: IO[bytes]) -> Any:
    """Return the first value that is JSON, within the first MiB. A file may start with a broken line."""
    for line in file.read(MAX_START).removeprefix(b"\xef\xbb\xbf").splitlines():
        try:
            return orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
    return None


def check_header(path: Path, header: Any) -> str:
    """Return the origin of a Tandem export. Raise `NewerVersion` or `PersonalData`."""
    try:
        record = HeaderRecord.model_validate_json(orjson.dumps(header))
    except ValidationError as error:
        raise NewerVersion(path, explain(error)) from None
    if record.scope == "person":
        raise PersonalData(path)
    return f"tandem:{record.source}"


# Plain lines: a message each with its author, and optionally its time and channel.

MAX_PLAIN_LINE = 1024 * 1024


class PlainMessage(BaseModel):
    """A plain line. Other fields are ignored, because exports of chats have many."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    author: DisplayName
    body: Annotated[Text, AfterValidator(check_words)]
    conversation: Name | None = None
    at: Moment | None = None


class Plain:
    """Reads plain lines. `into`: the channel of lines that name none. `private`: new channels are private."""

    def __init__(self, into: str | None, private: bool) -> None:
        self._into, self._private = into, private
        self._members: dict[str, dict[str, None]] = {}
        self._users: set[str] = set()

    def read(self, file: IO[bytes], name: str, progress: Callable[[int], None]) -> Iterator[Item]:
        """Yield each author and channel before its first message, and the members at the end."""
        for number, line in read_lines(file, progress, MAX_PLAIN_LINE):
            try:
                message = PlainMessage.model_validate_json(line)
            except ValidationError as error:
                yield LineError(f"{name}:{number}", explain(error))
                continue
            yield from self._convert(message, f"{name}:{number}", client_id_of(number, line))
        for key, users in self._members.items():
            yield from (MemberRecord(conversation=key, user=user) for user in users)

    def _convert(self, message: PlainMessage, place: str, client_id: str) -> Iterator[Item]:
        title, author = message.conversation or self._into, account_name(message.author)
        if title is None:
            raise NoConversation(place)
        key = look_key(title)
        if author not in self._users:
            self._users.add(author)
            yield UserRecord(name=author, display_name=message.author)
        if key not in self._members:
            self._members[key] = {}
            yield ConversationRecord(id=key, kind="channel", name=title, private=self._private)
        self._members[key][author] = None
        at = message.at or datetime.now(UTC)
        yield MessageRecord(conversation=key, author=author, client_id=client_id, body=message.body, created_at=at)


def client_id_of(number: int, line: bytes) -> str:
    """Return the message's `client_id` from its line and content: the same file makes no message twice."""
    return f"{number}-{hashlib.sha256(line.strip()).hexdigest()[:32]}"


# Tandem's own exports.

ANY: TypeAdapter[Record] = TypeAdapter(Annotated[Record, Field(discriminator="type")])


def read_tandem(file: IO[bytes], name: str, progress: Callable[[int], None]) -> Iterator[Item]:
    """Yield all records but the header. A record of a conversation that no line describes is an error."""
    described: set[Key] = set()
    for number, line in read_lines(file, progress):
        item = parse_record(line, f"{name}:{number}") if number > 1 else None
        if isinstance(item, ConversationRecord):
            described.add(item.id)
        key = getattr(item, "conversation", None)
        if key is not None and key not in described:
            item = LineError(f"{name}:{number}", f"conversation: no earlier line describes {key}")
        if item is not None:
            yield item


def parse_record(line: bytes, place: str) -> Item:
    """Return the record, or the error."""
    try:
        record = ANY.validate_json(line)
    except ValidationError as error:
        return LineError(place, explain(error))
    if isinstance(record, MessageRecord) and record.data is not None:
        try:
            check_exact(line)
        except ValueError as wrong:
            return LineError(place, f"data: {wrong}")
    return record
