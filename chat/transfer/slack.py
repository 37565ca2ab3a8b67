"""A Slack export: a ZIP with lists of users and conversations, and a folder per conversation with a file per day.

An Enterprise Grid export has the lists of the organization, and below `teams` those of each workspace.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson
from pydantic import ValidationError

from chat.transfer.archive import Archive, line_of, read_list
from chat.transfer.errors import BadArchive
from chat.transfer.foreign import ForeignEmoji, file_record
from chat.transfer.records import (
    MAX_PLACES,
    AttachmentRecord,
    ConversationRecord,
    Item,
    LineError,
    MemberRecord,
    PinRecord,
    SkippedItem,
    explain,
)
from chat.transfer.slack_markup import MarkdownWriter, unescape
from chat.transfer.slack_messages import Messages, SlackFiles, SlackUsers, moment_of
from chat.transfer.text import leftovers, moment, title, topic

DAY = re.compile(r"\d{4}-\d\d-\d\d\.json")
ABOUT = ("topic", "purpose")  # what is told about a channel
MARK = re.compile(r"<([@#!]?)([^<>|]{1,2000})(?:\|([^<>]{0,2000}))?>")
LISTS = {"channels.json": "channel", "groups.json": "private", "dms.json": "direct", "mpims.json": "group"}
EMOJI_LIST = "emoji.json"
USER_LISTS = ("users.json", "org_users.json")
OTHER_MESSAGES = "messages beside canvases and lists, or of conversations that the export does not list"
INVALID = (KeyError, TypeError, ValueError, AttributeError, RecursionError)
Json = dict[str, Any]


@dataclass
class Listed:
    """A conversation: its kind, its entry in a list, and its folders."""

    kind: str
    entry: Json
    folders: dict[str, None]
    roots: set[str]


class Workspace:
    """The workspace of an export, or the organization with all its workspaces, as items."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._errors: list[LineError] = []
        self._placed = Counter[str]()
        names = set(archive.names())
        teams = {name.rsplit("/", 1)[0] + "/" for name in names if re.fullmatch(r"teams/[^/]+/\w+\.json", name)}
        self._bases = ["", *sorted(teams)]
        users = [one for base in self._bases for name in USER_LISTS for one in self._read(base + name)]
        self._users = SlackUsers(users, SlackFiles(names))
        self.team = organization_of(users)
        self._listed = self._find_conversations()
        shown = {id_: str(one.entry.get("name") or "") for id_, one in self._listed.items() if one.kind != "direct"}
        custom = ForeignEmoji()
        self._emoji = [*self._find_emoji(custom, names)]
        self._writer = MarkdownWriter(
            self._users.name_of, lambda id_, name: title(shown.get(id_) or name or id_), custom
        )

    def read(self) -> Iterator[Item]:
        """Yield users and conversations first, then the messages and other records of each conversation."""
        self._look_ahead()
        read = {file for one in self._listed.values() for folder in one.folders for file in self._days(folder)}
        described = [(one, self._describe(one)) for one in self._listed.values()]
        yield from self._users.take_new()
        yield from self._emoji
        for one, item in described:
            yield item
            if one.kind in ("channel", "private"):
                told = {name: text_of(one.entry, name) for name in ABOUT}
                yield from leftovers(told, [item], (), "channels.json" if one.kind == "channel" else "groups.json")
        for one, item in described:
            if isinstance(item, ConversationRecord):
                yield from self._conversation(one)
        yield from self._rest(read)
        yield from self._users.take_new()
        yield from self._take_errors()

    def _read(self, name: str) -> list[Any]:
        """Return the entries of a file. Errors are noted."""
        try:
            entries, errors = read_list(self._archive.read(name))
        except BadArchive as error:
            entries, errors = [], [(1, str(error))]
        self._errors += [LineError(f"{name}:{line}", reason) for line, reason in errors]
        return entries

    def _take_errors(self) -> list[LineError]:
        taken, self._errors = self._errors, []
        return taken

    def _find_emoji(self, custom: ForeignEmoji, files: set[str]) -> Iterator[Item]:
        """Yield the custom emoji of `emoji.json`: names with addresses of pictures, or with `alias:` and another name.

        Pictures in a folder `emojis` are used instead. Exports by Slack have neither; programs that ask Slack do.
        """
        if EMOJI_LIST not in files:
            return
        try:
            found = orjson.loads(self._archive.read(EMOJI_LIST))
            found = found["emoji"] if isinstance(found.get("emoji"), dict) else found
        except (BadArchive, *INVALID) as error:
            self._errors.append(LineError(EMOJI_LIST, f"cannot be read: {error!r}"))
            return
        for name, source in found.items():
            target = str(source).removeprefix("alias:")
            is_alias = target != source and target in found
            picture = target if is_alias else name
            yield custom.add(name, self._picture(picture, found[picture], files), EMOJI_LIST)

    def _picture(self, name: str, url: object, files: set[str]) -> AttachmentRecord:
        paths = [f"emojis/{name}.{ending}" for ending in ("png", "gif", "jpg", "webp")]
        path = next((one for one in paths if one in files), None)
        return file_record(f"{name}.png", path, url)

    def _find_conversations(self) -> dict[str, Listed]:
        """Return the conversations of all lists by id. A conversation of several workspaces has several folders."""
        found: dict[str, Listed] = {}
        for base in self._bases:
            for name, kind in LISTS.items():
                for entry in self._read(base + name):
                    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
                        self._errors.append(LineError(base + name, "an entry without an id"))
                        continue
                    one = found.setdefault(entry["id"], Listed(kind, entry, {}, set()))
                    one.folders |= dict.fromkeys(self._folders_of(base, entry))
        return found

    def _folders_of(self, base: str, entry: Json) -> list[str]:
        """Return the folder of a conversation. It is called by the name, or by the id if there is none."""
        names = [str(entry.get("name") or entry["id"]), entry["id"]]
        return [base + name for name in names if self._archive.under(base + name)][:1]

    def _days(self, folder: str) -> list[str]:
        return [path for path in self._archive.under(folder) if DAY.fullmatch(path.rpartition("/")[2])]

    def _look_ahead(self) -> None:
        """Read all messages once for what earlier ones need: the names of guests and bots, and which have replies."""
        progress, self._archive.progress = self._archive.progress, int
        for one in self._listed.values():
            for path in [path for folder in one.folders for path in self._days(folder)]:
                for raw in self._read(path):
                    if isinstance(raw, dict):
                        self._users.meet(raw)
                        root, ts = raw.get("thread_ts"), raw.get("ts")
                        one.roots |= {str(root)} if root and root != ts else set()
        self._archive.progress = progress
        self._errors = [error for error in self._errors if not DAY.search(error.place)]

    def _members(self, one: Listed) -> list[str]:
        members = one.entry.get("members")
        listed = map(str, members) if isinstance(members, list) else ()
        return [self._users.name_of(user) for user in dict.fromkeys(listed)]

    def _creator(self, one: Listed) -> str | None:
        return self._users.name_of(str(one.entry["creator"])) if one.entry.get("creator") else None

    def _describe(self, one: Listed) -> Item:
        members, name = self._members(one), f"conversation {one.entry['id']}"
        if one.kind == "direct" and not 1 <= len(members) <= 2:
            return LineError("dms.json", f"{one.entry['id']} names {len(members)} users")
        try:
            return describe(one.kind, one.entry, members, self._creator(one))
        except ValidationError as error:
            return LineError(name, explain(error))

    def _conversation(self, one: Listed) -> Iterator[Item]:
        key = one.entry["id"]
        pins = one.entry.get("pins")
        pinned = {str(pin.get("id")): pin for pin in pins or () if isinstance(pin, dict)}
        messages = Messages(key, self._users, self._writer, one.roots | pinned.keys())
        for folder in one.folders:
            for path in self._archive.under(folder):
                if DAY.fullmatch(path.rpartition("/")[2]):
                    yield from self._day(path, messages)
        yield from self._pins(key, messages, pinned)
        yield from self._users.take_new()
        creator = self._creator(one)
        for member in self._members(one):
            runs = member == creator and one.kind != "direct"
            yield MemberRecord(conversation=key, user=member, role="owner" if runs else "member")

    def _day(self, path: str, messages: Messages) -> Iterator[Item]:
        """Yield the messages of a day in the order of their times."""
        day = list(enumerate(self._read(path)))
        yield from self._take_errors()
        for number, raw in sorted(day, key=lambda one: time_of(one[1])):
            try:
                items = messages.read(raw)
            except ValidationError as error:
                items = [LineError("", explain(error))]
            except INVALID as error:
                items = [LineError("", f"is not a message: {error!r}")]
            yield from self._users.take_new()
            yield from (self._place(item, path, number) for item in items)

    def _place(self, item: Item, path: str, number: int) -> Item:
        """Return the item with its file and line, if it is one of the first for its reason."""
        match item:
            case LineError(reason=reason):
                return LineError(self._line(path, number), reason)
            case SkippedItem(what=what) if self._placed[what] < MAX_PLACES:
                self._placed[what] += 1
                return replace(item, place=self._line(path, number))
        return item

    def _line(self, path: str, number: int) -> str:
        progress, self._archive.progress = self._archive.progress, int
        try:
            return f"{path}:{line_of(self._archive.read(path), number)}"
        except (ValueError, RecursionError):
            return path
        finally:
            self._archive.progress = progress

    def _pins(self, key: str, messages: Messages, pinned: dict[str, Json]) -> Iterator[Item]:
        for ts, pin in sorted(pinned.items(), key=lambda one: time_of({"ts": one[1].get("created")})):
            if (ref := messages.refs.get(ts)) is None:
                yield SkippedItem("pins of messages outside of the export")
            else:
                by = self._users.name_of(str(pin["user"])) if pin.get("user") else ref.author
                yield from self._users.take_new()
                yield PinRecord(conversation=key, message=ref, user=by)

    def _rest(self, read: Iterable[str]) -> Iterator[Item]:
        """Yield a skipped item for each entry of a file that is not imported."""
        yield from self._take_errors()
        lists = {base + name for base in self._bases for name in (*LISTS, *USER_LISTS)} | {EMOJI_LIST}
        for path in self._archive.names():
            if path.endswith(".json") and path not in lists and path not in read:
                day = DAY.fullmatch(path.rpartition("/")[2])
                what = OTHER_MESSAGES if day else f"entries of {path.rpartition('/')[2]}"
                entries = self._read(path)
                if self._errors and not day:
                    self._errors.clear()
                    yield SkippedItem("files of another kind", path)
                for number, entry in enumerate(entries):
                    if entry:
                        yield self._place(SkippedItem(what), path, number)


