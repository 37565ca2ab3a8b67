"""A Mattermost bulk export: JSON lines with a type each: teams, channels, users, posts."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Any

from pydantic import ValidationError

from chat.messages.mention_parser import parse_mentions
from chat.shared.appearance import look_key
from chat.transfer.archive import read_lines
from chat.transfer.foreign import ForeignEmoji
from chat.transfer.records import (
    AttachmentRecord,
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
    CODE,
    UniqueNames,
    clean,
    continued,
    digest,
    email,
    leftovers,
    link,
    moment,
    one_line,
    parse,
    show_emoji,
    shown_name,
    split_body,
    time_zone,
    title,
    topic,
)

INVALID = (KeyError, TypeError, ValueError, AttributeError, RecursionError)
Json = dict[str, Any]
Fields = Mapping[str, Any]

# Fields without words of users, by the type of the line. Names in references to users and channels are among them.
MACHINERY = {
    "team": "name display_name type scheme roles",
    "channel": "team name type scheme",
    "user": "username teams roles locale theme auth_service auth_data notify_props timezone password display_mode"
    " military_time custom_status.emoji custom_status.duration collapse_previews message_display channel_display_mode"
    " tutorial_step use_formatting show_unread_section email_interval use_markdown_preview name_format show_join_leave"
    " show_teammates send_on_ctrl_enter code_block_ctrl_enter show_last_active",
    "bot": "username owner",
    "direct_channel": "members participants favorited_by shown_by",
}
OF_POSTS = """
team channel channel_members user id type reactions flagged_by thread_followers props.from_webhook props.from_bot
props.override_icon_url props.override_icon_emoji props.use_user_icon props.channel_mentions
props.mentionHighlightDisabled props.disable_group_highlight props.userId props.addedUserId props.removedUserId
props.unsafe_links props.attachments.color props.attachments.id props.attachments.author_icon
props.attachments.footer_icon props.attachments.actions.id props.attachments.actions.type props.poll_id
props.attachments.actions.integration props.attachments.actions.options.value props.attachments.actions.style
props.attachments.actions.cookie props.previewed_post
"""
POSTS = dict.fromkeys(("post", "direct_post", "post.replies", "direct_post.replies"), OF_POSTS)
KNOWN = frozenset(f"{line}.{name}" for line, names in (MACHINERY | POSTS).items() for name in names.split())
READ_TYPES = frozenset({*MACHINERY, "post", "direct_post"})  # other lines are counted as a whole


class MattermostServer:
    """The server of an export, as items. `emoji`: its custom emoji, whose lines come after the posts."""

    def __init__(self, emoji: Iterable[Json] = ()) -> None:
        self._custom = ForeignEmoji()
        for one in emoji:
            self._emoji(one, "")
        self._users = MattermostUsers()
        self._posts = MattermostPosts(self._users, self._custom)
        self._teams: dict[str, str] = {}
        self._titles: set[str] = set()
        self._seen: dict[str, None] = {}

    def read(self, file: IO[bytes], name: str, progress: Callable[[int], None]) -> Iterator[Item]:
        """Yield items in the order of the lines. Pins and members come last."""
        for number, line in read_lines(file, progress):
            place = f"{name}:{number}"
            try:
                raw = parse(line)
                items = [*self._read_line(raw, place)]
                made = [*self._users.take_new(), *items]
                told = {raw["type"]: raw.get(raw["type"])} if raw["type"] in READ_TYPES else {}
                items = [*made, *leftovers(told, made, KNOWN, place, self._posts.plain)]
            except ValidationError as error:
                items = [*self._users.take_new(), LineError(place, explain(error))]
            except INVALID as error:
                items = [*self._users.take_new(), LineError(place, f"cannot be read: {error!r}")]
            yield from items
        yield from self._posts.pins
        for key in self._seen:
            yield from self._users.members(key)

    def _read_line(self, line: Json, place: str) -> Iterator[Item]:
        kind = line["type"]
        what: Json = line.get(kind) or {}
        match kind:
            case "user" | "bot":
                self._users.add_user(what)
            case "channel":
                yield from self._channel(what)
            case "direct_channel":
                yield from self._direct(members_of(what), what)
            case "post":
                key = channel_key(what["team"], what["channel"])
                if key not in self._seen:
                    yield from self._channel({"team": what["team"], "name": what["channel"], "type": "P"})
                yield from self._posts.read(key, what, place)
            case "direct_post":
                yield from self._direct(what["channel_members"], {})
                yield from self._posts.read(direct_key(what["channel_members"]), what, place)
            case "team":
                self._teams[str(what["name"])] = title(what.get("display_name"), what["name"])
                yield SkippedItem("teams; their channels are imported", place)
            case "emoji":
                yield self._emoji(what, place)
            case _ if kind != "version":
                yield SkippedItem(f"lines of the type {kind}", place)

    def _emoji(self, emoji: Json, place: str) -> Item:
        picture = file_at(emoji["image"]) if emoji.get("image") else None
        return self._custom.add(emoji.get("name"), picture, place)

    def _channel(self, channel: Json) -> Iterator[Item]:
        team, key = str(channel["team"]), channel_key(channel["team"], channel["name"])
        if key in self._seen:
            return
        self._seen[key] = None
        name = title(channel.get("display_name"), channel["name"])
        if look_key(name) in self._titles:  # another team's
            name = title(f"{name} ({self._teams.get(team, team)})")
        self._titles.add(look_key(name))
        self._posts.titles.setdefault(str(channel["name"]), name)
        about = dict.fromkeys(str(channel[part]) for part in ("header", "purpose") if channel.get(part))
        yield ConversationRecord(
            id=key,
            kind="channel",
            name=name,
            topic=topic(" · ".join(about)),
            private=channel.get("type") == "P",
            archived_at=moment(float(channel["deleted_at"]) / 1000) if channel.get("deleted_at") else None,
        )

    def _direct(self, members: list[str], channel: Json) -> Iterator[Item]:
        """Yield a direct message for two members, or a group for more."""
        key, names = direct_key(members), [self._users.name_of(name) for name in sorted(set(members))]
        if key in self._seen or not names:
            return
        self._seen[key] = None
        for name in names:
            self._users.add_member(key, name)
        more: Json = {"people": names} if len(names) <= 2 else {"topic": topic(channel.get("header"))}
        yield ConversationRecord(id=key, kind="direct" if len(names) <= 2 else "group", private=True, **more)


# Users and members.

MAX_KEY = 150  # characters of a group's key


class MattermostUsers:
    """The users of an export, their account names, and the members of each channel with their roles."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.accounts: set[str] = set()
        self.members_of: dict[str, dict[str, str]] = {}
        self._unique = UniqueNames()
        self._new: list[UserRecord] = []

    def add_user(self, user: Fields) -> None:
        """Note a line of the type `user` or `bot`."""
        name = str(user["username"])
        full = " ".join(str(user.get(part) or "") for part in ("first_name", "last_name"))
        shown = shown_name(user.get("nickname"), full, user.get("display_name"), name)
        disabled_at = moment(float(user["delete_at"]) / 1000) if user.get("delete_at") else None
        rest = [shown_name(full)] if full.strip() and shown_name(full) != shown else []
        about = " · ".join([*rest, *(str(user[part]) for part in ("position", "description") if user.get(part))])
        zone = user.get("timezone")
        if isinstance(zone, dict):
            automatic = str(zone.get("useAutomaticTimezone")).lower() == "true"
            zone = zone.get("automaticTimezone" if automatic else "manualTimezone")
        self._add(
            name,
            display_name=shown,
            about=one_line(about, 500),
            disabled_at=disabled_at,
            email=email(user.get("email")),
            time_zone=time_zone(zone),
            role="admin" if "system_admin" in str(user.get("roles")).split() else "member",
            avatar=file_at(user["profile_image"]) if user.get("profile_image") else None,
        )
        for team in user.get("teams") or ():
            for channel in team.get("channels") or ():
                role = "admin" if "channel_admin" in str(channel.get("roles")) else "member"
                self.add_member(channel_key(team["name"], channel["name"]), self.names[name], role)

    def _add(self, name: str, **fields: Any) -> None:
        self.names[name] = self._unique.add(name, name)
        self.accounts.add(self.names[name])
        self._new.append(UserRecord(id=one_line(name, 200), name=self.names[name], **fields))

    def add_member(self, key: str, name: str, role: str = "member") -> None:
        """Note a member of a conversation."""
        self.members_of.setdefault(key, {})[name] = role

    def name_of(self, name: object) -> str:
        """Return the account name. A user without a line keeps their name."""
        text = str(name)
        if text not in self.names:
            self.add_user({"username": text})
        return self.names[text]

    def author_of(self, post: Fields) -> str:
        """Return the account name of a post's author. A webhook may post under a name of its own."""
        props = post.get("props")
        shown = props.get("override_username") if isinstance(props, dict) else None
        if not isinstance(shown, str) or not shown.strip() or shown == post["user"]:
            return self.name_of(post["user"])
        id_ = f"webhook:{shown}"
        if id_ not in self.names:
            self.names[id_] = self._unique.add(id_, shown)
            self._new.append(UserRecord(id=one_line(id_, 200), name=self.names[id_], display_name=shown_name(shown)))
        return self.names[id_]

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


