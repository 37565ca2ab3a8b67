"""A Zulip export: a `.tar.gz` with the tables of an organization, its messages in files of a thousand, and uploads."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import IO, Any

from chat.transfer.foreign import (
    INVALID,
    MISSING_FILE,
    ForeignEmoji,
    ForeignMessages,
    ForeignUsers,
    JsonReader,
    collect_reactions,
    file_record,
    guarded,
    parse_value,
)
from chat.transfer.records import (
    AttachmentRecord,
    ConversationRecord,
    EditRecord,
    Item,
    LineError,
    MemberRecord,
    SkippedItem,
)
from chat.transfer.text import clean, email, moment, show_emoji, time_zone, title, topic

Json = dict[str, Any]
TABLES = {
    "zerver_realm", "zerver_userprofile", "zerver_userprofile_mirrordummy", "zerver_userprofile_crossrealm",
    "zerver_stream", "zerver_recipient", "zerver_subscription", "zerver_reaction", "zerver_attachment",
    "zerver_realmemoji",
}  # fmt: skip
USERS = ("zerver_userprofile", "zerver_userprofile_mirrordummy", "zerver_userprofile_crossrealm")
TOLD = {
    "zerver_usergroup", "zerver_namedusergroup", "zerver_draft", "zerver_savedsnippet",
    "zerver_submessage", "zerver_customprofilefieldvalue", "zerver_userstatus", "zerver_scheduledmessage",
}  # fmt: skip
FORMS = {*((name,) for name in (*TABLES, *TOLD, "zerver_message")), ()}
ADMINS = {100, 200}  # roles of owners and administrators
PERSON, STREAM = 1, 2  # kinds of recipients; 3 is a group
MACHINERY = {
    "rendered_content", "edit_history.prev_rendered_content", "is_channel_message", "sending_client", "search_tsvector",
}  # fmt: skip


class ZulipExport:
    """The organization of an export, as items. `archive`: its files."""

    def __init__(self, names: list[str], open_file: Callable[[str], IO[bytes]]) -> None:
        self._names, self._open = names, open_file
        self._members_of = frozenset(names)
        realm = next(name for name in names if PurePosixPath(name).name == "realm.json")
        self._root = realm.removesuffix("realm.json")
        self._realm = realm
        self._users = ForeignUsers()
        self._rooms: dict[int, tuple[str, str, list[int]]] = {}  # recipients: key, kind, ids of members
        self._messages: dict[str, ZulipMessages] = {}
        self._reactions: dict[int, list[tuple[str, int]]] = {}
        self._text = ZulipText(self._root, self._members_of)

    @property
    def origin(self) -> str:
        """Return the organization's id: of all servers, or its name on its own."""
        for _, row, _ in self._rows(self._realm, int, {"zerver_realm"}):
            return f"zulip:{row.get('uuid') or row.get('string_id') or row.get('name')}"[:100]
        return "zulip:"

    def read(self, progress: Callable[[int], object]) -> Iterator[Item]:
        """Yield users, conversations, messages and members."""
        yield from self._read_tables(progress)
        for name in self._names:
            if re.fullmatch(r"messages-\d+\.json", name.removeprefix(self._root)):
                yield from self._read_messages(name, progress)
        for messages in self._messages.values():
            if messages.people:
                yield from messages.conversation.member_records(messages.people)

    def _rows(self, name: str, progress: Callable[[int], object], tables: set[str]) -> Iterator[tuple[str, Any, str]]:
        """Yield `(table, row or error, place)` of a file's tables."""
        line = 1
        try:
            with closing(self._open(name)) as file:
                for path, raw, line in JsonReader(file, progress).values(FORMS):
                    if path[1:] == ("*",) and path[0] in tables:
                        yield path[0], parse_value(raw), f"{name}:{line}"
        except (KeyError, ValueError) as error:
            yield "", LineError(f"{name}:{line}", f"The file {error}"), ""

    def _read_tables(self, progress: Callable[[int], object]) -> Iterator[Item]:
        tables: dict[str, list[tuple[Json, str]]] = {name: [] for name in TABLES}
        files = [self._realm, *(name for name in self._names if name == f"{self._root}attachment.json")]
        for file in files:
            for table, row, place in self._rows(file, progress, TABLES | TOLD):
                if isinstance(row, LineError):
                    yield row
                elif table in TOLD:
                    yield SkippedItem(f"rows of {table.removeprefix('zerver_')}", place)
                elif table == "zerver_reaction":
                    emoji = emoji_of(row)
                    self._reactions.setdefault(int(row["message"]), []).append((emoji, int(row["user_profile"])))
                else:
                    tables[table].append((row, place))
        for table in USERS:
            for row, place in tables[table]:
                yield from guarded(partial(self._user, row), {}, (), place)
        for row, place in tables["zerver_realmemoji"]:
            yield from guarded(partial(self._emoji, row, place), {}, (), place)
        for row, _ in tables["zerver_attachment"]:
            path = f"{self._root}uploads/{row.get('path_id')}"
            known = path if path in self._members_of else None
            self._text.uploads[str(row.get("path_id"))] = file_record(
                row.get("file_name"), known, size=row.get("size"), type_=row.get("content_type") or ""
            )
        yield from self._conversations(tables)

    def _user(self, row: Json) -> list[Item]:
        address = email(row.get("delivery_email") or row.get("email"))
        local = (address or "").partition("@")[0]
        wanted = str(row.get("full_name") or local) if re.fullmatch(r"user\d+|", local) else local
        joined = float(row.get("date_joined") or 0)
        avatar = f"{self._root}avatars/{row.get('realm')}/{row.get('avatar_hash') or '-'}.png"
        name = self._text.users[int(row["id"])] = self._users.add(
            str(row["id"]),
            wanted,
            row.get("full_name"),
            local,
            email=address,
            role="admin" if row.get("role") in ADMINS or row.get("is_realm_admin") else "member",
            time_zone=time_zone(row.get("timezone")),
            avatar=file_record("avatar.png", avatar) if avatar in self._members_of else None,
            created_at=moment(joined) if joined else None,
            disabled_at=moment(float(row.get("last_login") or joined)) if row.get("is_active") is False else None,
        )
        self._text.names.setdefault(str(row.get("full_name") or name), name)
        return self._users.take_new()

    def _emoji(self, row: Json, place: str) -> list[Item]:
        path = f"{self._root}emoji/{row.get('realm')}/emoji/images/{row.get('file_name')}"
        known = path in self._members_of and not row.get("deactivated")
        author = self._text.users.get(int(row.get("author") or 0))
        picture = file_record(row["file_name"], path) if known else None
        return [self._text.custom.add(row.get("name"), picture, place, author)]

    def _conversations(self, tables: dict[str, list[tuple[Json, str]]]) -> Iterator[Item]:
        streams = {int(row["id"]): (row, place) for row, place in tables["zerver_stream"]}
        subscribed: dict[int, list[Json]] = {}
        for row, _ in tables["zerver_subscription"]:
            if row.get("active", True):
                subscribed.setdefault(int(row["recipient"]), []).append(row)
        for row, place in tables["zerver_recipient"]:
            number, kind, target = int(row["id"]), row.get("type"), int(row["type_id"])
            members = [int(one["user_profile"]) for one in subscribed.get(number, ())]
            if kind == STREAM and target in streams:
                self._rooms[number] = f"stream{target}", "stream", members
                stream, line = streams[target]
                yield from guarded(partial(stream_records, stream), {}, (), line)
                for one in subscribed.get(number, ()):
                    yield from guarded(partial(self._member, target, one), {}, (), place)
            elif kind == PERSON:
                self._rooms[number] = "", "person", [target]
            elif kind != STREAM:
                self._rooms[number] = f"group{target}", "group", members

    def _member(self, stream: int, row: Json) -> list[Item]:
        name = self._text.users[int(row["user_profile"])]
        level = "nothing" if row.get("is_muted") else None
        role = "admin" if row.get("role") == 20 else "member"
        made = {"conversation": f"stream{stream}", "user": name, "role": role, "level": level}
        return [MemberRecord.model_validate(made)]

    def _read_messages(self, name: str, progress: Callable[[int], object]) -> Iterator[Item]:
        for _, row, place in self._rows(name, progress, {"zerver_message"}):
            if isinstance(row, LineError):
                yield row
                continue
            history = row.get("edit_history") if isinstance(row, dict) else None
            try:
                raw = row | {
                    "edit_history": parse_value(history.encode()) if isinstance(history, str) else history or []
                }
                messages, new = self._room(raw)
                yield from new
            except INVALID as error:
                yield LineError(place, f"is not a message: {error!r}")
                continue
            yield from messages.read(raw, place)

    def _room(self, row: Json) -> tuple["ZulipMessages", list[Item]]:
        """Return the conversation of a message, and its record if it is new. Streams have theirs."""
        key, kind, members = self._rooms[int(row["recipient"])]
        if kind == "person":
            members = sorted({*members, int(row["sender"])})
            key = "direct:" + ":".join(map(str, members))
        unknown = [one for one in (*members, int(row["sender"])) if one not in self._text.users]
        new = [item for one in unknown for item in self._user({"id": one, "full_name": f"User {one}"})]
        if key in self._messages:
            return self._messages[key], new
        names = [self._text.users[one] for one in members] if kind != "stream" else []
        self._messages[key] = ZulipMessages(key, names, self._text, self._reactions)
        if kind == "stream":
            return self._messages[key], new
        direct = 1 <= len(names) <= 2
        made: Json = {"id": key, "kind": "direct" if direct else "group", "private": True}
        return self._messages[key], [*new, ConversationRecord(**made, people=names if direct else [])]


