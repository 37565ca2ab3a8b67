"""Telegram Desktop's `result.json`: one chat, or the chats of an account. It may have gigabytes."""

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from datetime import datetime, tzinfo
from pathlib import PurePosixPath
from typing import IO, Any

from chat.transfer.foreign import (
    INVALID,
    MISSING_FILE,
    OUTSIDE,
    ForeignMessages,
    ForeignUsers,
    JsonReader,
    MessageId,
    collect_reactions,
    file_record,
    guarded,
    keep_hashes,
    parse_value,
    quote,
)
from chat.transfer.records import AttachmentRecord, ConversationRecord, Item, LineError, PinRecord, Ref, SkippedItem
from chat.transfer.slack_markup import literal
from chat.transfer.text import moment, title

Json = dict[str, Any]
FindFile = Callable[[str], str | None]
CHATS = [(), *((name, *rest) for name in ("chats", "left_chats") for rest in ((), ("list",)))]
ENTERED = {
    *CHATS,
    ("messages",),
    *((*path, "*", *rest) for path in CHATS if path[1:] for rest in ((), ("messages",))),
}
DIRECT = {"personal_chat", "bot_chat", "saved_messages"}
CHANNEL = {"private_channel", "public_channel", "private_supergroup", "public_supergroup"}
FIRST_OTHER = 2**32  # ids in exports before 2021: those of users are smaller

# Fields without words that a reader would miss: ids, types, times, sizes, and names that stand in records of users.
MACHINERY = {
    "type", "date", "date_unixtime", "edited", "edited_unixtime", "from", "from_id", "actor", "actor_id", "action",
    "forwarded_from_id", "saved_from_id", "reply_to_peer_id", "photo", "file", "thumbnail", "mime_type", "media_type",
    "reactions", "text_entities.type", "text_entities.document_id", "text.type", "text.document_id", "discard_reason",
    "contact_vcard", "dataBase64", "button_id",
}  # fmt: skip


class TelegramExport:
    """The chats of a `result.json`, as items. `media`: the paths of files in the archive.

    `zone`: that of times in exports before 2021, which name none.
    """

    def __init__(self, open_file: Callable[[], IO[bytes]], place: str, media: Collection[str], zone: tzinfo) -> None:
        self._open, self._place, self._media, self._zone = open_file, place, media, zone
        self._users = ForeignUsers()
        self._me = ""

    def read(self, progress: Callable[[int], object]) -> Iterator[Item]:
        """Yield each chat with its messages and members."""
        with closing(self._open()) as file:
            self._me = self._find_owner(JsonReader(file, int))
        with closing(self._open()) as file:
            yield from self._read(JsonReader(file, progress))

    def _find_owner(self, reader: JsonReader) -> str:
        """Return the id of the exported account: the one in a direct chat that the chat is not named after."""
        other = ""
        try:
            for path, raw, _ in reader.values(ENTERED):
                if path == ("personal_information",):
                    return f"user{parse_value(raw)['user_id']}"
                if path == ("messages",) and not other.startswith(("user", "saved")):
                    return ""  # a group or channel alone
                if path[-1:] == ("type",):
                    other = raw.decode()[1:-1]
                elif path[-1:] == ("id",) and other in ("personal_chat", "bot_chat"):
                    other = f"user{int(raw)}"
                elif path[-2:] == ("messages", "*") and other.startswith(("user", "saved")):
                    from_id = peer_id(parse_value(raw).get("from_id"))
                    if from_id.startswith("user") and from_id != other:
                        self._users.add(from_id, *[str(parse_value(raw).get("from") or "Deleted Account")] * 2)
                        return from_id
        except INVALID:
            pass  # reported by the second reading
        return ""

    def _read(self, reader: JsonReader) -> Iterator[Item]:
        head: Json = {}
        chat: TelegramChat | None = None
        line = 1
        try:
            for path, raw, line in reader.values(ENTERED):
                place = f"{self._place}:{line}"
                if path[-1:] == ("*",) and not raw and path[-2] == "list":
                    yield from chat.end() if chat else ()
                    head, chat = {}, None
                elif path[-2:] == ("messages", "*"):
                    yield from chat.read(raw, place) if chat else ()
                elif path[-1:] == ("messages",):
                    chat = TelegramChat(head, self._users, self._me, self._find_file, self._zone)
                    yield from guarded(chat.begin, {}, (), place)
                else:
                    yield from self._note(head, path, raw, place)
        except ValueError as error:
            yield LineError(f"{self._place}:{line}", f"The file {error}")
        yield from chat.end() if chat else ()

    def _find_file(self, path: str) -> str | None:
        """Return the path of a file in the archive, from that in the export."""
        found = str(PurePosixPath(self._place).parent / path)
        return found if found in self._media else None

    def _note(self, head: Json, path: tuple[str, ...], raw: bytes, place: str) -> Iterator[Item]:
        """Note a field of the chat. Other parts of an account, such as contacts and sessions, have no place."""
        if not raw:
            return
        if path[-1] in ("name", "type", "id"):
            head[path[-1]] = parse_value(raw)
        elif path[-1] == "personal_information":
            yield from guarded(lambda: self._owner(parse_value(raw)), {}, (), place)
        elif raw[:1] in b"{[":
            yield SkippedItem(f"lists of {path[-1].replace('_', ' ')}", place)

    def _owner(self, owner: Json) -> list[Item]:
        username = str(owner.get("username") or "").lstrip("@")
        full = f"{owner.get('first_name') or ''} {owner.get('last_name') or ''}".strip()
        self._users.add(f"user{owner['user_id']}", username or full, full, username)
        return self._users.take_new()


