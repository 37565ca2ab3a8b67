"""A Rocket.Chat server's collections as `mongoexport` writes them: users, rooms and messages as lines of JSON."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import PurePosixPath
from typing import IO, Any

from chat.transfer.archive import read_lines
from chat.transfer.foreign import (
    CODE,
    INVALID,
    MAX_VALUE,
    MISSING_FILE,
    OUTSIDE,
    ForeignMessages,
    ForeignUsers,
    JsonReader,
    client_id,
    collect_reactions,
    file_record,
    from_single_marks,
    guarded,
    keep_hashes,
    parse_value,
    quote,
)
from chat.transfer.records import (
    AttachmentRecord,
    ConversationRecord,
    Item,
    LineError,
    MessageRecord,
    PinRecord,
    SkippedItem,
)
from chat.transfer.text import digest, email, find_emoji, moment, one_line, show_emoji, title, topic

Json = dict[str, Any]
Progress = Callable[[int], None]
SAMPLE = 64 * 1024  # bytes of a file's first line
COLLECTION = re.compile(r"(?:rocketchat_)?(user|room|message)s?\.json")
QUOTED = re.compile(r"\[ ?\]\(\S{1,500}?[?&]msg=([A-Za-z0-9]{1,64})\S{0,200}?\) ?")
EVENTS = {
    "uj": "joined",
    "ul": "left",
    "ut": "joined",
    "au": "added",
    "ru": "removed",
    "r": "changed the name to",
    "room_changed_topic": "changed the topic to",
    "room_changed_description": "changed the description to",
    "discussion-created": "began the discussion",
    "message_pinned": "pinned a message",
}

# Fields without words that a reader would miss. `md` is the text again, parsed.
MACHINERY = {
    "_id", "rid", "ts", "u", "t", "tmid", "drid", "_updatedAt", "md", "mentions", "channels", "replies", "reactions",
    "editedAt", "editedBy", "pinnedAt", "pinnedBy", "starred", "file", "files", "tlm", "dlm", "avatar",
    "urls.parsedUrl", "urls.headers", "attachments.ts", "attachments.type", "attachments.title_link",
    "attachments.image_url", "attachments.audio_url", "attachments.video_url", "attachments.image_preview",
    "attachments.image_type", "attachments.audio_type", "attachments.video_type", "attachments.format",
    "attachments.author_icon", "attachments.color", "attachments.md", "attachments.message_link", "content", "location",
    "attachments.actions.type", "attachments.actions.msg", "attachments.attachments.ts", "blocks.type",
    "blocks.text.type", "attachments.attachments.message_link", "attachments.attachments.author_icon",
}  # fmt: skip


class RocketChatExport:
    """The collections of a server, as items. Files are found below `assets/` or `uploads/` by their ids."""

    def __init__(self, names: list[str], open_file: Callable[[str], IO[bytes]]) -> None:
        self._open = open_file
        self.collections: dict[str, str] = {}
        self._uploads: dict[str, str] = {}
        for name in names:
            if found := COLLECTION.fullmatch(PurePosixPath(name).name):
                self.collections.setdefault(found[1], name)
            elif len(parts := name.split("/")) > 1:
                self._uploads[re.split(r"[-.]", parts[-1])[0]] = self._uploads[parts[-1]] = name
        self._users = ForeignUsers()
        self._names: dict[str, str] = {}  # names in records, by usernames
        self._rooms: dict[str, RocketChatRoom] = {}

    @property
    def origin(self) -> str:
        """Return a digest of the first user, the server's admin: ids such as `GENERAL` are those of every server."""
        for raw, _ in self._documents("user", lambda _: None):
            try:
                if (id_ := parse_value(raw)["_id"]) != "rocket.cat":
                    return f"rocketchat:{digest(str(id_))}"
            except INVALID:
                continue
        return "rocketchat:"

    def read(self, progress: Progress) -> Iterator[Item]:
        """Yield users, rooms, messages, then the pins and members."""
        for raw, place in self._documents("user", progress):
            yield from guarded(partial(self._user, raw), {}, (), place)
        for raw, place in self._documents("room", progress):
            yield from guarded(partial(self._room, raw), {}, (), place)
        self._look_ahead()
        for raw, place in self._documents("message", progress):
            try:
                message = parse_value(raw)
                room = self._rooms.get(message["rid"])
                if room is None:
                    yield from self._room(b"", {"_id": message["rid"], "t": "p", "name": message["rid"]})
                    room = self._rooms[message["rid"]]
            except INVALID as error:
                yield LineError(place, f"is not a message: {error!r}")
                continue
            known = MACHINERY | {"msg"} if message.get("t") == "e2e" else MACHINERY
            items = guarded(partial(room.read, message, place), message, known, place, room.words)
            yield from self._users.take_new()
            yield from items
        for room in self._rooms.values():
            yield from room.end()

    def _look_ahead(self) -> None:
        """Note all messages: MongoDB returns them in any order, so that a reply may come before what it answers."""
        for raw, _ in self._documents("message", lambda _: None):
            try:
                message = parse_value(raw)
                if (room := self._rooms.get(message["rid"])) is not None:
                    room.foresee(message)
            except INVALID:
                continue  # reported when the messages are read

    def _documents(self, kind: str, progress: Progress) -> Iterator[tuple[bytes, str]]:
        """Yield `(JSON, place)` of each document: a line each, several lines each, or the items of a list."""
        if (name := self.collections.get(kind)) is None:
            return
        with closing(self._open(name)) as file:
            start = next((line for _, line in read_lines(file, lambda _: None, SAMPLE)), b"").strip()
        with closing(self._open(name)) as file:
            if start[:1] != b"[":
                lines = read_lines(file, progress)
                for number, line in indented(lines) if start == b"{" else lines:
                    yield line, f"{name}:{number}"
                return
            try:
                for path, raw, number in JsonReader(file, progress).values({()}):
                    if path == ("*",):
                        yield raw, f"{name}:{number}"
            except ValueError as error:
                yield b"", f"{name}: {error}"

    def _user(self, raw: bytes) -> list[Item]:
        user = parse_value(raw)
        username = str(user.get("username") or user["_id"])
        addresses = [one.get("address") for one in user.get("emails") or ()]
        roles = user.get("roles") or []
        made = time_of(user["createdAt"]) if user.get("createdAt") else None
        self._names[username] = self._users.add(
            str(user["_id"]),
            username,
            user.get("name"),
            username,
            email=next((found for one in addresses if (found := email(one))), None),
            role="admin" if "admin" in roles else "member",
            about=one_line(str(user.get("bio") or user.get("statusText") or ""), 200),
            created_at=made,
            disabled_at=made if user.get("active") is False else None,
        )
        return self._users.take_new()

    def _room(self, raw: bytes, given: Json | None = None) -> Iterator[Item]:
        room = given or parse_value(raw)
        ids = [str(one) for one in room.get("uids") or ()]
        people = [self._users.add(one, one) for one in ids]
        direct = room.get("t") == "d" and 1 <= len(set(people)) <= 2
        kind = "direct" if direct else "group" if room.get("t") == "d" else "channel"
        members = list(dict.fromkeys(people)) if room.get("t") == "d" else []
        yield from self._users.take_new()
        self._rooms[room["_id"]] = RocketChatRoom(room["_id"], members, self._users, self._names, self._uploads)
        yield ConversationRecord.model_validate(
            {
                "id": room["_id"],
                "kind": kind,
                "name": title(room.get("fname"), room.get("name"), room["_id"]) if kind == "channel" else "",
                "topic": topic(room.get("topic") or room.get("description")) if kind != "direct" else "",
                "private": room.get("t") != "c",
                "people": members if direct else [],
                "created_at": time_of(room["ts"]) if room.get("ts") else None,
                "archived_at": time_of(room["_updatedAt"]) if room.get("archived") and room.get("_updatedAt") else None,
                "read_only": bool(room.get("ro")),
            }
        )


