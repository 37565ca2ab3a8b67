"""A Slack export: a ZIP with lists of people and conversations, and a folder with a file a day for each of these."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from pydantic import ValidationError

from chat.transfer.archive import Archive
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
from chat.transfer.slack_markup import MarkdownWriter, SlackText
from chat.transfer.text import clean, continued, find_emoji, link, moment, shown_name, split_body, title, topic

# The people of a Slack workspace, and the account name that stands for each.


class SlackUsers:
    """Known from `users.json`, or met on the way: bots, and guests of other workspaces."""

    def __init__(self, listed: list[Any]) -> None:
        self.names: dict[str, str] = {}
        self._fresh: list[UserRecord] = []
        for one in listed:
            if isinstance(one, dict) and isinstance(one.get("id"), str):
                self._note(one["id"], str(one.get("name") or one["id"]), one)

    def fresh(self) -> Iterator[UserRecord]:
        """Those who have not been told of yet."""
        told, self._fresh = self._fresh, []
        yield from told

    def name_of(self, user_id: str) -> str:
        """The account name; whoever is not known by more is called by his id."""
        if user_id not in self.names:
            self._note(user_id, user_id, {})
        return self.names[user_id]

    def author_of(self, message: Mapping[str, Any]) -> str:
        """Who sent it: a person, perhaps of another workspace, or a bot."""
        user_id = message.get("user")
        if isinstance(user_id, str):
            profile = message.get("user_profile")
            if user_id not in self.names and isinstance(profile, dict):
                self._note(user_id, str(profile.get("name") or user_id), {"profile": profile})
            return self.name_of(user_id)
        bot = message.get("bot_profile")
        shown = message.get("username") or (bot.get("name") if isinstance(bot, dict) else None) or "bot"
        key = f"{message.get('bot_id') or 'bot'} {shown}"
        if key not in self.names:
            self._note(key, f"{shown} (bot)", {"real_name": shown})
        return self.names[key]

    def _note(self, user_id: str, name: str, one: Mapping[str, Any]) -> None:
        profile = one.get("profile")
        profile = profile if isinstance(profile, dict) else {}
        self.names[user_id] = account_name(name)
        names = [profile.get("display_name"), profile.get("real_name"), one.get("real_name"), name]
        gone = moment(float(one.get("updated") or 0)) if one.get("deleted") else None
        about = shown_name(profile.get("title")) if profile.get("title") else ""
        self._fresh.append(
            UserRecord(name=self.names[user_id], display_name=shown_name(*names), about=about, disabled_at=gone)
        )


# A message of Slack as ours. Pure.

Fields = Mapping[str, Any]
PASSING = {"message_deleted", "message_changed", "message_replied", "hidden"}


class Messages:
    """Those of one conversation, in their order: a reply finds the beginning of its thread."""

    def __init__(self, key: str, people: SlackUsers, writer: MarkdownWriter) -> None:
        self._key, self._people, self._writer = key, people, writer
        self.refs: dict[str, Ref] = {}  # of roots and of what is pinned, by `ts`

    def read(self, raw: Fields, kept: bool) -> Iterator[Item]:
        """One of Slack's may become several; raises `ValueError` on what is none. `kept`: it will be referred to."""
        if raw.get("subtype") in PASSING:
            yield SkippedItem(f"events of the kind {raw['subtype']}")
            return
        ts = str(raw["ts"])
        ref = Ref(author=self._people.author_of(raw), client_id=f"slack-{ts}")
        if kept or raw.get("thread_ts") == ts:
            self.refs[ts] = ref
        text, gone, asides = self._text(raw), raw.get("subtype") == "tombstone", list[SkippedItem]()
        pieces = [""] if gone else split_body(clean(text.body))
        fields = self._fields(raw, text, gone, asides)
        yield from asides
        if pieces:
            message = MessageRecord(conversation=self._key, body=pieces[0], **ref.model_dump(), **fields)
            yield from [message, *continued(message, pieces[1:])]
        else:
            yield SkippedItem("messages without any content")

    def _fields(self, raw: Fields, text: SlackText, gone: bool, asides: list[SkippedItem]) -> dict[str, Any]:
        """All but who says what; of a tombstone, hardly anything."""
        ts = str(raw["ts"])
        at = moment(float(ts))
        fields = {"created_at": at, "thread": self._thread(raw, ts, asides)}
        if gone:
            return fields | {"deleted_at": at}
        return fields | {
            "edited_at": moment(float(raw["edited"]["ts"])) if raw.get("edited") else None,
            "mentions": list(dict.fromkeys(text.mentions)),
            "mentions_all": text.everyone,
            "reactions": self._reactions(raw, asides),
        }

    def _thread(self, raw: Fields, ts: str, asides: list[SkippedItem]) -> Ref | None:
        root = str(raw.get("thread_ts") or ts)
        if root == ts:
            return None
        if root not in self.refs:
            asides.append(SkippedItem("replies whose thread begins outside of the export, kept as messages"))
        return self.refs.get(root)

    def _reactions(self, raw: Fields, asides: list[SkippedItem]) -> list[ReactionRecord]:
        found: dict[str, dict[str, None]] = {}
        for one in raw.get("reactions") or ():
            emoji = find_emoji(str(one["name"]))
            users = [self._people.name_of(user) for user in one.get("users") or ()]
            if emoji is None:
                asides.append(SkippedItem(f"reactions with :{one['name']}:, which is no emoji of Unicode's"))
            elif users:
                found.setdefault(emoji, {}).update(dict.fromkeys(users))
        return [ReactionRecord(emoji=emoji, users=list(users)) for emoji, users in found.items()]

    def _text(self, raw: Fields) -> SlackText:
        """What was written, then what hangs on it."""
        written = str(raw.get("text") or "") or "\n".join(texts_in(raw.get("blocks")))
        text = self._writer.write(written)
        if raw.get("subtype") in ("me_message", "channel_join", "channel_leave", "group_join", "group_leave"):
            text.body = f"_{text.body}_"
        parts = [text.body, *(self._quote(one) for one in raw.get("attachments") or () if not is_preview(one))]
        parts += [link_file(one) for one in raw.get("files") or ([raw["file"]] if raw.get("file") else [])]
        text.body = "\n".join(part for part in parts if part)
        return text

    def _quote(self, attachment: Fields) -> str:
        """What a bot hangs below its message."""
        title = str(attachment.get("title") or "")
        if url := attachment.get("title_link"):
            title = f"<{url}|{title or url}>"
        lines = [attachment.get("pretext"), title, attachment.get("text")]
        lines += [f"{one.get('title', '')}: {one.get('value', '')}" for one in attachment.get("fields") or ()]
        said = "\n".join(str(line) for line in lines if line) or str(attachment.get("fallback") or "")
        return "\n".join("> " + line for line in self._writer.write(said).body.splitlines())