class TelegramChat:
    """One chat. In a forum, each topic is a thread."""

    def __init__(self, head: Json, users: ForeignUsers, me: str, find_file: FindFile, zone: tzinfo) -> None:
        self._head, self._users, self._me, self._find_file, self._zone = head, users, me, find_file, zone
        kind, number = str(head.get("type") or ""), head.get("id") or 0
        self._direct = kind in DIRECT
        other = f"user{number}" if kind != "saved_messages" else me
        pair = ":".join(sorted({me or other, other}))
        self.key = f"direct:{pair}" if self._direct else f"{'channel' if kind in CHANNEL else 'chat'}{number}"
        prefix = "tg-" if kind in CHANNEL else f"tg-{me or 'x'}-"  # elsewhere each account has ids of its own
        self._messages = ForeignMessages(self.key, prefix)
        self._topics: dict[int, int] = {}
        self._people: list[str] = []

    def begin(self) -> Iterator[Item]:
        """Yield the conversation."""
        kind, name = str(self._head.get("type") or ""), self._head.get("name")
        people: list[str] = []
        if self._direct and self._me:
            other = self._me if kind == "saved_messages" else f"user{self._head['id']}"
            people = self._people = list(dict.fromkeys((self._user(self._me, None), self._user(other, name))))
            for person in people:
                self._messages.add_member(person)
        yield from self._users.take_new()
        yield ConversationRecord(
            id=self.key,
            kind="direct" if people else "channel",
            name="" if people else title(name, kind.replace("_", " ")),
            private=not kind.startswith("public"),
            people=people,
        )

    def read(self, raw: bytes, place: str) -> Iterator[Item]:
        """Yield the items of one message."""
        try:
            message = parse_value(raw)
        except ValueError as error:
            yield LineError(place, f"is not a message: {error}")
            return
        items = guarded(lambda: self._message(message, place), message, MACHINERY, place)
        yield from self._users.take_new()
        yield from items

    def end(self) -> Iterator[Item]:
        """Yield the members."""
        yield from self._messages.member_records(self._people)

    def _user(self, id_: str, name: object) -> str:
        shown = name if isinstance(name, str) and name.strip() else "Deleted Account"
        return self._users.add(id_, shown, shown)

    def _message(self, message: Json, place: str) -> Iterator[Item]:
        kind, number = message["type"], int(message["id"])
        if kind not in ("message", "service"):
            yield SkippedItem(f"messages of the type {kind}", place)
            return
        label = "actor" if kind == "service" else "from"
        id_, name = peer_id(message.get(f"{label}_id")), message.get(label)
        author = self._user(id_, name) if id_ else self._user(self.key, name or self._head.get("name"))
        thread, reply = self._place_of(message)
        answered = bool(message.get("reply_to_message_id")) and kind == "message"
        if message.get("action") == "topic_created":
            self._topics[number] = number
        files, skipped = self._files(message, place)
        reactions, without = collect_reactions(self._reactions(message), place)
        yield from [*skipped, *without, *([SkippedItem(OUTSIDE, place)] if answered and not (thread or reply) else [])]
        text, mentions = TelegramText(self._users, self._me).write(message)
        at, edited_at = self._time(message, "date"), self._time(message, "edited") if message.get("edited") else None
        yield from self._messages.write(
            number,
            author,
            at,
            text,
            thread,
            edited_at=edited_at if edited_at and edited_at >= at else None,  # old exports: 1970 if it was not edited
            reply_to=reply,
            mentions=mentions,
            reactions=reactions,
            files=files,
        )
        pinned = message.get("action") == "pin_message" and self._messages.ref(int(message.get("message_id") or 0))
        if isinstance(pinned, Ref):
            yield PinRecord(conversation=self.key, message=pinned, user=author)

    def _place_of(self, message: Json) -> tuple[MessageId, Ref | None]:
        """Return the thread, which is a topic, and the message that is replied to."""
        number = message.get("reply_to_message_id")
        if not isinstance(number, int) or peer_id(message.get("reply_to_peer_id")) not in ("", self.key):
            return 0, None
        found = self._messages.find(number)
        if number in self._topics or not found:
            return self._topics.get(number, 0), None
        return found[1], self._messages.ref(number)

    def _time(self, message: Json, name: str) -> datetime:
        if seconds := message.get(f"{name}_unixtime"):
            return moment(float(seconds))
        return datetime.fromisoformat(message[name]).replace(tzinfo=self._zone)

    def _files(self, message: Json, place: str) -> tuple[list[AttachmentRecord], list[SkippedItem]]:
        """Return the files. The export names those that it leaves out by a sentence in brackets."""
        files: list[AttachmentRecord] = []
        skipped: list[SkippedItem] = []
        for field in ("photo", "file", "contact_vcard"):
            path = message.get(field)
            if not isinstance(path, str) or not path:
                continue
            unsaid = path.endswith(")") and "(" in path and "/" not in path
            name = message.get("file_name") or (field if unsaid else path.rpartition("/")[2])
            size = message.get("photo_file_size") or message.get("file_size") or 0
            files.append(file_record(name, self._find_file(path), size=size))
            skipped += [] if files[-1].path else [SkippedItem(MISSING_FILE, place)]
        return files, skipped

    def _reactions(self, message: Json) -> Iterator[tuple[str, list[str], int]]:
        for one in message.get("reactions") or ():
            recent = [(peer_id(who.get("from_id")), who.get("from")) for who in one.get("recent") or ()]
            names = [self._user(id_, name) for id_, name in recent if id_]
            yield str(one.get("emoji") or one.get("type")), names, int(one.get("count") or 0)


