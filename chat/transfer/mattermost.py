"""A Mattermost bulk export: JSON lines with a type each: teams, channels, users, posts."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

import orjson
from pydantic import ValidationError

from chat.messages.mention_parser import parse_mentions
from chat.transfer.archive import read_lines
from chat.transfer.records import (
    ConversationRecord,
    Item,
    LineError,
    MemberRecord,
    MessageRecord,
    PinRecord,
    ReactionRecord,
    Ref,
    SkippedItem,
    UserRecord,
    explain,
)
from chat.transfer.text import (
    account_name,
    clean,
    continued,
    digest,
    find_emoji,
    link,
    moment,
    one_line,
    show_emoji,
    shown_name,
    split_body,
    title,
    topic,
)

INVALID = (KeyError, TypeError, ValueError, AttributeError)
IGNORED_TYPES = {"version", "team"}
Json = dict[str, Any]


class MattermostServer:
    """The server of an export, as items."""

    def __init__(self) -> None:
        self._users = MattermostUsers()
        self._posts = MattermostPosts(self._users)
        self._seen: dict[str, None] = {}

    def read(self, file: IO[bytes], name: str, progress: Callable[[int], None]) -> Iterator[Item]:
        """Yield items in the order of the lines. Pins and members come last, because users come before posts."""
        for number, line in read_lines(file, progress):
            try:
                items = self._read_line(orjson.loads(line))
            except ValidationError as error:
                items = [LineError(f"{name}:{number}", explain(error))]
            except INVALID as error:
                items = [LineError(f"{name}:{number}", f"cannot be read: {error!r}")]
            yield from self._users.take_new()
            yield from items
        yield from self._posts.pins
        for key in self._seen:
            yield from self._users.members(key)

    def _read_line(self, line: Json) -> list[Item]:
        kind = line["type"]
        what: Json = line.get(kind) or {}
        match kind:
            case "user" | "bot":
                self._users.add_user(what)
            case "channel":
                return self._channel(what)
            case "direct_channel":
                return self._direct(what["members"], what)
            case "post":
                key = channel_key(what["team"], what["channel"])
                created = [] if key in self._seen else self._channel({"display_name": what["channel"]} | what, key)
                return [*created, *self._posts.read(key, what)]
            case "direct_post":
                created = self._direct(what["channel_members"], {})
                return [*created, *self._posts.read(direct_key(what["channel_members"]), what)]
            case _ if kind not in IGNORED_TYPES:
                return [SkippedItem(f"lines of the type {kind}")]
        return []

    def _channel(self, channel: Json, key: str = "") -> list[Item]:
        key = key or channel_key(channel["team"], channel["name"])
        self._seen[key] = None
        return [
            ConversationRecord(
                id=key,
                kind="channel",
                name=title(channel.get("display_name"), channel.get("name")),
                topic=topic(channel.get("header") or channel.get("purpose")),
                private=channel.get("type") == "P",
                archived_at=moment(float(channel["deleted_at"]) / 1000) if channel.get("deleted_at") else None,
            )
        ]

    def _direct(self, members: list[str], channel: Json) -> list[Item]:
        """Return a direct message for two members, or a group for more."""
        key, names = direct_key(members), [self._users.name_of(name) for name in sorted(set(members))]
        if key in self._seen:
            return []
        self._seen[key] = None
        for name in names:
            self._users.add_member(key, name)
        kind = "direct" if len(names) <= 2 else "group"
        people = names if kind == "direct" else []
        about = topic(channel.get("header")) if kind == "group" else ""
        return [
            ConversationRecord.model_validate(
                {"id": key, "kind": kind, "people": people, "topic": about, "private": True}
            )
        ]


# Users and members.

Fields = Mapping[str, Any]
MAX_KEY = 150  # characters of a group's key


class MattermostUsers:
    """The users of an export, their account names, and the members of each channel with their roles."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.accounts: set[str] = set()
        self.members_of: dict[str, dict[str, str]] = {}
        self._new: list[UserRecord] = []

    def add_user(self, user: Fields) -> None:
        """Note a line of the type `user` or `bot`."""
        name = str(user["username"])
        full = " ".join(str(user.get(part) or "") for part in ("first_name", "last_name"))
        shown = shown_name(user.get("nickname"), full, user.get("display_name"), name)
        disabled_at = moment(float(user["delete_at"]) / 1000) if user.get("delete_at") else None
        about = one_line(str(user.get("position") or ""), 200)
        self.names[name] = account_name(name)
        self.accounts.add(self.names[name])
        self._new.append(UserRecord(name=self.names[name], display_name=shown, about=about, disabled_at=disabled_at))
        for team in user.get("teams") or ():
            for channel in team.get("channels") or ():
                role = "admin" if "channel_admin" in str(channel.get("roles")) else "member"
                self.add_member(channel_key(team["name"], channel["name"]), self.names[name], role)

    def add_member(self, key: str, name: str, role: str = "member") -> None:
        """Note a member of a conversation."""
        self.members_of.setdefault(key, {})[name] = role

    def name_of(self, name: object) -> str:
        """Return the account name. A user without a line keeps their name."""
        text = str(name)
        if text not in self.names:
            self.add_user({"username": text})
        return self.names[text]

    def take_new(self) -> Iterator[UserRecord]:
        """Yield the users found since the last call."""
        users, self._new = self._new, []
        yield from users

    def members(self, key: str) -> Iterator[MemberRecord]:
        """Yield the members of a conversation."""
        for name, role in self.members_of.get(key, {}).items():
            yield MemberRecord.model_validate({"conversation": key, "user": name, "role": role})