def indented(lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Yield `(line, JSON)` of documents that `mongoexport --pretty` writes: each from a line `{` to a line `}`.

    A document that is not closed costs nothing but itself, and one that is too long is cut.
    """
    found: list[bytes] = []
    begun = size = 0
    for number, line in lines:
        if line.rstrip() == b"{" and found:
            yield begun, b"".join(found)
            found = []
        begun, size = (begun, size + len(line)) if found else (number, len(line))
        if not found or size <= MAX_VALUE:
            found.append(line)
        if line[:1] == b"}":
            yield begun, b"".join(found)
            found = []
    if found:
        yield begun, b"".join(found)


def time_of(value: object) -> datetime:
    """Return a time of MongoDB's JSON: `{"$date": …}` with ISO 8601 or milliseconds. Raise `ValueError`."""
    while isinstance(value, dict):
        value = value.get("$date", value.get("$numberLong"))
    if isinstance(value, str) and not value.isdecimal():
        return datetime.fromisoformat(value)
    return moment(float(str(value)) / 1000)


class RocketChatRoom:
    """The messages of a room."""

    def __init__(
        self, key: str, people: list[str], users: ForeignUsers, names: dict[str, str], uploads: dict[str, str]
    ) -> None:
        self._people, self._users, self._names, self._uploads = people, users, names, uploads
        self._messages = ForeignMessages(key, "", named=True)
        self._pins: list[Item] = []

    def end(self) -> Iterator[Item]:
        """Yield the pins and the members."""
        yield from self._pins
        yield from self._messages.member_records(self._people)

    def words(self, text: str) -> str:
        """Return a text as readers see it: without the address of a quoted message."""
        return show_emoji(QUOTED.sub("", text))

    def foresee(self, message: Json) -> None:
        """Note a message that will be read later."""
        root = str(message.get("tmid") or "")
        self._messages.foresee(client_id(str(message["_id"])), self._user(message["u"]), root)

    def _user(self, user: Json) -> str:
        username = str(user.get("username") or user["_id"])
        self._names[username] = self._users.add(str(user["_id"]), username, user.get("name"), username)
        return self._names[username]

    def read(self, message: Json, place: str) -> Iterator[Item]:
        """Yield the records of a message."""
        author, at, kind = self._user(message["u"]), time_of(message["ts"]), str(message.get("t") or "")
        number, root = client_id(str(message["_id"])), str(message.get("tmid") or "")
        if root and self._messages.find(root) is None:
            yield SkippedItem(OUTSIDE, place)
            root = ""
        written = str(message.get("msg") or "")
        answered = QUOTED.search(written)
        reply = self._messages.ref(answered[1]) if answered else None
        called = [one for one in message.get("mentions") or () if isinstance(one, dict)]
        everyone = {str(one.get("_id")) for one in called} & {"all", "here"}
        files = [*self._files(message)]
        yield from (SkippedItem(MISSING_FILE, place) for one in files if not one.path)
        reactions, skipped = collect_reactions(self._reactions(message), place)
        skipped += [SkippedItem("texts that are encrypted", place)] if kind == "e2e" else []
        yield from skipped
        deleted = {"deleted_at": at} if kind == "rm" else {}
        items = self._messages.write(
            number,
            author,
            at,
            "" if deleted else self._text(message, kind, QUOTED.sub("", written) if reply else written),
            root or 0,
            edited_at=time_of(message["editedAt"]) if message.get("editedAt") and not deleted else None,
            reply_to=reply,
            mentions=[self._user(one) for one in called if one.get("_id") not in ("all", "here")],
            mentions_all="channel" if "all" in everyone else "here" if everyone else None,
            reactions=reactions,
            files=files,
            **deleted,
        )
        yield from items
        if message.get("tshow") and root and isinstance(items[0], MessageRecord):
            yield in_channel(items[0])
        if message.get("pinned") and (ref := self._messages.ref(number)):
            by = self._user(message["pinnedBy"]) if message.get("pinnedBy") else author
            self._pins.append(PinRecord(conversation=self._messages.key, message=ref, user=by))

    def _text(self, message: Json, kind: str, written: str) -> str:
        """Return the text and what is attached to it. An event is one line."""
        if kind == "e2e":
            return "_encrypted message_"
        if kind:
            words = EVENTS.get(kind, kind.replace("_", " ").replace("-", " "))
            written = f"_{words} {written}_" if written else f"_{words}_"
        for user in message.get("mentions") or ():
            if isinstance(user, dict) and user.get("username") and user.get("_id") not in ("all", "here"):
                parts = CODE.split(written)
                call = re.compile(rf"@{re.escape(str(user['username']))}(?![\w-])")
                parts[::2] = [call.sub(f"@{self._user(user)}", part) for part in parts[::2]]
                written = "".join(parts)
        alias = f"**{message['alias']}**: " if message.get("alias") else ""
        text = alias + keep_hashes(show_emoji(from_single_marks(written)))
        beside = [*map(attached, message.get("attachments") or ()), *words_of(message.get("blocks")), place_of(message)]
        return "\n".join(part for part in (text, *beside) if part)

    def _files(self, message: Json) -> Iterator[AttachmentRecord]:
        """Yield the files, which are found by their ids."""
        for one in message.get("files") or ([message["file"]] if message.get("file") else []):
            if not str(one.get("name") or "").startswith("thumb-"):
                path = self._uploads.get(str(one.get("_id")))
                yield file_record(one.get("name"), path, size=one.get("size"), type_=one.get("type") or "")

    def _reactions(self, message: Json) -> Iterator[tuple[str, list[str], int]]:
        for name, one in (message.get("reactions") or {}).items():
            users = [self._names.get(user) or self._users.add(user, user) for user in one.get("usernames") or ()]
            yield find_emoji(name.strip(":")) or name, users, len(users)


def in_channel(reply: MessageRecord) -> MessageRecord:
    """Return a copy of a reply that was also sent to the channel."""
    id_ = client_id(f"{reply.client_id}-channel")
    fields: Json = {
        "client_id": id_,
        "thread": None,
        "reply_to": reply.thread,
        "reactions": [],
        "mentions": [],
        "files": [],
    }
    return reply.model_copy(update=fields | {"mentions_all": None})


def words_of(blocks: object) -> list[str]:
    """Return the texts of blocks, which apps write. Works through any nesting."""
    found: list[str] = []
    waiting = [blocks]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += reversed(one)
        elif isinstance(one, dict):
            if one.get("type") in ("mrkdwn", "plain_text") and isinstance(one.get("text"), str):
                found.append(show_emoji(from_single_marks(one["text"])))
            else:
                waiting += reversed(list(one.values()))
    return found


def place_of(message: Json) -> str:
    """Return the place that a message shares: latitude and longitude."""
    location = message.get("location")
    point = location.get("coordinates") if isinstance(location, dict) else None
    return ", ".join(str(one) for one in reversed(point)) if isinstance(point, list) and len(point) == 2 else ""


def attached(one: Json) -> str:
    """Return what an integration, a quoted message or a described file shows, as quoted lines."""
    link = str(one.get("title_link") or "")
    is_file = one.get("type") == "file" or link.startswith("/file-upload/")
    if is_file:
        shown = [one.get("description")]
        return "\n".join(str(line) for line in shown if line)
    name = str(one.get("title") or "")
    lines = [one.get("pretext"), one.get("author_name"), f"[{name}](<{link}>)" if link.startswith("http") else name]
    lines += [one.get("text"), one.get("description")]
    lines += [f"**{field.get('title')}**: {field.get('value')}" for field in one.get("fields") or ()]
    lines += [one[field] for field in ("image_url", "audio_url", "video_url") if str(one.get(field)).startswith("http")]
    lines += [action.get("text") for action in one.get("actions") or () if isinstance(action.get("text"), str)]
    lines += map(attached, one.get("attachments") or ())
    return quote("\n".join(str(line) for line in lines if line))