def peer_id(value: object) -> str:
    """Return the id of a user, group or channel, such as `user123`. Exports before 2021 have numbers."""
    if isinstance(value, int):
        return f"user{value}" if value < FIRST_OTHER else f"peer{value}"
    return value if isinstance(value, str) else ""


# Texts. Pure.

STYLES = {"bold": "**", "italic": "_", "strikethrough": "~~"}
EDGES = re.compile(r"^(\s*)(\S|\S.*\S)(\s*)$")
SENTENCES = {
    "pin_message": "pinned a message",
    "invite_members": "invited",
    "remove_members": "removed",
    "join_group_by_link": "joined by an invite link",
    "join_group_by_request": "joined by a request",
    "create_group": "created the group",
    "create_channel": "created the channel",
    "edit_group_title": "changed the name to",
    "topic_created": "created the topic",
    "phone_call": "called",
}
UNTOLD = MACHINERY | {
    "id", "message_id", "width", "height", "duration_seconds", "file_name", "file_size", "photo_file_size",
    "thumbnail_file_size", "reply_to_message_id", "text", "text_entities", "forwarded_from", "saved_from",
    "sticker_emoji", "media_spoiler", "contact_vcard_file_size",
}  # fmt: skip


class TelegramText:
    """Writes the text of a message as Markdown."""

    def __init__(self, users: ForeignUsers, me: str) -> None:
        self._users, self._me, self._mentions = users, me, dict[str, None]()

    def write(self, message: Json) -> tuple[str, list[str]]:
        """Return the text, with everything that is told beside it, and the names of mentioned users."""
        text = self._entities(message.get("text_entities") or message.get("text") or "")
        if message.get("type") == "service":
            return self._service(message, text), list(self._mentions)
        if "forwarded_from" in message or "saved_from" in message:
            source = message.get("forwarded_from") or message.get("saved_from") or "a deleted account"
            text = f"_Forwarded from {source}:_\n{quote(text)}".rstrip()
        sticker = message.get("sticker_emoji") if not text else None
        beside = (describe(name, value) for name, value in message.items() if name not in UNTOLD)
        return "\n".join(str(part) for part in (text, sticker, *beside) if part), list(self._mentions)

    def _service(self, message: Json, text: str) -> str:
        """Return what an event in the chat was, such as a call, in one line."""
        action = str(message.get("action") or "")
        action = SENTENCES.get(action, action.replace("_", " "))
        told = [describe("", value) for name, value in message.items() if name not in UNTOLD]
        return " ".join(f"_{message.get('actor') or 'Telegram'} {action}_ {' '.join(told)} {text}".split())

    def _entities(self, text: object) -> str:
        if isinstance(text, str):
            return keep_hashes(literal(text))
        return keep_hashes("".join(self._entity(one) for one in text)) if isinstance(text, list) else ""

    def _entity(self, entity: object) -> str:
        if not isinstance(entity, dict):
            return literal(str(entity))
        kind, text = entity.get("type"), str(entity.get("text") or "")
        match kind:
            case "code":
                return f"`{text}`" if "`" not in text and "\n" not in text else fence(text, "")
            case "pre":
                return fence(text, str(entity.get("language") or ""))
            case "blockquote":
                return f"\n{quote(text)}\n\n"
            case "text_link":
                return link_to(text, str(entity.get("href") or ""))
            case "mention_name" if name := self._users.get(f"user{entity.get('user_id')}"):
                self._mentions[name] = None
                return f"@{name}" if name == text.lower() else f"@{name} ({text})"
            case "bold" | "italic" | "strikethrough":
                return styled(text, STYLES[kind])
            case "plain":
                return literal(text)
        return text