def channel_key(team: object, name: object) -> str:
    """Return the key of a channel, unique within the export."""
    return f"{team}:{name}"


def direct_key(names: list[str]) -> str:
    """Return the key of a direct message or group, made of its members."""
    members = " ".join(sorted(set(names)))
    return "direct:" + (members if len(members) <= MAX_KEY else digest(members))


# Posts. Replies follow their post.

CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
CALL = re.compile(r"(?<![\w@.+%-])@([A-Za-z0-9_.-]+)")


class MattermostPosts:
    """Posts as messages. Both use Markdown: only names that are not allowed as usernames are rewritten."""

    def __init__(self, users: MattermostUsers) -> None:
        self._users = users
        self.pins: list[PinRecord] = []

    def read(self, key: str, post: Fields) -> Iterator[Item]:
        """Yield a post and its thread. Raise `KeyError`, `TypeError` or `ValueError` if it is not valid."""
        ref: Ref | None = None
        for item in self._message(key, post, None):
            ref = ref or (
                Ref(author=item.author, client_id=item.client_id) if isinstance(item, MessageRecord) else None
            )
            yield item
        if ref and post.get("is_pinned"):
            self.pins.append(PinRecord(conversation=key, message=ref, user=ref.author))
        for reply in sorted(post.get("replies") or (), key=lambda one: float(one["create_at"])):
            yield from self._message(key, reply, ref)

    def _message(self, key: str, post: Fields, thread: Ref | None) -> Iterator[Item]:
        author, written = self._users.name_of(post["user"]), clean(str(post.get("message") or ""))
        at = float(post["create_at"]) / 1000
        skipped: list[SkippedItem] = []
        reactions = self._reactions(post, skipped)
        yield from skipped
        text = self._finish(written, post)
        if not (pieces := split_body(text)):
            yield SkippedItem("posts without any content")
            return
        naming = parse_mentions(text)
        known = self._users.accounts
        message = MessageRecord(
            conversation=key,
            author=author,
            client_id=f"mm-{int(post['create_at'])}-{digest(written)}",
            body=pieces[0],
            created_at=moment(at),
            edited_at=moment(float(post["edit_at"]) / 1000) if post.get("edit_at") else None,
            thread=thread,
            mentions=[name for call in naming.calls if (name := next((one for one in call if one in known), ""))],
            mentions_all="channel" if naming.channel else "here" if naming.here else None,
            reactions=reactions,
        )
        yield from [message, *continued(message, pieces[1:])]

    def _finish(self, written: str, post: Fields) -> str:
        """Return the text with emoji and names converted outside of code, and with the names of files."""
        parts = CODE.split(written)
        parts[::2] = [show_emoji(CALL.sub(self._call, part)) for part in parts[::2]]
        text = "".join(parts)
        if str(post.get("type") or "").startswith("system_"):
            text = f"_{text}_"
        files = [link(str(one.get("path", "")).rpartition("/")[2], None) for one in post.get("attachments") or ()]
        return "\n".join(part for part in [text, *files] if part)

    def _call(self, call: re.Match[str]) -> str:
        name = call[1].rstrip("._-")
        return "@" + self._users.names.get(name.lower(), name) + call[1][len(name) :]

    def _reactions(self, post: Fields, skipped: list[SkippedItem]) -> list[ReactionRecord]:
        found: dict[str, dict[str, None]] = {}
        for one in post.get("reactions") or ():
            if (emoji := find_emoji(str(one["emoji_name"]))) is None:
                skipped.append(SkippedItem(f"reactions with :{one['emoji_name']}:, which is not a Unicode emoji"))
            else:
                found.setdefault(emoji, {})[self._users.name_of(one["user"])] = None
        return [ReactionRecord(emoji=emoji, users=list(users)) for emoji, users in found.items()]
