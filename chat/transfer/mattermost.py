"""A Mattermost bulk export: lines of JSON, each with its type: teams, channels, users, posts."""

from collections.abc import Callable, Iterator
from typing import IO, Any

import orjson
from pydantic import ValidationError

from chat.exchange.item import Aside, Fault, Item, explain
from chat.exchange.lines import read_lines
from chat.exchange.mattermost.people import People, channel_key, direct_key
from chat.exchange.mattermost.posts import Posts
from chat.exchange.record import Conversation
from chat.exchange.wording import moment, title, topic

WRONG = (KeyError, TypeError, ValueError, AttributeError)
QUIET = {"version", "team"}
Json = dict[str, Any]


class Server:
    """What is in it, as items."""

    def __init__(self) -> None:
        self._people = People()
        self._posts = Posts(self._people)
        self._begun: dict[str, None] = {}

    def read(self, file: IO[bytes], name: str, told: Callable[[int], None]) -> Iterator[Item]:
        """In the order of the lines; who is in which conversation comes last, for users come before the posts."""
        for number, line in read_lines(file, told):
            try:
                items = self._take(orjson.loads(line))
            except ValidationError as wrong:
                items = [Fault(f"{name}:{number}", explain(wrong))]
            except WRONG as wrong:
                items = [Fault(f"{name}:{number}", f"cannot be read: {wrong!r}")]
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
                return [Aside(f"lines of the type {kind}")]
        return []

    def _channel(self, channel: Json, key: str = "") -> list[Item]:
        key = key or channel_key(channel["team"], channel["name"])
        self._begun[key] = None
        return [
            Conversation(
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
            Conversation.model_validate({"id": key, "kind": kind, "people": people, "topic": about, "private": True})
        ]