def styled(text: str, mark: str) -> str:
    """Return the text with a mark around each line, inside of the white space around it."""
    lines = text.split("\n")
    return "\n".join(EDGES.sub(rf"\1{mark}\2{mark}\3", line, count=1) if line.strip() else line for line in lines)


def fence(text: str, language: str) -> str:
    """Return a block of code."""
    return f"\n```{language if language.isalnum() else ''}\n{text.strip(chr(10))}\n```\n"


def link_to(text: str, url: str) -> str:
    """Return a link of Markdown, or the text if the address is none of the web."""
    if not url.startswith(("https://", "http://")):
        return f"{text} ({url})" if url else text
    return "[{}](<{}>)".format(text.replace("[", "(").replace("]", ")"), url.replace("<", "%3C").replace(">", "%3E"))


def describe(name: str, value: object) -> str:
    """Return a field of any shape as text: its label, if any, and all values in it."""
    found: list[str] = []
    waiting: list[tuple[str, object]] = [(name, value)]
    while waiting:
        label, one = waiting.pop()
        if isinstance(one, dict):
            waiting += [(str(key), below) for key, below in reversed(one.items()) if key not in MACHINERY]
        elif isinstance(one, list):
            waiting += [("", below) for below in reversed(one)]
        elif isinstance(one, str | int | float) and not isinstance(one, bool) and one != "":
            found.append(f"{label.replace('_', ' ')}: {one}" if label and label != "text" else str(one))
    return ", ".join(found)
