"""A Slack export: a ZIP with lists of people and conversations, and a folder with a file a day for each of these."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from pydantic import ValidationError

from chat.exchange.archive import Archive
from chat.exchange.item import Aside, Fault, Item, explain
from chat.exchange.record import Conversation, Member, Pin
from chat.exchange.slack.markup import Writer
from chat.exchange.slack.message import Messages
from chat.exchange.slack.people import People
from chat.exchange.wording import moment, title, topic

DAY = re.compile(r"\d{4}-\d\d-\d\d\.json")
LISTS = {"channels.json": "channel", "groups.json": "private", "dms.json": "direct", "mpims.json": "group"}
WRONG = (KeyError, TypeError, ValueError, AttributeError)
Json = dict[str, Any]


class Workspace:
    """What is in it, as items."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._faults: list[Fault] = []
        listed = self._read("users.json")
        self.team = next((str(one["team_id"]) for one in listed if isinstance(one, dict) and one.get("team_id")), "")
        self._people = People(listed)
        self._places = {name: [one for one in self._read(name) if self._is_place(name, one)] for name in LISTS}
        self._names = {one["id"]: str(one.get("name", "")) for places in self._places.values() for one in places}
        self._writer = Writer(self._people.name_of, lambda id_, shown: self._names.get(id_) or shown or id_)

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
            self._faults.append(Fault(f"{name}:{wrong.lineno}", wrong.msg))
            return []
        if not isinstance(found, list):
            self._faults.append(Fault(f"{name}:1", "is no list"))
            return []
        return found

    def _is_place(self, name: str, one: object) -> bool:
        if isinstance(one, dict) and isinstance(one.get("id"), str):
            return True
        self._faults.append(Fault(name, "an entry without an id"))
        return False

    def _conversation(self, kind: str, place: Json) -> Iterator[Item]:
        members = [self._people.name_of(user) for user in dict.fromkeys(place.get("members") or ())]
        creator = self._people.name_of(place["creator"]) if place.get("creator") else None
        yield from self._people.fresh()
        if kind == "direct" and not 1 <= len(members) <= 2:
            yield Fault("dms.json", f"{place['id']} names {len(members)} people")
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
            yield Member(conversation=place["id"], user=member, role="owner" if runs else "member")

    def _day(self, path: str, messages: Messages, pinned: Mapping[str, Json]) -> Iterator[Item]:
        day = self._read(path)
        yield from self._take_faults()
        for number, raw in enumerate(day):
            try:
                items = list(messages.read(raw, str(raw.get("ts")) in pinned))
            except ValidationError as wrong:
                items = [Fault(f"{path}:{self._line_of(path, number)}", explain(wrong))]
            except WRONG as wrong:
                items = [Fault(f"{path}:{self._line_of(path, number)}", f"is no message: {wrong!r}")]
            yield from self._people.fresh()
            yield from items

    def _pins(self, key: str, messages: Messages, pinned: Mapping[str, Json]) -> Iterator[Item]:
        for ts, pin in sorted(pinned.items(), key=lambda one: float(one[1].get("created") or 0)):
            if (ref := messages.refs.get(ts)) is None:
                yield Aside("pins of what is no message of the export")
            else:
                by = self._people.name_of(pin["user"]) if pin.get("user") else ref.author
                yield from self._people.fresh()
                yield Pin(conversation=key, message=ref, user=by)

    def _take_faults(self) -> list[Fault]:
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


def describe(kind: str, place: Json, members: list[str], creator: str | None) -> Conversation:
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
    return Conversation(**fields, **times, **(shown if kind in ("channel", "private") else {}), people=people)


def text_of(place: Json, name: str) -> str:
    """`{"topic": {"value": …}}`."""
    value = place.get(name)
    return str(value.get("value") or "") if isinstance(value, dict) else ""
