"""Erased: entries of the log without the text that somebody has replaced or taken back since. Pure.

All else in them stays, mentions too: who comes back counts them, and then hears of the change.
"""

from collections.abc import Sequence

import orjson

from chat.log.entry import Entry
from chat.log.frame import decode_frame, encode_frame

CHANGES = ("edit", "delete")
Place = tuple[int | None, int]


def erase(frame: bytes, body: str | None) -> bytes:
    """The frame of a message or an edit with another text; with None it is a tombstone's, which carries nothing."""
    cursor, event, data = decode_frame(frame)
    said = orjson.loads(data) | {"body": body or ""}
    if body is None:
        said = {name: value for name, value in said.items() if name != "files"} | {"deleted": True}
    return encode_frame(cursor, None if event == "message" else event, orjson.dumps(said))


def erase_among(entries: Sequence[Entry]) -> Sequence[Entry]:
    """As they are handed to somebody who comes back: what was changed among them says what it says by now."""
    changes = [entry for entry in entries if entry.kind in CHANGES and entry.subject]
    if not changes:
        return entries
    now = {(one.conversation_id, one.subject or 0): body_of(one) for one in changes}
    places = {place for place, _ in now}
    return [erase_one(one, now) if one.conversation_id in places else one for one in entries]


def erase_one(entry: Entry, now: dict[Place, str | None]) -> Entry:
    """`now`: what those that were changed say."""
    if entry.kind not in ("message", "edit") or not entry.frame:
        return entry
    place = entry.conversation_id, orjson.loads(decode_frame(entry.frame)[2])["seq"]
    return entry._replace(frame=erase(entry.frame, now[place])) if place in now else entry


def body_of(entry: Entry) -> str | None:
    """What the message says after this change; None: it is deleted."""
    return None if entry.kind == "delete" else str(orjson.loads(decode_frame(entry.frame)[2])["body"])