def is_slack(archive: Archive) -> bool:
    """Return whether the archive is a Slack export. One of Rocket.Chat may have files of the same names."""
    names = archive.names()
    others = any("rocketchat" in name or name in ("room.json", "rooms.json") for name in names)
    return not {*USER_LISTS, "channels.json"}.isdisjoint(names) and not others


def organization_of(users: list[Any]) -> str:
    """Return the id of the organization, or of the workspace, that most users are of."""
    named: dict[str, Counter[str]] = {"enterprise": Counter(), "team": Counter()}
    for user in users:
        if isinstance(user, dict):
            grid = user.get("enterprise_user")
            named["enterprise"][str(grid.get("enterprise_id") or "") if isinstance(grid, dict) else ""] += 1
            named["team"][str(user.get("team_id") or "")] += 1
    for counted in named.values():
        del counted[""]
    most = (named["enterprise"] or named["team"]).most_common(1)
    return most[0][0] if most else ""


def time_of(raw: object) -> float:
    """Return the time of a message in seconds, or infinity if it has none."""
    try:
        return float(raw["ts"])  # type: ignore[index]
    except INVALID:
        return float("inf")


def describe(kind: str, conversation: Json, members: list[str], creator: str | None) -> ConversationRecord:
    """Return the record of a conversation. A private channel stays private."""
    shown: Json = {
        "name": title(conversation.get("name")),
        "topic": topic(" · ".join(dict.fromkeys(filter(None, (text_of(conversation, one) for one in ABOUT))))),
    }
    archived_at = moment_of(conversation.get("updated"), 0.001) or moment(0)
    fields: Json = {
        "id": conversation["id"],
        "kind": "channel" if kind == "private" else kind,
        "private": kind != "channel",
    }
    people = members if kind == "direct" else []
    times: Json = {"created_by": creator, "created_at": moment_of(conversation.get("created"))}
    times |= {"archived_at": archived_at} if conversation.get("is_archived") else {}
    return ConversationRecord(**fields, **times, **(shown if kind in ("channel", "private") else {}), people=people)


def text_of(conversation: Json, name: str) -> str:
    """Return the value of a field such as `{"topic": {"value": …}}` without markup."""
    value = conversation.get(name)
    text = str(value.get("value") or "") if isinstance(value, dict) else ""
    return unescape(MARK.sub(plain_mark, text)).strip()


def plain_mark(mark: re.Match[str]) -> str:
    """Return what a reader sees of a mark such as `<https://example.org|text>` or `<#C1|garden>`."""
    sign, target, shown = mark.groups()
    if sign:
        return f"{sign.replace('!', '@')}{shown or target}"
    return f"{shown} ({target})" if shown and shown != target.partition("://")[2] else target.removeprefix("mailto:")