def members_of(channel: Fields) -> list[str]:
    """Return the usernames of a direct channel: older servers list `members`, newer ones `participants`."""
    participants = [str(one["username"]) for one in channel.get("participants") or ()]
    return participants or [str(one) for one in channel["members"]]


def file_at(path: object) -> AttachmentRecord:
    """Return the file at a path of the archive."""
    text = clean(str(path))
    return AttachmentRecord(name=one_line(text.rpartition("/")[2], 255) or "file", path=text)


# Posts. Replies follow their post.

CALL = re.compile(r"(?<![\w@.+%-])@([A-Za-z0-9_.-]+)")
LINK = re.compile(r"(?<![\w~/.])~([a-z0-9][a-z0-9_-]{0,63})(?![\w~])")
ALL = re.compile(r"(?<![\w@.+%-])@all\b", re.IGNORECASE)


class MattermostPosts:
    """Posts as messages. Both use Markdown: only names that are not allowed as usernames are rewritten."""

    def __init__(self, users: MattermostUsers, custom: ForeignEmoji | None = None) -> None:
        self._users, self._custom = users, custom or ForeignEmoji()
        self.pins: list[PinRecord] = []
        self.titles: dict[str, str] = {}  # of channels, by their names in addresses

    def read(self, key: str, post: Fields, place: str = "") -> Iterator[Item]:
        """Yield a post and its thread. Raise `KeyError`, `TypeError` or `ValueError` if the post is not valid.

        A reply that is not valid is an error of its own.
        """
        root: Ref | None = None
        for item in self._message(key, post, None, place):
            root = root or (ref_of(item) if isinstance(item, MessageRecord) else None)
            yield item
        for reply in post.get("replies") or ():
            try:
                yield from list(self._message(key, reply, root, place))
            except ValidationError as error:
                yield LineError(place, explain(error))
            except INVALID as error:
                yield LineError(place, f"a reply cannot be read: {error!r}")

    def _message(self, key: str, post: Fields, thread: Ref | None, place: str) -> Iterator[Item]:
        written = clean(str(post.get("message") or ""))
        skipped: list[SkippedItem] = []
        reactions = self._reactions(post, skipped, place)
        yield from skipped
        text = self._finish(written, post)
        files = [file_at(one["path"]) for one in post.get("attachments") or () if one.get("path")]
        pieces = split_body(text) or ([""] if files else [])
        if not pieces:
            yield SkippedItem("posts without any content", place)
            return
        naming = parse_mentions(text)
        known = self._users.accounts
        everyone = naming.channel or any(ALL.search(part) for part in CODE.split(text)[::2])
        message = MessageRecord(
            conversation=key,
            author=self._users.author_of(post),
            client_id=f"mm-{int(post['create_at'])}-{digest(written)}",
            body=pieces[0],
            created_at=moment(float(post["create_at"]) / 1000),
            edited_at=moment(float(post["edit_at"]) / 1000) if post.get("edit_at") else None,
            thread=thread,
            mentions=[name for call in naming.calls if (name := next((one for one in call if one in known), ""))],
            mentions_all="channel" if everyone else "here" if naming.here else None,
            reactions=reactions,
            files=files,
        )
        if post.get("is_pinned"):
            self.pins.append(PinRecord(conversation=key, message=ref_of(message), user=message.author))
        yield from [message, *continued(message, pieces[1:])]

    def _finish(self, written: str, post: Fields) -> str:
        """Return the text with emoji and names converted outside of code, and with what a webhook has attached."""
        text = self.plain(written)
        if text and str(post.get("type") or "").startswith("system_"):
            text = f"_{text}_"
        props = post.get("props")
        props = props if isinstance(props, dict) else {}
        quotes = [self.plain(clean(quote(one))) for one in props.get("attachments") or () if isinstance(one, dict)]
        return "\n".join(part for part in [text, *quotes] if part)

    def plain(self, text: str) -> str:
        """Return a text as a reader sees it: emoji and names are converted outside of code. Linear."""
        parts = CODE.split(text)
        parts[::2] = [show_emoji(LINK.sub(self._link, CALL.sub(self._call, part))) for part in parts[::2]]
        return "".join(parts)

    def _link(self, link: re.Match[str]) -> str:
        """Return the name of a channel that a text links to."""
        name = link[1].rstrip("-_")
        return f"#{self.titles[name]}{link[1][len(name) :]}" if name in self.titles else link[0]

    def _call(self, call: re.Match[str]) -> str:
        name = call[1].rstrip("._-")
        return "@" + self._users.names.get(name.lower(), name) + call[1][len(name) :]

    def _reactions(self, post: Fields, skipped: list[SkippedItem], place: str) -> list[ReactionRecord]:
        found: dict[str, dict[str, None]] = {}
        for one in post.get("reactions") or ():
            name = str(one["emoji_name"])
            if (emoji := self._custom.find(name)) is None:
                what = f"reactions with :{name}:, which is not a Unicode emoji"
                skipped.append(SkippedItem(what, place))
            else:
                found.setdefault(emoji, {})[self._users.name_of(one["user"])] = None
        return [ReactionRecord(emoji=emoji, users=list(users)) for emoji, users in found.items()]


def ref_of(message: MessageRecord) -> Ref:
    """Return a reference to a message."""
    return Ref(author=message.author, client_id=message.client_id)


def quote(attachment: Fields) -> str:
    """Return a webhook's attachment as quoted lines of Markdown."""
    shown, url = str(attachment.get("title") or ""), str(attachment.get("title_link") or "")
    titled = link(shown or url, url) if url else shown
    lines = [attachment.get("pretext"), attachment.get("author_name"), titled, attachment.get("text")]
    lines += [f"{one.get('title') or ''}: {one.get('value') or ''}" for one in attachment.get("fields") or ()]
    actions = [one for one in attachment.get("actions") or () if isinstance(one, dict)]
    lines += [one.get("name") for one in actions]
    lines += [f"- {choice.get('text')}" for one in actions for choice in one.get("options") or ()]
    lines += [attachment.get(name) for name in ("image_url", "thumb_url", "author_link", "footer")]
    text = "\n".join(str(line) for line in lines if line) or str(attachment.get("fallback") or "")
    return "\n".join("> " + line for line in text.splitlines())