def stream_records(row: Json) -> list[Item]:
    """Return the record of a stream, in a list."""
    made = moment(float(row["date_created"])) if row.get("date_created") else None
    stream = ConversationRecord(
        id=f"stream{row['id']}",
        kind="channel",
        name=title(row.get("name")),
        topic=topic(row.get("description")),
        private=bool(row.get("invite_only")),
        created_at=made,
        archived_at=made if row.get("deactivated") else None,
    )
    return [stream]


def emoji_of(row: Json) -> str:
    """Return the emoji of a reaction, or the name of a custom one."""
    code = str(row.get("emoji_code") or "")
    if row.get("reaction_type") == "unicode_emoji" and re.fullmatch(r"[0-9a-f]{2,6}(?:-[0-9a-f]{2,6}){0,12}", code):
        return "".join(chr(int(part, 16) % 0x110000) for part in code.split("-"))
    return f":{row.get('emoji_name')}:"


class ZulipMessages:
    """The messages of a stream, a group or a direct message. Each topic of a stream is a thread."""

    def __init__(
        self,
        key: str,
        people: list[str],
        text: "ZulipText",
        reactions: dict[int, list[tuple[str, int]]],
    ) -> None:
        self.people, self._text, self._users, self._reactions = people, text, text.users, reactions
        self.conversation = ForeignMessages(key, "zulip-")
        self._topics: dict[str, int] = {}

    def read(self, raw: Json, place: str) -> Iterator[Item]:
        """Yield the items of a message."""
        subject = str(raw.get("subject") or "").strip("\a ") if not self.people else ""
        root = self._topics.setdefault(subject.casefold(), int(raw["id"])) if subject else 0
        first = root == raw["id"]
        known = MACHINERY if first else MACHINERY | {"subject"}
        make = partial(self._message, raw, place, subject if first else "", 0 if first else root)
        yield from guarded(make, raw, known, place, self._text.words)

    def _message(self, raw: Json, place: str, heading: str, root: int) -> Iterator[Item]:
        number, content = int(raw["id"]), clean(str(raw.get("content") or ""))
        written = self._text.write(content)
        skipped = [SkippedItem(MISSING_FILE, place) for one in written.files if not one.path]
        said = [(emoji, [self._users[user]], 1) for emoji, user in self._reactions.pop(number, ())]
        reactions, without = collect_reactions(said, place, self._text.custom)
        yield from [*skipped, *without]
        answered = ANSWER.search(content)
        edits = [
            EditRecord(
                body=clean(str(one["prev_content"])), user=self._users[one["user_id"]], at=moment(one["timestamp"])
            )
            for one in reversed(raw["edit_history"])
            if one.get("prev_content") and one.get("user_id") in self._users
        ]
        yield from self.conversation.write(
            number,
            self._users[int(raw["sender"])],
            moment(float(raw.get("date_sent") or raw["pub_date"])),
            (f"**{heading}**\n" if heading else "") + written.body,
            root,
            edited_at=moment(float(raw["last_edit_time"])) if raw.get("last_edit_time") and edits else None,
            reply_to=self.conversation.ref(int(answered[1])) if answered else None,
            mentions=list(dict.fromkeys(written.mentions)),
            mentions_all="channel" if written.everyone else None,
            reactions=reactions,
            edits=edits,
            files=written.files,
        )


