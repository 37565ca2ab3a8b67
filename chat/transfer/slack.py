"""A Slack export: a ZIP with lists of users and conversations, and a folder per conversation with a file per day."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from pydantic import ValidationError

from chat.transfer.archive import Archive
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
from chat.transfer.slack_markup import MarkdownWriter, SlackText
from chat.transfer.text import (
    account_name,
    clean,
    continued,
    find_emoji,
    link,
    moment,
    shown_name,
    split_body,
    title,
    topic,
)


class SlackUsers:
    """Users from `users.json`, and others that messages mention: bots, and guests of other workspaces."""

    def __init__(self, listed: list[Any]) -> None:
        self.names: dict[str, str] = {}
        self._new: list[UserRecord] = []
        for one in listed:
            if isinstance(one, dict) and isinstance(one.get("id"), str):
                self._add(one["id"], str(one.get("name") or one["id"]), one)

    def take_new(self) -> Iterator[UserRecord]:
        """Yield the users found since the last call."""
        new, self._new = self._new, []
        yield from new

    def name_of(self, user_id: str) -> str:
        """Return the account name. An unknown user is named by the id."""
        if user_id not in self.names:
            self._add(user_id, user_id, {})
        return self.names[user_id]

    def author_of(self, message: Mapping[str, Any]) -> str:
        """Return the account name of a message's author: a user, perhaps of another workspace, or a bot."""
        user_id = message.get("user")
        if isinstance(user_id, str):
            profile = message.get("user_profile")
            if user_id not in self.names and isinstance(profile, dict):
                self._add(user_id, str(profile.get("name") or user_id), {"profile": profile})
            return self.name_of(user_id)
        bot = message.get("bot_profile")
        shown = message.get("username") or (bot.get("name") if isinstance(bot, dict) else None) or "bot"
        key = f"{message.get('bot_id') or 'bot'} {shown}"
        if key not in self.names:
            self._add(key, f"{shown} (bot)", {"real_name": shown})
        return self.names[key]

    def _add(self, user_id: str, name: str, one: Mapping[str, Any]) -> None:
        profile = one.get("profile")
        profile = profile if isinstance(profile, dict) else {}
        self.names[user_id] = account_name(name)
        names = [profile.get("display_name"), profile.get("real_name"), one.get("real_name"), name]
        disabled_at = moment(float(one.get("updated") or 0)) if one.get("deleted") else None
        about = shown_name(profile.get("title")) if profile.get("title") else ""
        self._new.append(
            UserRecord(name=self.names[user_id], display_name=shown_name(*names), about=about, disabled_at=disabled_at)
        )


# Messages. Pure.

Fields = Mapping[str, Any]
IGNORED_SUBTYPES = {"message_deleted", "message_changed", "message_replied", "hidden"}


