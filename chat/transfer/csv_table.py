"""A chat as a table: CSV of any program, whose columns a mapping names. Each row is a message."""

import codecs
import csv
import io
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, tzinfo
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from chat.transfer.chat_logs import Repeats
from chat.transfer.errors import BadMapping
from chat.transfer.foreign import OUTSIDE, ForeignMessages, ForeignUsers, client_id, file_record, guarded
from chat.transfer.records import ConversationRecord, Item, LineError, SkippedItem, explain
from chat.transfer.text import clean, email, time_in, time_zone, title

SAMPLE = 1024 * 1024  # bytes by which encoding and delimiter are recognized
MAX_FIELD = 4 * 1024 * 1024  # characters
DELIMITERS = ",;\t|"


ReadRow = Callable[[list[str], list[str], str], Iterator[Item]]


def known_zone(name: str) -> str:
    """Return the name of a time zone; raise `ValueError` if it is not known."""
    if not time_zone(name):
        raise ValueError("is not a time zone")
    return name


class MappingModel(BaseModel):
    """The base of a mapping: other fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Column = Annotated[int, Field(ge=1)] | Annotated[str, Field(min_length=1)]


class TimeColumn(MappingModel):
    """A column of times. `format`: as in Python's `strptime`; without one, ISO 8601 or a number since 1970."""

    column: Column
    format: str | None = None
    zone: Annotated[str, AfterValidator(known_zone)] | None = None


class ColumnMapping(MappingModel):
    """Columns by their names in the first row, or by their numbers from 1 if `header` is false.

    `channel`: the conversation of rows that name none. `thread`, `reply_to`: columns with ids of other messages.
    `files`: a column of addresses with spaces or commas between them. `origin`: the program or server that the users'
    and conversations' ids belong to.
    """

    author: Column
    body: Column
    at: Column | TimeColumn
    conversation: Column | None = None
    channel: str | None = None
    id: Column | None = None
    author_id: Column | None = None
    email: Column | None = None
    thread: Column | None = None
    reply_to: Column | None = None
    files: Column | None = None
    private: bool = False
    origin: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,60}$")] | None = None
    header: bool = True
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: str | None = None

    def columns(self) -> list[str | int]:
        """Return the columns that are read."""
        known = self.author, self.body, self.conversation, self.id, self.author_id, self.email
        at = self.at.column if isinstance(self.at, TimeColumn) else self.at
        return [one for one in (*known, at, self.thread, self.reply_to, self.files) if one is not None]


# The tables that DiscordChatExporter writes need no mapping.
DISCORD = ColumnMapping(
    author="Author", author_id="AuthorID", at="Date", body="Content", files="Attachments", origin="discord"
)
READY_MADE = (DISCORD,)


def read_mapping(path: Path) -> ColumnMapping:
    """Return the mapping in a JSON file. Raise `BadMapping`."""
    try:
        return ColumnMapping.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BadMapping(path, explain(error)) from None


def ready_mapping(open_file: Callable[[], IO[bytes]]) -> ColumnMapping | None:
    """Return the mapping of a table that needs none, by its first row."""
    with closing(open_file()) as file:
        sample = file.read(SAMPLE)
    first = sample.decode(find_encoding(sample), "replace").partition("\n")[0]
    found = {name.strip().casefold() for name in next(csv.reader([first]), [])}
    return next((one for one in READY_MADE if {str(name).casefold() for name in one.columns()} <= found), None)