# Texts. Pure.

CODE = re.compile(r"((?P<fence>`{3,}|~{3,}).*?(?:(?P=fence)|\Z)|`[^`\n]+`)", re.DOTALL)
CALL = re.compile(r"@(_?)\*\*([^*\n|]{1,100})(?:\|(\d{1,18}))?\*\*|@(_?)\*([^*\n]{1,100})\*")
PLACE = re.compile(r"#\*\*([^*\n>]{1,100})(?:>([^*\n]{0,200}?))?(?:@\d{1,18})?\*\*")
UPLOAD = re.compile(r"!?\[([^\]\n]{0,300})\]\((?:https?://[^/\s)]{1,200})?/user_uploads/([^)\s]{1,500})\)")
ANSWER = re.compile(r"\[said\]\(\S{1,500}?/near/(\d{1,18})\):")
FENCE = re.compile(r" {0,3}(`{3,}|~{3,}) ?(\w*)(.*)")
TIME = re.compile(r"<time:([^>\n]{1,60})>")
MAX_FENCES = 10
EVERYONE = {"all", "everyone", "channel", "stream", "topic"}


def split_code(text: str) -> Iterator[str]:
    """Yield the parts of a text: in turn prose and code."""
    at = 0
    for code in CODE.finditer(text):
        yield from (text[at : code.start()], code[0])
        at = code.end()
    yield text[at:]