def is_preview(attachment: Fields) -> bool:
    """What Slack itself has fetched of an address that stands in the text."""
    return bool(attachment.get("from_url") or attachment.get("original_url"))


def link_file(file: Fields) -> str:
    """Its name as a link. The export's address carries a token that opens it for everybody: that is left out."""
    url = str(file.get("url_private") or file.get("permalink") or "")
    return link(file.get("name") or file.get("title"), url.partition("?")[0])


def texts_in(block: object) -> Iterator[str]:
    """Yield the texts of a message that consists of blocks alone, however deep they are nested."""
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
WRONG = (KeyError, TypeError, ValueError, AttributeError)
Json = dict[str, Any]


class Workspace:
    """What is in it, as items."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._faults: list[LineError] = []
        listed = self._read("users.json")
        self.team = next((str(one["team_id"]) for one in listed if isinstance(one, dict) and one.get("team_id")), "")
        self._people = SlackUsers(listed)
        self._places = {name: [one for one in self._read(name) if self._is_place(name, one)] for name in LISTS}
        self._names = {one["id"]: str(one.get("name", "")) for places in self._places.values() for one in places}
        self._writer = MarkdownWriter(self._people.name_of, lambda id_, shown: self._names.get(id_) or shown or id_)

    def read(self) -> Iterator[Item]:
        """People first, then each conversation with all that is in it."""
        yield from self._people.fresh()
        for name, places in self._places.items():
            for place in places:
                yield from self._conversation(LISTS[name], place)
        yield from self._faults

    def _read(self, name: str) -> list[Any]:
        """The list in a file; an empty one, and a fault, when it holds none."""
        content = self._archive.read(name)
        try:
            found = orjson.loads(content or b"[]")
        except orjson.JSONDecodeError as wrong:
            self._faults.append(LineError(f"{name}:{wrong.lineno}", wrong.msg))
            return []
        if not isinstance(found, list):
            self._faults.append(LineError(f"{name}:1", "is no list"))
            return []
        return found

    def _is_place(self, name: str, one: object) -> bool:
        if isinstance(one, dict) and isinstance(one.get("id"), str):
            return True
        self._faults.append(LineError(name, "an entry without an id"))
        return False

    def _conversation(self, kind: str, place: Json) -> Iterator[Item]:
        members = [self._people.name_of(user) for user in dict.fromkeys(place.get("members") or ())]
        creator = self._people.name_of(place["creator"]) if place.get("creator") else None
        yield from self._people.fresh()
        if kind == "direct" and not 1 <= len(members) <= 2:
            yield LineError("dms.json", f"{place['id']} names {len(members)} people")
            return
        yield describe(kind, place, members, creator)
        messages = Messages(place["id"], self._people, self._writer)
        pinned = {str(pin.get("id")): pin for pin in place.get("pins") or ()}
        folder = str(place.get("name") or place["id"]) if kind != "direct" else place["id"]
        for path in self._archive.under(folder):
            if DAY.fullmatch(path.rpartition("/")[2]):
                yield from self._day(path, messages, pinned)
        yield from self._pins(place["id"], messages, pinned)
        yield from self._people.fresh()
        for member in members:
            runs = member == creator and kind != "direct"
            yield MemberRecord(conversation=place["id"], user=member, role="owner" if runs else "member")

    def _day(self, path: str, messages: Messages, pinned: Mapping[str, Json]) -> Iterator[Item]:
        day = self._read(path)
        yield from self._take_faults()
        for number, raw in enumerate(day):
            try:
                items = list(messages.read(raw, str(raw.get("ts")) in pinned))
            except ValidationError as wrong:
                items = [LineError(f"{path}:{self._line_of(path, number)}", explain(wrong))]
            except WRONG as wrong:
                items = [LineError(f"{path}:{self._line_of(path, number)}", f"is no message: {wrong!r}")]
            yield from self._people.fresh()
            yield from items

    def _pins(self, key: str, messages: Messages, pinned: Mapping[str, Json]) -> Iterator[Item]:
        for ts, pin in sorted(pinned.items(), key=lambda one: float(one[1].get("created") or 0)):
            if (ref := messages.refs.get(ts)) is None:
                yield SkippedItem("pins of what is no message of the export")
            else:
                by = self._people.name_of(pin["user"]) if pin.get("user") else ref.author
                yield from self._people.fresh()
                yield PinRecord(conversation=key, message=ref, user=by)

    def _take_faults(self) -> list[LineError]:
        taken, self._faults = self._faults, []
        return taken

    def _line_of(self, path: str, number: int) -> int:
        """On which line the entry begins; only asked for what is wrong, so it may take its time."""
        text = self._archive.read(path).decode("utf-8", "replace")
        decoder, at = json.JSONDecoder(), text.index("[") + 1
        for _ in range(number):
            at = decoder.raw_decode(text, skip(text, at))[1]
        return text.count("\n", 0, skip(text, at)) + 1


def skip(text: str, at: int) -> int:
    """To the next entry."""
    while text[at] in " \t\r\n,":
        at += 1
    return at


def describe(kind: str, place: Json, members: list[str], creator: str | None) -> ConversationRecord:
    """The conversation itself; a private channel stays one."""
    made = moment(float(place["created"])) if place.get("created") else None
    shown: Json = {
        "name": title(place.get("name")),
        "topic": topic(text_of(place, "topic") or text_of(place, "purpose")),
    }
    gone = moment(float(place.get("updated") or 0) / 1000) if place.get("is_archived") else None
    fields: Json = {"id": place["id"], "kind": "channel" if kind == "private" else kind, "private": kind != "channel"}
    people = members if kind == "direct" else []
    times: Json = {"created_by": creator, "created_at": made, "archived_at": gone}
    return ConversationRecord(**fields, **times, **(shown if kind in ("channel", "private") else {}), people=people)


def text_of(place: Json, name: str) -> str:
    """`{"topic": {"value": …}}`."""
    value = place.get(name)
    return str(value.get("value") or "") if isinstance(value, dict) else ""
