"""Posts of Mattermost as messages, with their replies right behind them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from chat.exchange.emoticons import find_emoji, show_emoji
from chat.exchange.item import Aside, Item
from chat.exchange.mattermost.people import People
from chat.exchange.record import Message, Pin, Reaction, Ref
from chat.exchange.wording import clean, continued, digest, link, moment, split_body
from chat.messages.mention_parser import find_naming

Json = Mapping[str, Any]

CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)

CALL = re.compile(r"(?<![\w@.+%-])@([A-Za-z0-9_.-]+)")


class Posts:
    """Mattermost writes Markdown, as we do; only names that an account of ours cannot have are rewritten."""

    def __init__(self, people: People) -> None:
        self._people = people
        self.pins: list[Pin] = []

    def read(self, key: str, post: Json) -> Iterator[Item]:
        """The post and its thread; raises `KeyError`, `TypeError`, `ValueError` on what is none."""
        ref: Ref | None = None
        for item in self._message(key, post, None):
            ref = ref or (Ref(author=item.author, client_id=item.client_id) if isinstance(item, Message) else None)
            yield item
        if ref and post.get("is_pinned"):
            self.pins.append(Pin(conversation=key, message=ref, user=ref.author))
        for reply in sorted(post.get("replies") or (), key=lambda one: float(one["create_at"])):
            yield from self._message(key, reply, ref)

    def _message(self, key: str, post: Json, thread: Ref | None) -> Iterator[Item]:
        author, said = self._people.name_of(post["user"]), clean(str(post.get("message") or ""))
        at = float(post["create_at"]) / 1000
        asides: list[Aside] = []
        reactions = self._reactions(post, asides)
        yield from asides
        text = self._finish(said, post)
        if not (pieces := split_body(text)):
            yield Aside("posts without any content")
            return
        naming = find_naming(text)
        known = self._people.accounts
        message = Message(
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

    def _finish(self, said: str, post: Json) -> str:
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

    def _reactions(self, post: Json, asides: list[Aside]) -> list[Reaction]:
        found: dict[str, dict[str, None]] = {}
        for one in post.get("reactions") or ():
            if (emoji := find_emoji(str(one["emoji_name"]))) is None:
                asides.append(Aside(f"reactions with :{one['emoji_name']}:, which is no emoji of Unicode's"))
            else:
                found.setdefault(emoji, {})[self._people.name_of(one["user"])] = None
        return [Reaction(emoji=emoji, users=list(users)) for emoji, users in found.items()]