def with_quotes(text: str) -> str:
    """Return a text whose fenced quotations, and texts hidden until they are pressed, are quoted lines.

    A quotation of a message with code is fenced by more backticks than the code in it. Linear.
    """
    lines: list[str] = []
    within: list[tuple[str, bool]] = []  # the open fences, and which of them are quotations
    for line in text.split("\n"):
        deep = "> " * sum(quotes for _, quotes in within)
        found = FENCE.fullmatch(line)
        if within and line.strip() == within[-1][0]:
            quotes = within.pop()[1]
            lines.append("> " * sum(quotes for _, quotes in within) if quotes else deep + line)
        elif found and (not within or within[-1][1]) and len(within) < MAX_FENCES:
            quotes = found[2] in ("quote", "spoiler")
            heading = f"**{found[3].strip()}**" if quotes and found[3].strip() else ""
            lines += [deep + heading] if heading else [] if quotes else [deep + line]
            within.append((found[1], quotes))
        else:
            lines.append(deep + line)
    return "\n".join(lines)


@dataclass(slots=True)
class ZulipBody:
    """A converted text, and what it calls and names."""

    body: str = ""
    mentions: list[str] = field(default_factory=list)
    everyone: bool = False
    files: list[AttachmentRecord] = field(default_factory=list)


class ZulipText:
    """Converts texts. Zulip writes Markdown too: only mentions, links within it, quotes and emoji differ."""

    def __init__(self, root: str, members: frozenset[str]) -> None:
        self._root, self._members = root, members
        self.users: dict[int, str] = {}  # account names by ids
        self.names: dict[str, str] = {}  # account names by full names
        self.uploads: dict[str, AttachmentRecord] = {}  # by paths
        self.custom = ForeignEmoji()

    def write(self, content: str) -> "ZulipBody":
        """Return the converted text."""
        made = ZulipBody()
        parts = [*split_code(with_quotes(content))]
        parts[::2] = [self._prose(part, made) for part in parts[::2]]
        text = "".join(parts).strip()
        made.body = f"_{text[4:]}_" if text.startswith("/me ") else text
        return made

    def words(self, text: str) -> str:
        """Return the text as readers see it."""
        return self.write(clean(text)).body

    def _prose(self, text: str, made: "ZulipBody") -> str:
        text = CALL.sub(lambda call: self._call(call, made), text)
        text = UPLOAD.sub(lambda found: self._file(found, made), text)
        text = PLACE.sub(lambda found: f"#{found[1]}" + (f" > {found[2]}" if found[2] else ""), text)
        return show_emoji(TIME.sub(r"\1", text))

    def _call(self, call: re.Match[str], made: "ZulipBody") -> str:
        if call[5]:
            return f"@{call[5]}"
        if call[2].lower() in EVERYONE and not call[3]:
            made.everyone = made.everyone or not call[1]
            return "@channel"
        name = self.users.get(int(call[3])) if call[3] else self.names.get(call[2])
        if name and not call[1]:
            made.mentions.append(name)
        return f"@{name or call[2]}"

    def _file(self, found: re.Match[str], made: "ZulipBody") -> str:
        path = f"{self._root}uploads/{found[2]}"
        known = path if path in self._members else None
        name = PurePosixPath(found[2]).name
        made.files.append(self.uploads.get(found[2]) or file_record(name, known))
        return "" if found[1] in ("", made.files[-1].name) else found[1]
