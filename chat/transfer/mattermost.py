"""A Mattermost bulk export: lines of JSON, each with its type: teams, channels, users, posts."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

import orjson
from pydantic import ValidationError

from chat.messages.mention_parser import parse_mentions
from chat.transfer.archive import read_lines
from chat.transfer.authors import account_name
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

WRONG = (KeyError, TypeError, ValueError, AttributeError)
QUIET = {"version", "team"}
Json = dict[str, Any]


class MattermostServer:
    """What is in it, as items."""

    def __init__(self) -> None:
        self._people = MattermostUsers()
        self._posts = MattermostPosts(self._people)
        self._begun: dict[str, None] = {}

    def read(self, file: IO[bytes], name: str, told: Callable[[int], None]) -> Iterator[Item]:
        """In the order of the lines; who is in which conversation comes last, for users come before the posts."""
        for number, line in read_lines(file, told):
            try:
                items = self._take(orjson.loads(line))
            except ValidationError as wrong:
                items = [LineError(f"{name}:{number}", explain(wrong))]
            except WRONG as wrong:
                items = [LineError(f"{name}:{number}", f"cannot be read: {wrong!r}")]
            yield from self._people.fresh()
            yield from items
        yield from self._posts.pins
        for key in self._begun:
            yield from self._people.members(key)

    def _take(self, line: Json) -> list[Item]:
        kind = line["type"]
        what: Json = line.get(kind) or {}
        match kind:
            case "user" | "bot":
                self._people.take(what)
            case "channel":
                return self._channel(what)
            case "direct_channel":
                return self._direct(what["members"], what)
            case "post":
                key = channel_key(what["team"], what["channel"])
                begun = [] if key in self._begun else self._channel({"display_name": what["channel"]} | what, key)
                return [*begun, *self._posts.read(key, what)]
            case "direct_post":
                begun = self._direct(what["channel_members"], {})
                return [*begun, *self._posts.read(direct_key(what["channel_members"]), what)]
            case _ if kind not in QUIET:
                return [SkippedItem(f"lines of the type {kind}")]
        return []

    def _channel(self, channel: Json, key: str = "") -> list[Item]:
        key = key or channel_key(channel["team"], channel["name"])
        self._begun[key] = None
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
        """Two are a direct; more are a group."""
        key, names = direct_key(members), [self._people.name_of(name) for name in sorted(set(members))]
        if key in self._begun:
            return []
        self._begun[key] = None
        for name in names:
            self._people.sit(key, name)
        kind = "direct" if len(names) <= 2 else "group"
        people = names if kind == "direct" else []
        about = topic(channel.get("header")) if kind == "group" else ""
        return [
            ConversationRecord.model_validate(
                {"id": key, "kind": kind, "people": people, "topic": about, "private": True}
            )
        ]


# The people of a Mattermost server, and what each is in which channel.

Fields = Mapping[str, Any]
PEOPLE_MOST = 150  # letters of a group's key


class MattermostUsers:
    """`names`: their accounts by what they are called there; `seats`: by channel, who is in it and as what."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.accounts: set[str] = set()
        self.seats: dict[str, dict[str, str]] = {}
        self._fresh: list[UserRecord] = []

    def take(self, user: Fields) -> None:
        """A line of the type `user` or `bot`."""
        name = str(user["username"])
        full = " ".join(str(user.get(part) or "") for part in ("first_name", "last_name"))
        shown = shown_name(user.get("nickname"), full, user.get("display_name"), name)
        gone = moment(float(user["delete_at"]) / 1000) if user.get("delete_at") else None
        about = one_line(str(user.get("position") or ""), 200)
        self.names[name] = account_name(name)
        self.accounts.add(self.names[name])
        self._fresh.append(UserRecord(name=self.names[name], display_name=shown, about=about, disabled_at=gone))
        for team in user.get("teams") or ():
            for channel in team.get("channels") or ():
                role = "admin" if "channel_admin" in str(channel.get("roles")) else "member"
                self.sit(channel_key(team["name"], channel["name"]), self.names[name], role)

    def sit(self, key: str, name: str, role: str = "member") -> None:
        """One more is in this conversation."""
        self.seats.setdefault(key, {})[name] = role

    def name_of(self, name: object) -> str:
        """The account name; who has no line of his own is called as he is there."""
        text = str(name)
        if text not in self.names:
            self.take({"username": text})
        return self.names[text]

    def fresh(self) -> Iterator[UserRecord]:
        """Those who have not been told of yet."""
        told, self._fresh = self._fresh, []
        yield from told

    def members(self, key: str) -> Iterator[MemberRecord]:
        """Who is in it."""
        for name, role in self.seats.get(key, {}).items():
            yield MemberRecord.model_validate({"conversation": key, "user": name, "role": role})