class Messages:
    """The messages of one conversation, in order: a reply refers to the first message of its thread."""

    def __init__(self, key: str, users: SlackUsers, writer: MarkdownWriter) -> None:
        self._key, self._users, self._writer = key, users, writer
        self.refs: dict[str, Ref] = {}  # of roots and of what is pinned, by `ts`

    def read(self, raw: Fields, referenced: bool) -> Iterator[Item]:
        """Yield records: a long message becomes several. Raise `ValueError` if it is not a message.

        `referenced`: other records will refer to it.
        """
        if raw.get("subtype") in IGNORED_SUBTYPES:
            yield SkippedItem(f"events of the kind {raw['subtype']}")
            return
        ts = str(raw["ts"])
        ref = Ref(author=self._users.author_of(raw), client_id=f"slack-{ts}")
        if referenced or raw.get("thread_ts") == ts:
            self.refs[ts] = ref
        text, deleted, skipped = self._text(raw), raw.get("subtype") == "tombstone", list[SkippedItem]()
        pieces = [""] if deleted else split_body(clean(text.body))
        fields = self._fields(raw, text, deleted, skipped)
        yield from skipped
        if pieces:
            message = MessageRecord(conversation=self._key, body=pieces[0], **ref.model_dump(), **fields)
            yield from [message, *continued(message, pieces[1:])]
        else:
            yield SkippedItem("messages without any content")

    def _fields(self, raw: Fields, text: SlackText, deleted: bool, skipped: list[SkippedItem]) -> dict[str, Any]:
        """Return all fields but author and text. A deleted message has few."""
        ts = str(raw["ts"])
        sent_at = moment(float(ts))
        fields = {"created_at": sent_at, "thread": self._thread(raw, ts, skipped)}
        if deleted:
            return fields | {"deleted_at": sent_at}
        return fields | {
            "edited_at": moment(float(raw["edited"]["ts"])) if raw.get("edited") else None,
            "mentions": list(dict.fromkeys(text.mentions)),
            "mentions_all": text.everyone,
            "reactions": self._reactions(raw, skipped),
        }

    def _thread(self, raw: Fields, ts: str, skipped: list[SkippedItem]) -> Ref | None:
        root = str(raw.get("thread_ts") or ts)
        if root == ts:
            return None
        if root not in self.refs:
            skipped.append(SkippedItem("replies to messages outside of the export, imported as messages"))
        return self.refs.get(root)

    def _reactions(self, raw: Fields, skipped: list[SkippedItem]) -> list[ReactionRecord]:
        found: dict[str, dict[str, None]] = {}
        for one in raw.get("reactions") or ():
            emoji = find_emoji(str(one["name"]))
            users = [self._users.name_of(user) for user in one.get("users") or ()]
            if emoji is None:
                skipped.append(SkippedItem(f"reactions with :{one['name']}:, which is not a Unicode emoji"))
            elif users:
                found.setdefault(emoji, {}).update(dict.fromkeys(users))
        return [ReactionRecord(emoji=emoji, users=list(users)) for emoji, users in found.items()]

    def _text(self, raw: Fields) -> SlackText:
        """Return the text, followed by attachments and files."""
        written = str(raw.get("text") or "") or "\n".join(texts_in(raw.get("blocks")))
        text = self._writer.write(written)
        if raw.get("subtype") in ("me_message", "channel_join", "channel_leave", "group_join", "group_leave"):
            text.body = f"_{text.body}_"
        parts = [text.body, *(self._quote(one) for one in raw.get("attachments") or () if not is_preview(one))]
        parts += [link_file(one) for one in raw.get("files") or ([raw["file"]] if raw.get("file") else [])]
        text.body = "\n".join(part for part in parts if part)
        return text

    def _quote(self, attachment: Fields) -> str:
        """Return an attachment of a bot's message as quoted lines."""
        title = str(attachment.get("title") or "")
        if url := attachment.get("title_link"):
            title = f"<{url}|{title or url}>"
        lines = [attachment.get("pretext"), title, attachment.get("text")]
        lines += [f"{one.get('title', '')}: {one.get('value', '')}" for one in attachment.get("fields") or ()]
        quoted = "\n".join(str(line) for line in lines if line) or str(attachment.get("fallback") or "")
        return "\n".join("> " + line for line in self._writer.write(quoted).body.splitlines())


def is_preview(attachment: Fields) -> bool:
    """Return whether Slack made the attachment as a preview of a link in the text."""
    return bool(attachment.get("from_url") or attachment.get("original_url"))


def link_file(file: Fields) -> str:
    """Return a link to the file, without the token in the export's URL that gives everyone access."""
    url = str(file.get("url_private") or file.get("permalink") or "")
    return link(file.get("name") or file.get("title"), url.partition("?")[0])


def texts_in(block: object) -> Iterator[str]:
    """Yield the texts of a message that has blocks only, whatever their nesting."""
    waiting = [block]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += reversed(one)
        elif isinstance(one, dict):
            if isinstance(text := one.get("text"), str):
                yield text
            parts = [one.get(name) for name in ("text", "elements", "fields", "url")]
            waiting += [part for part in reversed(parts) if not isinstance(part, str)]


DAY = re.compile(r"\d{4}-\d\d-\d\d\.json")
LISTS = {"channels.json": "channel", "groups.json": "private", "dms.json": "direct", "mpims.json": "group"}
# The workspace.

INVALID = (KeyError, TypeError, ValueError, AttributeError)
Json = dict[str, Any]


