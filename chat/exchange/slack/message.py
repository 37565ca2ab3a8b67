"""A message of Slack as ours. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from chat.exchange.emoticons import find_emoji
from chat.exchange.item import Aside, Item
from chat.exchange.record import Message, Reaction, Ref
from chat.exchange.slack.markup import Text, Writer
from chat.exchange.slack.people import People
from chat.exchange.wording import clean, continued, link, moment, split_body

Json = Mapping[str, Any]
PASSING = {"message_deleted", "message_changed", "message_replied", "hidden"}


class Messages:
    """Those of one conversation, in their order: a reply finds the beginning of its thread."""

    def __init__(self, key: str, people: People, writer: Writer) -> None:
        self._key, self._people, self._writer = key, people, writer
        self.refs: dict[str, Ref] = {}  # of roots and of what is pinned, by `ts`

    def read(self, raw: Json, kept: bool) -> Iterator[Item]:
        """One of Slack's may become several; raises `ValueError` on what is none. `kept`: it will be referred to."""
        if raw.get("subtype") in PASSING:
            yield Aside(f"events of the kind {raw['subtype']}")
            return
        ts = str(raw["ts"])
        ref = Ref(author=self._people.author_of(raw), client_id=f"slack-{ts}")
        if kept or raw.get("thread_ts") == ts:
            self.refs[ts] = ref
        text, gone, asides = self._text(raw), raw.get("subtype") == "tombstone", list[Aside]()
        pieces = [""] if gone else split_body(clean(text.body))
        fields = self._fields(raw, text, gone, asides)
        yield from asides
        if pieces:
            message = Message(conversation=self._key, body=pieces[0], **ref.model_dump(), **fields)
            yield from [message, *continued(message, pieces[1:])]
        else:
            yield Aside("messages without any content")

    def _fields(self, raw: Json, text: Text, gone: bool, asides: list[Aside]) -> dict[str, Any]:
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

    def _thread(self, raw: Json, ts: str, asides: list[Aside]) -> Ref | None:
        root = str(raw.get("thread_ts") or ts)
        if root == ts:
            return None
        if root not in self.refs:
            asides.append(Aside("replies whose thread begins outside of the export, kept as messages"))
        return self.refs.get(root)

    def _reactions(self, raw: Json, asides: list[Aside]) -> list[Reaction]:
        found: dict[str, dict[str, None]] = {}
        for one in raw.get("reactions") or ():
            emoji = find_emoji(str(one["name"]))
            users = [self._people.name_of(user) for user in one.get("users") or ()]
            if emoji is None:
                asides.append(Aside(f"reactions with :{one['name']}:, which is no emoji of Unicode's"))
            elif users:
                found.setdefault(emoji, {}).update(dict.fromkeys(users))
        return [Reaction(emoji=emoji, users=list(users)) for emoji, users in found.items()]

    def _text(self, raw: Json) -> Text:
        """What was written, then what hangs on it."""
        written = str(raw.get("text") or "") or "\n".join(texts_in(raw.get("blocks")))
        text = self._writer.write(written)
        if raw.get("subtype") in ("me_message", "channel_join", "channel_leave", "group_join", "group_leave"):
            text.body = f"_{text.body}_"
        parts = [text.body, *(self._quote(one) for one in raw.get("attachments") or () if not is_preview(one))]
        parts += [link_file(one) for one in raw.get("files") or ([raw["file"]] if raw.get("file") else [])]
        text.body = "\n".join(part for part in parts if part)
        return text

    def _quote(self, attachment: Json) -> str:
        """What a bot hangs below its message."""
        title = str(attachment.get("title") or "")
        if url := attachment.get("title_link"):
            title = f"<{url}|{title or url}>"
        lines = [attachment.get("pretext"), title, attachment.get("text")]
        lines += [f"{one.get('title', '')}: {one.get('value', '')}" for one in attachment.get("fields") or ()]
        said = "\n".join(str(line) for line in lines if line) or str(attachment.get("fallback") or "")
        return "\n".join("> " + line for line in self._writer.write(said).body.splitlines())


def is_preview(attachment: Json) -> bool:
    """What Slack itself has fetched of an address that stands in the text."""
    return bool(attachment.get("from_url") or attachment.get("original_url"))


def link_file(file: Json) -> str:
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