def channel_key(team: object, name: object) -> str:
    """What a channel is called there: unlike all others."""
    return f"{team}:{name}"


def direct_key(names: list[str]) -> str:
    """A direct or a group message is known by its people."""
    people = " ".join(sorted(set(names)))
    return "direct:" + (people if len(people) <= PEOPLE_MOST else digest(people))


# Posts of Mattermost as messages, with their replies right behind them.

CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
CALL = re.compile(r"(?<![\w@.+%-])@([A-Za-z0-9_.-]+)")


class MattermostPosts:
    """Mattermost writes Markdown, as we do; only names that an account of ours cannot have are rewritten."""

    def __init__(self, people: MattermostUsers) -> None:
        self._people = people
        self.pins: list[PinRecord] = []

    def read(self, key: str, post: Fields) -> Iterator[Item]:
        """The post and its thread; raises `KeyError`, `TypeError`, `ValueError` on what is none."""
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
        author, said = self._people.name_of(post["user"]), clean(str(post.get("message") or ""))
        at = float(post["create_at"]) / 1000
        asides: list[SkippedItem] = []
        reactions = self._reactions(post, asides)
        yield from asides
        text = self._finish(said, post)
        if not (pieces := split_body(text)):
            yield SkippedItem("posts without any content")
            return
        naming = parse_mentions(text)
        known = self._people.accounts
        message = MessageRecord(
            conversation=key,
            author=author,
            client_id=f"mm-{int(post['create_at'])}-{digest(said)}",
            body=pieces[0],
            created_at=moment(at),
            edited_at=moment(float(post["edit_at"]) / 1000) if post.get("edit_at") else None,
            thread=thread,
            mentions=[name for call in naming.calls if (name := next((one for one in call if one in known), ""))],
            mentions_all="channel" if naming.channel else "here" if naming.here else None,
            reactions=reactions,
        )
        yield from [message, *continued(message, pieces[1:])]

    def _finish(self, said: str, post: Fields) -> str:
        """Prose with its emoji and names, code as it is, files as their names."""
        parts = CODE.split(said)
        parts[::2] = [show_emoji(CALL.sub(self._call, part)) for part in parts[::2]]
        text = "".join(parts)
        if str(post.get("type") or "").startswith("system_"):
            text = f"_{text}_"
        files = [link(str(one.get("path", "")).rpartition("/")[2], None) for one in post.get("attachments") or ()]
        return "\n".join(part for part in [text, *files] if part)

    def _call(self, call: re.Match[str]) -> str:
        name = call[1].rstrip("._-")
        return "@" + self._people.names.get(name.lower(), name) + call[1][len(name) :]

    def _reactions(self, post: Fields, asides: list[SkippedItem]) -> list[ReactionRecord]:
        found: dict[str, dict[str, None]] = {}
        for one in post.get("reactions") or ():
            if (emoji := find_emoji(str(one["emoji_name"]))) is None:
                asides.append(SkippedItem(f"reactions with :{one['emoji_name']}:, which is no emoji of Unicode's"))
            else:
                found.setdefault(emoji, {})[self._people.name_of(one["user"])] = None
        return [ReactionRecord(emoji=emoji, users=list(users)) for emoji, users in found.items()]
