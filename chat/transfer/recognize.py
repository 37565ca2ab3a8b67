"""Chats of other programs, recognized by their content: a file alone, a ZIP, or a `.tar.gz`."""

import hashlib
import io
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from chat.transfer.archive import Archive, TarArchive
from chat.transfer.chat_logs import WhatsAppChat, chat_title, is_whatsapp
from chat.transfer.csv_table import CsvTable, RocketChatTables, is_rocketchat_tables, read_mapping, ready_mapping
from chat.transfer.discord import DiscordExport, DiscordFile
from chat.transfer.foreign import JsonReader
from chat.transfer.irc_logs import IrcLogs, channel_of, is_irc
from chat.transfer.records import Item
from chat.transfer.rocketchat import RocketChatExport
from chat.transfer.telegram import TelegramExport
from chat.transfer.text import digest
from chat.transfer.zulip import ZulipExport

MAX_START = 1024 * 1024
Read = Callable[[Callable[[int], None]], Iterator[Item]]


@dataclass(frozen=True, slots=True)
class ForeignOptions:
    """What a file may not tell. `zone`: that of times without one; `mapping`: the columns of a table.

    `server`: the server, network or phone that the file is from. Where users have no ids, names there are users.
    """

    zone: tzinfo = UTC
    mapping: Path | None = None
    server: str | None = None
    private: bool = False


SAMPLE = 64 * 1024  # bytes by which a text is recognized
MAX_KEYS = 50
LISTS = {(), ("messages",), ("chats",)}
TEXTS = re.compile(r"(?:^|/)[^/.]*$|\.(?:txt|log|weechatlog)$|\.log\.\w{6,10}$", re.IGNORECASE)


class SingleFile:
    """A file alone, in the shape of an archive."""

    def __init__(self, path: Path) -> None:
        self.path, self.fingerprint, self.folder = path, fingerprint(path), str(path.absolute().parent)

    def names(self) -> list[str]:
        """Return the name of the file."""
        return [self.path.name]

    def open(self, name: str) -> IO[bytes]:
        """Open the file."""
        return self.path.open("rb") if name == self.path.name else io.BytesIO()

    def size_of(self, name: str) -> int | None:
        """Return the size of the file in bytes, or None if it is another one."""
        return self.path.stat().st_size if name == self.path.name else None


Files = Archive | SingleFile | TarArchive


@dataclass(frozen=True, slots=True)
class FoundChat:
    """A chat that was recognized. `files`: those that `read` reads."""

    kind: str
    origin: str
    files: list[str]
    read: Read


def find_chat(files: Files, options: ForeignOptions) -> FoundChat | None:
    """Return the chat in a file or an archive, recognized by its content."""
    names = files.names()
    found = (find(files, names, options) for find in FINDERS)
    return next((one for one in found if one), None)


def keys_of(files: Files, name: str) -> list[str]:
    """Return the first keys of a JSON file that is an object."""
    keys: list[str] = []
    with closing(files.open(name)) as file:
        try:
            for path, _, _ in JsonReader(file, int).values(LISTS):
                keys += path[:1]
                if path[:1] in (("messages",), ("chats",)) or len(keys) > MAX_KEYS:
                    break
        except ValueError:
            pass
    return keys


def find_table(files: Files, names: list[str], options: ForeignOptions) -> FoundChat | None:
    """Find a table: whatever file a mapping is given for, one that needs none, or the tables of Rocket.Chat."""
    tables = [name for name in names if name.lower().endswith(".csv")]
    if len(names) > 1 and is_rocketchat_tables(tables):
        origin = f"rocketchat:{options.server or files.path.stem}"
        return FoundChat("Rocket.Chat", origin, tables, RocketChatTables(tables, files.open).read)
    if len(names) != 1 or not (options.mapping or names[0].lower().endswith((".csv", ".tsv"))):
        return None
    opened = partial(files.open, names[0])
    mapping = read_mapping(options.mapping) if options.mapping else ready_mapping(opened)
    if mapping is None:
        return None
    origin = mapping.origin or options.server or f"csv:{PurePosixPath(names[0]).stem}"
    return FoundChat("CSV", origin, names, CsvTable(opened, names[0], mapping, options.zone, options.private).read)


