"""Channels of Discord as DiscordChatExporter writes them: a JSON file each, alone, in a folder or in a ZIP."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import PurePosixPath
from typing import IO, Any

from chat.transfer.foreign import (
    CODE,
    INVALID,
    MISSING_FILE,
    OUTSIDE,
    ForeignEmoji,
    ForeignMessages,
    ForeignUsers,
    JsonReader,
    collect_reactions,
    dicts_in,
    file_record,
    guarded,
    keep_hashes,
    parse_value,
    quote,
)
from chat.transfer.records import AttachmentRecord, ConversationRecord, Item, LineError, PinRecord, Ref, SkippedItem
from chat.transfer.text import clean, title, topic

Json = dict[str, Any]
ENTERED = {(), ("messages",)}
ITEM = ("messages", "*")
SAID = {"Default", "Reply", "19", "20", "23"}  # other types are events, whose text the exporter writes
REPLIES = {"Reply", "19"}
STARTER = "21"  # the first message of a thread again, without its text

# Fields without words that a reader would miss. Users and their roles stand in records of users.
MACHINERY = {
    "type", "timestamp", "timestampEdited", "callEndedTimestamp", "author.roles", "author.color", "author.avatarUrl",
    "author.discriminator", "author.name", "author.nickname", "mentions", "reactions", "inlineEmojis", "reference",
    "color", "iconUrl", "iconCanonicalUrl", "canonicalUrl", "stickers.format", "forwardedMessage.stickers.format",
    "interaction.user", "embeds.thumbnail.width", "roles",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DiscordFile:
    """A file of an export. `media`: the paths of files in the archive."""

    open: Callable[[], IO[bytes]]
    name: str
    media: Collection[str] = ()

    def find(self, url: str) -> str | None:
        """Return the path of a file in the archive, from that in the export. Windows writes backslashes."""
        found = str(PurePosixPath(self.name).parent / url.replace("\\", "/"))
        return found if found in self.media else None


class DiscordExport:
    """The channels in some files, as items. Threads come after the channels that they belong to."""

    def __init__(self, files: Sequence[DiscordFile]) -> None:
        self._files = files
        self._users = DiscordUsers()
        self._channels: dict[str, DiscordChannel] = {}
        self._titles: dict[str, str] = {}

    def read(self, progress: Callable[[int], object]) -> Iterator[Item]:
        """Yield each channel with its messages, then the pins and members."""
        heads: list[tuple[DiscordFile, Json]] = []
        for file in self._files:
            try:
                heads.append((file, read_head(file)))
                self._titles[heads[-1][1]["channel"]["id"]] = str(heads[-1][1]["channel"].get("name") or "")
            except INVALID as error:
                yield LineError(f"{file.name}:1", f"is not a channel of Discord: {error}")
        for file, head in sorted(heads, key=place_in_order):
            self._users.file = file
            yield from guarded(partial(self._begin, file, head), {}, (), f"{file.name}:1")
            yield from self._users.take_new()
            if (channel := self._channels.get(conversation_of(head["channel"]))) is not None:
                yield from channel.read(file, DiscordThread(head["channel"], channel), progress)
        for channel in self._channels.values():
            yield from channel.end()

    def _begin(self, file: DiscordFile, head: Json) -> Iterator[Item]:
        """Yield the conversation of a file, unless an earlier file has it."""
        channel = head["channel"]
        key, kind = conversation_of(channel), str(channel.get("type"))
        if key in self._channels:
            return
        thread = "Thread" in kind
        people = find_pair(file, self._users) if kind == "DirectTextChat" else []
        self._channels[key] = DiscordChannel(key, people, self._users, self._titles)
        yield from self._users.take_new()
        yield ConversationRecord(
            id=key,
            kind="direct" if people else "channel",
            name="" if people else title(channel.get("category" if thread else "name"), channel.get("name")),
            topic="" if people or thread else topic(channel.get("topic")),
            private="Direct" in kind or kind == "GuildPrivateThread",
            people=people,
        )


def conversation_of(channel: Json) -> str:
    """Return the key of the channel that a file's messages belong to: a thread's parent."""
    parent = channel.get("categoryId") if "Thread" in str(channel.get("type")) else None
    return str(parent or channel["id"])


def place_in_order(one: tuple[DiscordFile, Json]) -> tuple[bool, int]:
    """Return the place of a file: threads last, the parts of a channel in their order."""
    part = PART.search(one[0].name)
    return "Thread" in str(one[1]["channel"].get("type")), int(part[1]) if part else 1


def read_head(file: DiscordFile) -> Json:
    """Return the fields before the messages. Raise `ValueError` or `KeyError` if there is no channel."""
    head: Json = {}
    with closing(file.open()) as opened:
        for path, raw, _ in JsonReader(opened, int).values(ENTERED):
            if path[:1] == ("messages",):
                break
            if raw:
                head[path[0]] = parse_value(raw)
    head["channel"] |= {"id": str(int(head["channel"]["id"]))}
    return head


def read_ahead(file: DiscordFile) -> Iterator[Json]:
    """Yield the messages of a file, as far as it can be read."""
    try:
        with closing(file.open()) as opened:
            for path, raw, _ in JsonReader(opened, int).values(ENTERED):
                if path == ITEM and raw:
                    yield parse_value(raw)
    except INVALID:
        pass  # reported when the messages are read


def find_pair(file: DiscordFile, users: "DiscordUsers") -> list[str]:
    """Return the two authors of a direct chat, or nobody if only one of them has written."""
    found: dict[str, Json] = {}
    for message in read_ahead(file):
        author = message.get("author")
        if isinstance(author, dict) and "id" in author:
            found.setdefault(str(author["id"]), author)
        if len(found) == 2:
            return [users.name_of(author) for author in found.values()]
    return []


class DiscordUsers(ForeignUsers):
    """The users of Discord, and its custom emoji. A webhook writes under a name of its own with each message.

    `file`: the one being read.
    """

    file: DiscordFile | None = None

    def __init__(self) -> None:
        super().__init__()
        self.custom = ForeignEmoji()
        self._emoji: set[str] = set()  # their ids

    def take_emoji(self, message: Json, file: DiscordFile, place: str) -> Iterator[Item]:
        """Yield each custom emoji of a message that no message before it has."""
        reacted = [one.get("emoji") for one in dicts_in(message.get("reactions"))]
        for emoji in dicts_in([*reacted, message.get("inlineEmojis")]):
            id_, url = str(emoji.get("id") or ""), str(emoji.get("imageUrl") or "")
            if id_ and id_ not in self._emoji:
                self._emoji.add(id_)
                picture = file_record(f"{emoji.get('name')}.png", file.find(url), url)
                yield self.custom.add(emoji.get("name"), picture, place)

    def name_of(self, user: Json) -> str:
        """Return the name of a user in the records."""
        name, nickname = str(user.get("name") or "?"), user.get("nickname")
        webhook = user.get("isBot") and user.get("discriminator") == "0000"
        id_ = f"{user['id']}:{name}" if webhook else str(user["id"])
        if (known := self.get(id_)) is not None:
            return known
        url = str(user.get("avatarUrl") or "")
        path = self.file.find(url) if self.file and url else None
        avatar = file_record("avatar", path, url) if path or url.startswith("https://") else None
        return self.add(id_, name, nickname, name, avatar=avatar)


@dataclass(slots=True)
class DiscordThread:
    """The thread that a file has, if it is none of a channel itself. `root`: its first message in the channel.

    `first`: the first message of a file that begins with the newest one.
    """

    channel: Json
    parent: "DiscordChannel"
    root: int = 0
    named: bool = False
    first: int = 0

    @property
    def is_thread(self) -> bool:
        """Return whether the file has a thread."""
        return "Thread" in str(self.channel.get("type"))

    def place(self, number: int) -> tuple[int, str]:
        """Return the first message of the thread, or 0, and the name of the thread where it begins."""
        if not self.is_thread:
            return 0, ""
        name = str(self.channel.get("name") or "") if self.first == number or not (self.first or self.named) else ""
        self.named = True
        own, first = int(self.channel["id"]), self.first or number
        self.root = self.root or self.parent.starts.get(own) or (own if self.parent.messages.find(own) else first)
        return (0 if self.root == number else self.root), name


class DiscordChannel:
    """A channel with its threads."""

    def __init__(self, key: str, people: list[str], users: DiscordUsers, titles: dict[str, str]) -> None:
        self._people, self._users, self._titles = people, users, titles
        self.messages = ForeignMessages(key, "dc-")
        self.starts: dict[int, int] = {}  # announcements of threads, by the threads' ids
        self._pinned: dict[int, Ref] = {}
        self._pinned_by: dict[int, str] = {}

    def read(self, file: DiscordFile, thread: DiscordThread, progress: Callable[[int], object]) -> Iterator[Item]:
        """Yield the items of a file's messages."""
        line = 1
        self._look_ahead(file, thread)
        try:
            with closing(file.open()) as opened:
                for path, raw, line in JsonReader(opened, progress).values(ENTERED):
                    if path == ITEM:
                        yield from self._read_one(raw, f"{file.name}:{line}", file, thread)
        except ValueError as error:
            yield LineError(f"{file.name}:{line}", f"The file {error}")

    def _look_ahead(self, file: DiscordFile, thread: DiscordThread) -> None:
        """Note the messages of a file that begins with the newest one: its replies come before what they answer."""
        messages = read_ahead(file)
        try:
            first = [int(one["id"]) for one in islice(messages, 2)]
            if len(first) == 2 and first[0] > first[1]:
                for one in read_ahead(file):
                    self.messages.foresee(int(one["id"]), self._users.name_of(one["author"]))
                    thread.first = min(thread.first or int(one["id"]), int(one["id"]))
        except INVALID:
            pass  # reported when the messages are read

    def _read_one(self, raw: bytes, place: str, file: DiscordFile, thread: DiscordThread) -> Iterator[Item]:
        try:
            message = parse_value(raw)
        except ValueError as error:
            yield LineError(place, f"is not a message: {error}")
            return
        items = guarded(
            lambda: self._message(message, place, file, thread),
            message,
            MACHINERY,
            place,
            lambda text: self._call(text, message),
        )
        yield from self._users.take_new()
        yield from items

    def end(self) -> Iterator[Item]:
        """Yield the pins and the members."""
        for number, ref in sorted(self._pinned.items()):
            by = self._pinned_by.get(number, ref.author)
            yield PinRecord(conversation=self.messages.key, message=ref, user=by)
        yield from self.messages.member_records(self._people)

    def _message(self, message: Json, place: str, file: DiscordFile, thread: DiscordThread) -> Iterator[Item]:
        kind, number, author = str(message["type"]), int(message["id"]), self._users.name_of(message["author"])
        reference = message.get("reference") or {}
        target = int(reference.get("messageId") or 0)
        if kind == STARTER and not message.get("content"):
            yield SkippedItem("repetitions of the first message of a thread", place)
            return
        if kind == "ThreadCreated" and str(reference.get("channelId") or "").isdigit():
            self.starts[int(reference["channelId"])] = number
        if kind == "ChannelPinnedMessage":
            self._pinned_by[target] = author
        root, heading = thread.place(number)
        yield from self._users.take_emoji(message, file, place)
        reactions, skipped = collect_reactions(self._reactions(message), place, self._users.custom)
        files = files_of(message, file)
        missing = [SkippedItem(MISSING_FILE, place) for one in files if not one.path and not one.url]
        missing += [SkippedItem(OUTSIDE)] if kind in REPLIES and self.messages.ref(target) is None else []
        yield from [*skipped, *missing]
        called = {
            found[1] for part in CODE.split(str(message.get("content") or ""))[::2] for found in ALL.finditer(part)
        }
        yield from self.messages.write(
            number,
            author,
            time_of(message["timestamp"]),
            self._text(message, kind, heading),
            root,
            edited_at=time_of(message["timestampEdited"]) if message.get("timestampEdited") else None,
            reply_to=self.messages.ref(target) if kind in SAID and reference.get("type") != "Forward" else None,
            mentions=list(dict.fromkeys(self._users.name_of(one) for one in message.get("mentions") or ())),
            mentions_all="channel" if "everyone" in called else "here" if called else None,
            reactions=reactions,
            files=files,
        )
        if message.get("isPinned") and (ref := self.messages.ref(number)):
            self._pinned[number] = ref

    def _text(self, message: Json, kind: str, heading: str) -> str:
        text = self._call(clean(str(message.get("content") or "")), message)
        if kind not in SAID and text:
            text = f"_{text}_"
        if used := message.get("interaction"):
            text = f"_{used['user'].get('nickname') or used['user'].get('name')} used /{used.get('name')}_\n{text}"
        parts = [f"**{heading}**" if heading else "", text, *map(embed, message.get("embeds") or ())]
        if forwarded := message.get("forwardedMessage"):
            inner = [str(forwarded.get("content") or ""), *map(embed, forwarded.get("embeds") or ())]
            parts.append("_Forwarded:_\n" + quote("\n".join(part for part in inner if part)))
        return "\n".join(part for part in parts if part)

    def _call(self, text: str, message: Json) -> str:
        """Return the text with names in mentions and emoji as they are written in Tandem."""
        named: dict[str, str] = {}
        for user in message.get("mentions") or ():
            name = self._users.name_of(user)
            named |= {f"<@{user['id']}>": name, f"<@!{user['id']}>": name, f"@{user.get('name')}": name}
            named |= {f"@{user['nickname']}": name} if user.get("nickname") else {}
        parts = CODE.split(text)
        parts[::2] = [self._convert(part, named) for part in parts[::2]]
        return "".join(parts)

    def _convert(self, text: str, named: dict[str, str]) -> str:
        """Return a text without code. `named`: names in records, by how the text calls the users."""
        if named:
            listed = "|".join(map(re.escape, sorted(named, key=len, reverse=True)))
            text = re.sub(rf"(?:{listed})(?!\w)", lambda found: "@" + named[found[0]], text)
        text = EMOJI.sub(lambda found: self._users.custom.sign(found[1]) or f":{found[1]}:", text)
        text = TIMESTAMP.sub(lambda found: day_of(found[1]), COMMAND.sub(r"/\1", text))
        return CHANNEL.sub(lambda found: f"#{self._titles.get(found[1]) or found[1]}", text)

    def _reactions(self, message: Json) -> Iterator[tuple[str, list[str], int]]:
        for one in message.get("reactions") or ():
            emoji, users = one["emoji"], [self._users.name_of(user) for user in one.get("users") or ()]
            yield str(emoji.get("name")), users, int(one.get("count") or 0)