class Workspace:
    """The workspace of an export, as items."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._errors: list[LineError] = []
        listed = self._read("users.json")
        self.team = next((str(one["team_id"]) for one in listed if isinstance(one, dict) and one.get("team_id")), "")
        self._users = SlackUsers(listed)
        self._conversations = {name: [one for one in self._read(name) if self._is_valid(name, one)] for name in LISTS}
        self._names = {one["id"]: str(one.get("name", "")) for listed in self._conversations.values() for one in listed}
        self._writer = MarkdownWriter(self._users.name_of, lambda id_, shown: self._names.get(id_) or shown or id_)

    def read(self) -> Iterator[Item]:
        """Yield users first, then each conversation with all its records."""
        yield from self._users.take_new()
        for name, listed in self._conversations.items():
            for conversation in listed:
                yield from self._conversation(LISTS[name], conversation)
        yield from self._errors

    def _read(self, name: str) -> list[Any]:
        """Return the list in a file. For invalid content, note an error and return an empty list."""
        content = self._archive.read(name)
        try:
            found = orjson.loads(content or b"[]")
        except orjson.JSONDecodeError as error:
            self._errors.append(LineError(f"{name}:{error.lineno}", error.msg))
            return []
        if not isinstance(found, list):
            self._errors.append(LineError(f"{name}:1", "is not a list"))
            return []
        return found

    def _is_valid(self, name: str, one: object) -> bool:
        if isinstance(one, dict) and isinstance(one.get("id"), str):
            return True
        self._errors.append(LineError(name, "an entry without an id"))
        return False

    def _conversation(self, kind: str, conversation: Json) -> Iterator[Item]:
        members = [self._users.name_of(user) for user in dict.fromkeys(conversation.get("members") or ())]
        creator = self._users.name_of(conversation["creator"]) if conversation.get("creator") else None
        yield from self._users.take_new()
        if kind == "direct" and not 1 <= len(members) <= 2:
            yield LineError("dms.json", f"{conversation['id']} names {len(members)} users")
            return
        yield describe(kind, conversation, members, creator)
        messages = Messages(conversation["id"], self._users, self._writer)
        pinned = {str(pin.get("id")): pin for pin in conversation.get("pins") or ()}
        folder = str(conversation.get("name") or conversation["id"]) if kind != "direct" else conversation["id"]
        for path in self._archive.under(folder):
            if DAY.fullmatch(path.rpartition("/")[2]):
                yield from self._day(path, messages, pinned)
        yield from self._pins(conversation["id"], messages, pinned)
        yield from self._users.take_new()
        for member in members:
            runs = member == creator and kind != "direct"
            yield MemberRecord(conversation=conversation["id"], user=member, role="owner" if runs else "member")

    def _day(self, path: str, messages: Messages, pinned: Mapping[str, Json]) -> Iterator[Item]:
        day = self._read(path)
        yield from self._take_errors()
        for number, raw in enumerate(day):
            try:
                items = list(messages.read(raw, str(raw.get("ts")) in pinned))
            except ValidationError as error:
                items = [LineError(f"{path}:{self._line_of(path, number)}", explain(error))]
            except INVALID as error:
                items = [LineError(f"{path}:{self._line_of(path, number)}", f"is not a message: {error!r}")]
            yield from self._users.take_new()
            yield from items

    def _pins(self, key: str, messages: Messages, pinned: Mapping[str, Json]) -> Iterator[Item]:
        for ts, pin in sorted(pinned.items(), key=lambda one: float(one[1].get("created") or 0)):
            if (ref := messages.refs.get(ts)) is None:
                yield SkippedItem("pins of messages outside of the export")
            else:
                by = self._users.name_of(pin["user"]) if pin.get("user") else ref.author
                yield from self._users.take_new()
                yield PinRecord(conversation=key, message=ref, user=by)

    def _take_errors(self) -> list[LineError]:
        taken, self._errors = self._errors, []
        return taken

    def _line_of(self, path: str, number: int) -> int:
        """Return the line of an entry. Slow, and only used for errors."""
        text = self._archive.read(path).decode("utf-8", "replace")
        decoder, at = json.JSONDecoder(), text.index("[") + 1
        for _ in range(number):
            at = decoder.raw_decode(text, skip(text, at))[1]
        return text.count("\n", 0, skip(text, at)) + 1


def skip(text: str, at: int) -> int:
    """Return the start of the next entry."""
    while text[at] in " \t\r\n,":
        at += 1
    return at


def describe(kind: str, conversation: Json, members: list[str], creator: str | None) -> ConversationRecord:
    """Return the record of a conversation. A private channel stays private."""
    made = moment(float(conversation["created"])) if conversation.get("created") else None
    shown: Json = {
        "name": title(conversation.get("name")),
        "topic": topic(text_of(conversation, "topic") or text_of(conversation, "purpose")),
    }
    archived_at = moment(float(conversation.get("updated") or 0) / 1000) if conversation.get("is_archived") else None
    fields: Json = {
        "id": conversation["id"],
        "kind": "channel" if kind == "private" else kind,
        "private": kind != "channel",
    }
    people = members if kind == "direct" else []
    times: Json = {"created_by": creator, "created_at": made, "archived_at": archived_at}
    return ConversationRecord(**fields, **times, **(shown if kind in ("channel", "private") else {}), people=people)


def text_of(conversation: Json, name: str) -> str:
    """Return the value of a field such as `{"topic": {"value": …}}`."""
    value = conversation.get(name)
    return str(value.get("value") or "") if isinstance(value, dict) else ""