def find_zulip(files: Files, names: list[str], _: ForeignOptions) -> FoundChat | None:
    """Find the tables of Zulip."""
    paths = {PurePosixPath(name).name for name in names}
    if "realm.json" not in paths or "messages-000001.json" not in paths:
        return None
    export = ZulipExport(names, files.open)
    return FoundChat("Zulip", export.origin, [name for name in names if name.endswith(".json")], export.read)


def find_telegram(files: Files, names: list[str], options: ForeignOptions) -> FoundChat | None:
    """Find the `result.json` of Telegram, whatever its name if it is alone."""
    for name in (name for name in names if PurePosixPath(name).name == "result.json" or len(names) == 1):
        keys = set(keys_of(files, name)) if name.lower().endswith(".json") else set()
        if {"name", "type", "id", "messages"} <= keys or {"type", "id", "messages"} <= keys or "chats" in keys:
            export = TelegramExport(partial(files.open, name), name, frozenset(names), options.zone)
            return FoundChat("Telegram", "telegram", [name], export.read)
    return None


def find_discord(files: Files, names: list[str], _: ForeignOptions) -> FoundChat | None:
    """Find the channels of DiscordChatExporter."""
    found = [name for name in names if name.endswith(".json") and keys_of(files, name)[:1] == ["guild"]]
    if not found:
        return None
    media = frozenset(names)
    channels = DiscordExport([DiscordFile(partial(files.open, name), name, media) for name in found])
    return FoundChat("Discord", "discord", found, channels.read)


def find_logs(files: Files, names: list[str], options: ForeignOptions) -> FoundChat | None:
    """Find chats that are text: of WhatsApp, or of IRC clients."""
    logs: dict[str, Callable[[], IO[bytes]]] = {}
    for name in names:
        if len(names) > 1 and not TEXTS.search(name):
            continue
        with closing(files.open(name)) as file:
            lines = file.read(SAMPLE).decode("utf-8-sig", "replace").splitlines()
        if is_irc(lines):
            logs[name] = partial(files.open, name)
        elif is_whatsapp(lines):
            shown = name if chat_title(name) else files.path.name
            origin = f"whatsapp:{options.server or digest(chat_title(shown) or lines[0])}"
            chat = WhatsAppChat(partial(files.open, name), name, shown, frozenset(names), options.zone)
            return FoundChat("WhatsApp", origin, [name], chat.read)
    if not logs:
        return None
    one = channel_of(next(iter(logs)), files.folder) if len(logs) == 1 else files.path.stem
    read = IrcLogs(logs, options.zone, options.private, files.folder).read
    return FoundChat("IRC", f"irc:{options.server or one}", list(logs), read)


def fingerprint(path: Path) -> str:
    """Return a fingerprint of the file: its size, start and end. Of a folder: the names and sizes of its files."""
    if path.is_dir():
        return Archive(path).fingerprint
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(MAX_START)
        file.seek(max(0, size - MAX_START))
        return hashlib.sha256(b"%d\n%b%b" % (size, start, file.read())).hexdigest()[:40]


def find_rocketchat(files: Files, names: list[str], options: ForeignOptions) -> FoundChat | None:
    """Find the collections of Rocket.Chat."""
    export = RocketChatExport(names, files.open)
    if not {"message", "room"} <= set(export.collections):
        return None
    origin = f"rocketchat:{options.server}" if options.server else export.origin
    return FoundChat("Rocket.Chat", origin, list(export.collections.values()), export.read)


FINDERS = (find_table, find_zulip, find_rocketchat, find_telegram, find_discord, find_logs)