def find_encoding(sample: bytes) -> str:
    """Return the encoding of a text: what its first bytes say, otherwise UTF-8, otherwise Windows' Latin."""
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def each_row(rows: Any) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Yield the first line of each row of a reader, and its fields or the error."""
    while True:
        line = rows.line_num + 1
        try:
            yield line, next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, error


class CsvTable:
    """The messages of a table, as items. `zone`: that of times for which neither value nor mapping tells one."""

    def __init__(
        self, open_file: Callable[[], IO[bytes]], name: str, mapping: ColumnMapping, zone: tzinfo, private: bool
    ) -> None:
        self._open, self._name, self._mapping, self._zone = open_file, name, mapping, zone
        self._private = private or mapping.private
        self._users, self._rooms, self._repeats = ForeignUsers(), dict[str, ForeignMessages](), Repeats("csv-")
        self._columns: dict[str | int, int] = {}
        self._told: set[str] = set()

    def read(self, progress: Callable[[int], object]) -> Iterator[Item]:
        """Yield each conversation before its first message, and the members at the end."""
        with closing(self._open()) as file:
            sample = file.read(SAMPLE)
        csv.field_size_limit(MAX_FIELD)
        encoding = self._mapping.encoding or find_encoding(sample)
        try:
            delimiter = self._mapping.delimiter or self._find_delimiter(sample.decode(encoding, "replace"))
        except LookupError:
            yield LineError(f"{self._name}:1", f"The encoding {encoding} is not known")
            return
        passes: list[tuple[ReadRow, Callable[[int], object]]] = [(self._read_row, progress)]
        if self._mapping.thread or self._mapping.reply_to:  # which may begin with the newest row
            passes.insert(0, (self._look_ahead, int))
        for read_row, report in passes:
            with closing(self._open()) as file, io.TextIOWrapper(file, encoding, "replace", newline="") as text:
                items = self._read_rows(csv.reader(text, delimiter=delimiter), report, read_row)
                yield from items if read_row == self._read_row else self._exhaust(items)
        for messages in self._rooms.values():
            yield from messages.member_records()

    def _exhaust(self, items: Iterator[Item]) -> Iterator[Item]:
        """Read the rows, and yield only the users found: everything else is reported by the second reading."""
        for _ in items:
            pass
        yield from self._users.take_new()

    def _look_ahead(self, _: list[str], row: list[str], __: str) -> Iterator[Item]:
        """Note the message of a row, because those of earlier rows may refer to it."""
        given, author = (self._value(row, one).strip() for one in (self._mapping.id, self._mapping.author))
        if given and (id_ := self._value(row, self._mapping.author_id).strip() or author):
            with suppress(ValueError):  # reported by the second reading
                root = self._value(row, self._mapping.thread).strip()
                user = self._users.add(
                    id_, author or id_, author, email=email(self._value(row, self._mapping.email).strip())
                )
                self._room(row).foresee(client_id(given), user, client_id(root) if root and root != given else 0)
        yield from ()

    def _room(self, row: list[str]) -> ForeignMessages:
        """Return the messages of the conversation that a row belongs to."""
        mapping = self._mapping
        name = self._value(row, mapping.conversation).strip() or mapping.channel or PurePosixPath(self._name).stem
        named = bool(mapping.thread or mapping.reply_to)
        return self._rooms.setdefault(name, ForeignMessages(name[:200], "", named=named))

    def _find_delimiter(self, sample: str) -> str:
        """Return the delimiter by which the first row has the most of the mapped columns, or the most columns."""
        first, _, rest = sample.partition("\n")
        first = (rest.partition("\n")[0] if first.startswith("sep=") else first).strip("\r")

        def fit(delimiter: str) -> tuple[int, int]:
            row = [one.strip().casefold() for one in next(csv.reader([first], delimiter=delimiter), [])]
            wanted = [str(one).casefold() for one in self._mapping.columns()]
            return sum(one in row for one in wanted), len(row)

        return max(DELIMITERS, key=fit)

    def _read_rows(self, rows: Any, progress: Callable[[int], object], read_row: ReadRow) -> Iterator[Item]:
        header: list[str] | None = None
        for line, row in each_row(rows):
            if isinstance(row, csv.Error):
                yield LineError(f"{self._name}:{line}", f"is not a row: {row}")
                continue
            progress(sum(map(len, row)) + len(row))
            if header is None and len(row) <= 2 and row[:1] and row[0].startswith("sep="):
                continue  # names the delimiter for Excel
            if header is None:
                header = row if self._mapping.header else [str(number) for number in range(1, len(row) + 1)]
                if missing := self._find_columns(header):
                    yield LineError(f"{self._name}:{line}", missing)
                    return
                if self._mapping.header:
                    continue
            if any(map(str.strip, row)):
                yield from read_row(header, row, f"{self._name}:{line}")

    def _find_columns(self, header: list[str]) -> str:
        """Find the places of the mapped columns. Return what is missing."""
        places = {name.strip().casefold(): place for place, name in reversed(list(enumerate(header)))}
        missing: list[str] = []
        for column in self._mapping.columns():
            place = column - 1 if isinstance(column, int) else places.get(column.casefold())
            if place is None or place >= len(header):
                missing.append(str(column))
            else:
                self._columns[column] = place
        named = ", ".join(header)[:500]
        return f"There is no column {', '.join(missing)}. The columns are {named}." if missing else ""

    def _read_row(self, header: list[str], row: list[str], place: str) -> Iterator[Item]:
        known = {self._columns[column] for column in self._mapping.columns()}
        rest = {
            name or f"column {n + 1}": value
            for n, (name, value) in enumerate(zip(header, row, strict=False))
            if n not in known
        }
        raw = rest | {"body": self._value(row, self._mapping.body)} | ({"further columns": row[len(header) :]})
        items = guarded(partial(self._convert, row), raw, (), place)
        yield from self._users.take_new()
        yield from items

    def _value(self, row: list[str], column: str | int | None) -> str:
        """Return the value of a column, or nothing if the row is too short."""
        place = self._columns[column] if column is not None else len(row)
        return clean(row[place]) if place < len(row) else ""

    def _convert(self, row: list[str]) -> Iterator[Item]:
        wanted, mapping = partial(self._value, row), self._mapping
        author = wanted(mapping.author).strip()
        id_ = wanted(mapping.author_id).strip() or author
        if not id_:
            raise ValueError("the author is missing")
        address = email(wanted(mapping.email).strip())
        user = self._users.add(id_, author or id_, author, email=address)
        at = self._time(row)
        body, files = wanted(mapping.body), [one for one in wanted(mapping.files).replace(",", " ").split() if one]
        messages = self._room(row)
        if messages.key not in self._told:
            self._told.add(messages.key)
            yield ConversationRecord(id=messages.key, kind="channel", name=title(messages.key), private=self._private)
        given = wanted(mapping.id).strip()
        number = client_id(given) if given else self._repeats.name(at, id_, body)
        root, answered = wanted(mapping.thread).strip(), wanted(mapping.reply_to).strip()
        thread = client_id(root) if root and root != given else 0
        found, reply = bool(messages.find(thread)), messages.ref(client_id(answered)) if answered else None
        if (thread and not found) or (answered and not reply):
            yield SkippedItem(OUTSIDE)
        yield from messages.write(
            number,
            user,
            at,
            body,
            thread if found else 0,
            reply_to=reply,
            files=[file_record(PurePosixPath(one.partition("?")[0]).name, url=one) for one in files],
        )

    def _time(self, row: list[str]) -> datetime:
        """Return the time of a row. Raise `ValueError`."""
        at = self._mapping.at
        column = at if isinstance(at, TimeColumn) else TimeColumn(column=at)
        value, zone = self._value(row, column.column).strip(), ZoneInfo(column.zone) if column.zone else self._zone
        if column.format:
            found = datetime.strptime(value, column.format)
            return found if found.tzinfo else found.replace(tzinfo=zone).astimezone(UTC)
        return time_in(value, zone)


# The archive of tables that Rocket.Chat imports, which other programs are exported to.

DIRECT = "directmessages"  # the folder of direct messages


def is_rocketchat_tables(names: Collection[str]) -> bool:
    """Return whether tables are lists of users or channels, and of messages in a folder for each channel."""
    listed = any(name.lower() in ("users.csv", "channels.csv") for name in names)
    return listed and any(name.count("/") == 1 for name in names)


class RocketChatTables:
    """The users, channels and messages of an archive of tables without headers, as items.

    `users.csv`: username, e-mail address, name. `channels.csv`: name, creator, `private` or `public`, members. In each
    channel's folder: username, milliseconds since 1970, text. In the folder of direct messages: both users first.
    """

    def __init__(self, names: Collection[str], open_file: Callable[[str], IO[bytes]]) -> None:
        self._names, self._open = sorted(names, key=lambda name: ("/" in name, name != "users.csv", name)), open_file
        self._users, self._repeats = ForeignUsers(), Repeats("csv-")
        self._rooms: dict[str, ForeignMessages] = {}

    def read(self, progress: Callable[[int], object]) -> Iterator[Item]:
        """Yield users, channels, messages, then the members."""
        for name in self._names:
            make, columns = self._reader_of(name)
            for place, row in self._rows(name, progress):
                raw = {"further columns": row[columns:]} if columns and isinstance(row, list) else {}
                items = [row] if isinstance(row, LineError) else guarded(partial(make, name, row), raw, (), place)
                yield from self._users.take_new()
                yield from items
        for room in self._rooms.values():
            yield from room.member_records()

    def _reader_of(self, name: str) -> tuple[Callable[[str, list[str]], Iterable[Item]], int]:
        """Return the function that reads the rows of a file, and how many columns it reads, 0 if it counts the rows."""
        if name.count("/") == 1:
            return self._message, 3 + name.lower().startswith(f"{DIRECT}/")
        return {"users.csv": (self._user, 3), "channels.csv": (self._channel, 4)}.get(name.lower(), (self._aside, 0))

    def _rows(self, name: str, progress: Callable[[int], object]) -> Iterator[tuple[str, Any]]:
        """Yield the place and fields of each row, or the error."""
        csv.field_size_limit(MAX_FIELD)
        with closing(self._open(name)) as file:
            encoding = find_encoding(file.read(SAMPLE))
        with closing(self._open(name)) as file, io.TextIOWrapper(file, encoding, "replace", newline="") as text:
            for line, row in each_row(csv.reader(text, skipinitialspace=True)):
                place = f"{name}:{line}"
                if isinstance(row, csv.Error):
                    yield place, LineError(place, f"is not a row: {row}")
                elif any(map(str.strip, row)):
                    progress(sum(map(len, row)) + len(row))
                    yield place, [clean(one).strip() for one in row]

    def _aside(self, name: str, _: list[str]) -> list[Item]:
        return [SkippedItem(f"rows of {PurePosixPath(name).name}")]

    def _user(self, _: str, row: list[str]) -> list[Item]:
        username, address, shown = (*row, "", "")[:3]
        self._users.add(username, username, shown, username, email=email(address))
        return []

    def _name_of(self, username: str) -> str:
        if not username:
            raise ValueError("the author is missing")
        return self._users.add(username, username, username)

    def _channel(self, _: str, row: list[str]) -> Iterator[Item]:
        name, creator, kind, members = (*row, "", "", "")[:4]
        room = self._rooms[name] = ForeignMessages(name[:200], "")
        for member in (creator, *map(str.strip, members.split(";"))):
            if member:
                room.add_member(self._name_of(member))
        private, by = kind.lower() == "private", self._name_of(creator) if creator else None
        yield ConversationRecord(id=room.key, kind="channel", name=title(name), private=private, created_by=by)

    def _message(self, path: str, row: list[str]) -> Iterator[Item]:
        folder, author = path.split("/")[0], self._name_of(row[0])
        direct = folder.lower() == DIRECT
        at, text = time_in(row[1 + direct], UTC), row[2 + direct]
        pair = list(dict.fromkeys((author, self._name_of(row[1])))) if direct else []
        key, shown = (f"direct:{'/'.join(sorted(pair))}", "") if direct else (folder, title(folder))
        if (room := self._rooms.get(key)) is None:
            room = self._rooms[key] = ForeignMessages(key[:200], "")
            yield ConversationRecord(
                id=room.key, kind="direct" if direct else "channel", name=shown, private=direct, people=pair
            )
        for person in pair:
            room.add_member(person)
        yield from room.write(self._repeats.name(at, author, text), author, at, text)