EMOJI = re.compile(r"<a?:(\w{2,32}):\d{1,20}>")
COMMAND = re.compile(r"</([\w -]{1,100}):\d{1,20}>")
CHANNEL = re.compile(r"<#(\d{1,20})>")
TIMESTAMP = re.compile(r"<t:(-?\d{1,12})(?::[tTdDfFR])?>")
ALL = re.compile(r"(?<![\w.+%-])@(everyone|here)\b")
PART = re.compile(r"\[part (\d{1,6})\]")


def day_of(seconds: str) -> str:
    """Return a time in seconds as readers of a text understand it, in UTC."""
    try:
        return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return seconds


def time_of(text: str) -> datetime:
    """Return the time. Raise `ValueError`."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def files_of(message: Json, file: DiscordFile) -> list[AttachmentRecord]:
    """Return attachments and stickers, also those of a forwarded message: addresses, or paths beside the file."""
    found: list[AttachmentRecord] = []
    for one in (message, message.get("forwardedMessage") or {}):
        for part in one.get("attachments") or ():
            url = str(part.get("url") or "")
            found.append(file_record(part.get("fileName"), file.find(url), url, part.get("fileSizeBytes")))
        for part in one.get("stickers") or ():
            url = str(part.get("sourceUrl") or "")
            found.append(file_record(part.get("name"), file.find(url), url))
    return found


def embed(one: Json) -> str:
    """Return what a bot, or the preview of a link, shows, as quoted lines."""
    name, url = str(one.get("title") or ""), str(one.get("url") or "")
    author, footer = one.get("author") or {}, one.get("footer") or {}
    lines = [author.get("name"), author.get("url"), f"[{name}](<{url}>)" if name and url else name or url]
    lines.append(keep_hashes(str(one.get("description") or "")))
    lines += [f"**{field.get('name')}**: {field.get('value')}" for field in one.get("fields") or ()]
    images = [one.get("image"), one.get("video"), *(one.get("images") or ())]
    lines += [image.get("canonicalUrl") or image.get("url") for image in images if isinstance(image, dict)]
    lines += [footer.get("text"), one.get("timestamp")]
    return quote("\n".join(dict.fromkeys(str(line) for line in lines if line)))
