"""Tools that the readers of foreign chats share: big JSON, users by their ids, messages as records."""

import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import IO, Any

from pydantic import ValidationError

from chat.accounts.validation import check_emoji_name
from chat.messages.reactions import SPELLINGS, strip_selectors
from chat.transfer.records import (
    AttachmentRecord,
    EmojiRecord,
    Item,
    LineError,
    MemberRecord,
    MessageRecord,
    ReactionRecord,
    Ref,
    SkippedItem,
    UserRecord,
    explain,
)
from chat.transfer.text import (
    UniqueNames,
    clean,
    continued,
    digest,
    find_emoji,
    leftovers,
    one_line,
    parse,
    shown_name,
    split_body,
)

INVALID = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)
Json = dict[str, Any]
MISSING_FILE = "files that the export leaves out"
OUTSIDE = "replies to messages outside of the export, imported as messages"
MAX_UNNAMED = 1_000  # counted for one reaction
CLIENT_ID = re.compile(r"[A-Za-z0-9_.~-]{1,64}")
CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`)", re.DOTALL)
BOLD = re.compile(r"(?<![\w*\\])\*(?=[^\s*])([^*\n]+?)(?<=\S)\*(?![\w*])")
STRUCK = re.compile(r"(?<![\w~])~(?=[^\s~])([^~\n]+?)(?<=\S)~(?![\w~])")
HEADING = re.compile(r"^(#{1,6})(?=\s)", re.MULTILINE)

# Big JSON. A value in it is found by its brackets alone, so that a broken one costs nothing but itself.

CHUNK = 1024 * 1024
MAX_VALUE = 16 * 1024 * 1024  # bytes
STRING = rb'"(?:[^"\\]++|\\.)*+"'
TOKEN = re.compile(rb"[\s,:]*+(" + STRING + rb'|[{}\[\]]|[^\s,:"{}\[\]]++)', re.DOTALL)
BRACKET = re.compile(rb'[^"{}\[\]]*+(?:' + STRING + rb'[^"{}\[\]]*+)*+([{}\[\]])', re.DOTALL)
ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|.)", re.DOTALL)
JsonPath = tuple[str, ...]


class JsonReader:
    """Reads a JSON file of any size in one pass, with at most one value and one chunk in memory."""

    def __init__(self, file: IO[bytes], progress: Callable[[int], object]) -> None:
        self._file, self._progress = file, progress
        self._data, self._at, self._line, self._ended = b"", 0, 1, False

    def values(self, entered: Collection[JsonPath]) -> Iterator[tuple[JsonPath, bytes, int]]:
        """Yield `(path, JSON, line)` of each value. Raise `ValueError` if the file is not JSON, or ends early.

        Objects and lists at the paths in `entered` are not read as a whole: each yields empty JSON, then its values.
        A path has the keys that lead to the value, and `*` for an item of a list.
        """
        stack: list[tuple[JsonPath, bool]] = []
        key: str | None = None
        while token := self._next():
            if token in (b"}", b"]"):
                if not stack or key is not None:
                    raise ValueError("is not JSON")
                stack.pop()
                if not stack:
                    return
                continue
            if stack and stack[-1][1] and key is None:
                key = str(parse(token))
                continue
            path = (*stack[-1][0], "*" if key is None else key) if stack else ()
            key, line = None, self._line
            if token not in (b"{", b"["):
                yield path, token, line
            elif path in entered:
                stack.append((path, token == b"{"))
                yield path, b"", line
            else:
                yield path, self._rest(token), line
        raise ValueError("ends too early")

    def _next(self) -> bytes:
        """Return the next token, or nothing at the end."""
        while True:
            found = TOKEN.match(self._data, self._at)
            if found and (found.end() < len(self._data) or self._ended):
                self._move(found.end())
                return found[1]
            if not self._fill() and found is None:
                return b""

    def _rest(self, first: bytes) -> bytes:
        """Return an object or a list whose first bracket has been read. One that is too long is emptied."""
        parts, depth, size, at = [first], 1, 1, self._at
        while depth:
            if (found := BRACKET.match(self._data, at)) is not None:
                depth += 1 if found[1] in b"{[" else -1
                at = found.end()
            if found is None or not depth:
                parts.append(self._data[self._at : at])
                size += len(parts[-1])
                if size > MAX_VALUE:
                    parts.clear()
                self._move(at)
            if found is None and not self._fill():
                raise ValueError("ends too early")
            at = self._at if found is None else at
        return b"".join(parts) if size <= MAX_VALUE else b""

    def _move(self, at: int) -> None:
        self._line += self._data.count(b"\n", self._at, at)
        self._at = at

    def _fill(self) -> bool:
        """Read more, at least doubling what is held: so that a long value is not scanned again and again."""
        held = len(self._data) - self._at
        more = b"" if self._ended or held > MAX_VALUE else self._file.read(max(CHUNK, held))
        self._ended = not more
        self._progress(len(more))
        self._data, self._at = self._data[self._at :] + more, 0
        return bool(more)


def parse_value(raw: bytes) -> Any:
    """Return the JSON value, also with Telegram's escapes such as `\\x0B`. Raise `ValueError` if it is not JSON."""
    if not raw:
        raise ValueError(f"is longer than {MAX_VALUE:,} bytes")
    try:
        return parse(raw)
    except ValueError:
        return parse(ESCAPE.sub(lambda found: b"\\u00" + found[1] if found[1] else found[0], raw))


# Users.


MAX_NAME = 200  # characters of an id or name of which all are read


def short_id(id_: str) -> str:
    """Return an id of a length that a record can have."""
    return id_ if len(id_) <= MAX_NAME else digest(id_)


class ForeignUsers:
    """The users of a foreign chat: their names in the records, by their ids at the source."""

    def __init__(self) -> None:
        self._names = UniqueNames()
        self._new: list[UserRecord] = []

    def add(self, id_: str, wanted: str, *shown: object, **fields: Any) -> str:
        """Return the name of a user. At first sight, note the record: with the first valid name in `shown`."""
        id_ = short_id(id_)
        if id_ not in self._names.by_id:
            wanted = wanted[:MAX_NAME]
            name = self._names.add(id_, wanted)
            names = (one[:MAX_NAME] for one in (*shown, wanted) if isinstance(one, str))
            self._new.append(UserRecord(id=id_, name=name, display_name=shown_name(*names), **fields))
        return self._names.by_id[id_]

    def get(self, id_: str) -> str | None:
        """Return the name of a user who is known."""
        return self._names.by_id.get(short_id(id_))

    def take_new(self) -> list[Item]:
        """Return the records of the users found since the last call."""
        new, self._new = self._new, []
        return [*new]


# Messages.


MessageId = int | str


class ForeignMessages:
    """The messages of one conversation, as records. `prefix` makes client ids of numbers that are ids at the source.

    Of messages that others may refer to, only author and thread are kept: in twenty bytes each while their numbers
    ascend. Ids that are texts are client ids, and are kept if `named`.
    """

    def __init__(self, key: str, prefix: str, named: bool = False) -> None:
        self.key, self._prefix, self._named = key, prefix, named
        self.members: dict[str, int] = {}  # names in the order in which they are seen
        self._names: list[str] = []
        self._ids, self._authors, self._threads = array("q"), array("l"), array("q")
        self._others: dict[MessageId, tuple[str, MessageId]] = {}

    def write(
        self, id_: MessageId, author: str, at: datetime, text: str, thread: MessageId = 0, **fields: Any
    ) -> list[Item]:
        """Return a message, or several if it is long. `thread`: the id of the first message of its thread.

        Raise `ValidationError` if a field is not valid.
        """
        self._note(id_, author, thread)
        pieces = split_body(clean(text))
        if not pieces and not fields.get("files") and not fields.get("deleted_at"):
            return [SkippedItem("messages without any content")]
        ref = Ref(author=author, client_id=self._client_id(id_))
        root = self.ref(thread) if thread else None
        body = pieces[0] if pieces else ""
        first = MessageRecord(
            conversation=self.key, **ref.model_dump(), body=body, created_at=at, thread=root, **fields
        )
        return [first, *(one.model_copy(update={"files": []}) for one in continued(first, pieces[1:]))]

    def add_member(self, name: str) -> None:
        """Note a member of the conversation: an author, or another user that the source names."""
        if name not in self.members:
            self.members[name] = len(self._names)
            self._names.append(name)

    def _client_id(self, id_: MessageId) -> str:
        return id_ if isinstance(id_, str) else f"{self._prefix}{id_}"

    def _note(self, id_: MessageId, author: str, thread: MessageId) -> None:
        self.add_member(author)
        if isinstance(id_, int) and isinstance(thread, int) and (not self._ids or id_ > self._ids[-1]):
            self._ids.append(id_)
            self._authors.append(self.members[author])
            self._threads.append(thread)
        elif isinstance(id_, int) or self._named:
            self._others[id_] = author, thread

    def foresee(self, id_: MessageId, author: str, thread: MessageId = 0) -> None:
        """Note a message that will be read later, because earlier ones may refer to it."""
        self.add_member(author)
        self._others[id_] = author, thread

    def find(self, id_: MessageId) -> tuple[str, MessageId] | None:
        """Return `(author, thread)` of an earlier message."""
        if id_ in self._others or isinstance(id_, str):
            return self._others.get(id_)
        at = bisect_left(self._ids, id_)
        if at == len(self._ids) or self._ids[at] != id_:
            return None
        return self._names[self._authors[at]], self._threads[at]

    def ref(self, id_: MessageId) -> Ref | None:
        """Return the reference to an earlier message."""
        found = self.find(id_)
        return Ref(author=found[0], client_id=self._client_id(id_)) if found else None

    def member_records(self, only: Collection[str] = ()) -> Iterator[Item]:
        """Yield the members: everyone who was noted, or `only` the two of a direct message."""
        for name in only or self.members:
            yield MemberRecord(conversation=self.key, user=name)


def guarded(
    make: Callable[[], Iterable[Item]],
    raw: object,
    known: Collection[str],
    place: str,
    plain: Callable[[str], str] = str,
) -> list[Item]:
    """Return the items made of one foreign message, and its texts that are in none of them. Errors cost this one."""
    try:
        items = list(make())
    except ValidationError as error:
        return [LineError(place, explain(error))]
    except INVALID as error:
        reason = str(error) if isinstance(error, ValueError) else repr(error)
        return [LineError(place, f"is not a message: {reason}")]
    placed = [replace(one, place=one.place or place) if isinstance(one, SkippedItem) else one for one in items]
    return [*placed, *leftovers(raw, items, known, place, plain)]


def file_record(
    name: object, path: str | None = None, url: object = None, size: object = 0, type_: object = ""
) -> AttachmentRecord:
    """Return the record of a file: a member of the archive, or an address, or only its name."""
    shown = one_line(name, 200) if isinstance(name, str) else ""
    web = url if isinstance(url, str) and url.startswith(("https://", "http://")) and len(url) <= 4000 else None
    known = size if isinstance(size, int) and size > 0 else 0
    mime = type_ if isinstance(type_, str) and len(type_) <= 200 else ""
    return AttachmentRecord(name=shown or "file", path=path or None, url=web, size=known, type=mime)


def dicts_in(value: object) -> Iterator[Json]:
    """Yield the objects in a list of any depth, or the object itself."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
        elif isinstance(one, list):
            waiting += reversed(one)


class ForeignEmoji:
    """The custom emoji of an export: those with a picture, and with a name that an emoji can have here."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def add(
        self, name: object, picture: AttachmentRecord | None, place: str, user: str | None = None
    ) -> EmojiRecord | SkippedItem:
        """Return the record of an emoji, or a skipped item for one whose name or picture cannot be used. Linear.

        A picture needs a path or an address.
        """
        shown = one_line(str(name), 64)
        try:
            key = check_emoji_name(str(name).strip(":").lower())
        except ValueError:
            return SkippedItem(f"custom emoji :{shown}:, whose name cannot be that of one here", place)
        if picture is None or not (picture.path or picture.url):
            return SkippedItem(f"custom emoji :{shown}:, whose picture is not in the export", place)
        self._names.add(key)
        return EmojiRecord(name=key, picture=picture, user=user)

    def find(self, name: str) -> str | None:
        """Return the emoji of this name as a reaction has it, standard or custom; None if there is none."""
        return find_emoji(name) or self.sign(name)

    def sign(self, name: str) -> str | None:
        """Return how a reaction names the custom emoji; None if there is none of this name."""
        key = name.strip(":").lower()
        return f":{key}:" if key in self._names else None


def collect_reactions(
    found: Iterable[tuple[str, Iterable[str], int]], place: str, custom: ForeignEmoji | None = None
) -> tuple[list[ReactionRecord], list[SkippedItem]]:
    """Return the reactions, and those that have no place. Each is `(emoji, names of users, number of all users)`."""
    kept: dict[str, dict[str, None]] = {}
    skipped: list[SkippedItem] = []
    for shown, users, count in found:
        names, emoji = list(users), SPELLINGS.get(strip_selectors(shown)) or (custom.sign(shown) if custom else None)
        if emoji is None:
            skipped += [SkippedItem(f"reactions with {one_line(shown, 40)}, which is not a Unicode emoji", place)]
            continue
        unnamed = min(MAX_UNNAMED, max(0, count - len(names)))
        skipped += [SkippedItem("reactions whose users the export does not name", place)] * unnamed
        if names:
            kept.setdefault(emoji, {}).update(dict.fromkeys(names))
    return [ReactionRecord(emoji=emoji, users=list(users)) for emoji, users in kept.items()], skipped


def client_id(text: str) -> str:
    """Return an id of the source as a client id: itself if it can be one."""
    return text if CLIENT_ID.fullmatch(text) else digest(text)


def keep_hashes(text: str) -> str:
    """Return plain text as Markdown in which a line that begins with `#` is no heading."""
    return HEADING.sub(r"\\\1", text)


def from_single_marks(text: str) -> str:
    """Return text with `*bold*` and `~struck~` as Markdown, outside of code. Underscores mean the same in both."""
    parts = CODE.split(text)
    parts[::2] = [STRUCK.sub(r"~~\1~~", BOLD.sub(r"**\1**", part)) for part in parts[::2]]
    return "".join(parts)


def quote(text: str) -> str:
    """Return the text as quoted lines of Markdown."""
    return "\n".join(f"> {line}" for line in text.splitlines())
