"""Erased: entries of the log without the text and the files that somebody has replaced or taken back since. Pure.

All else in them stays, mentions too: who comes back counts them, and then hears of the change.
"""

from collections.abc import Mapping, Sequence

import orjson

from chat.log.entry import Entry
from chat.log.frame import decode_frame, encode_frame

CHANGES = ("edit", "delete")
Place = tuple[int | None, int]
Said = Mapping[str, object]
NOTHING: Said = {"body": "", "files": None, "deleted": True}


def erase(frame: bytes, said: Said | None) -> bytes:
    """The frame of a message or an edit with the `body` and the `files` of `said`; with None it is a tombstone's."""
    cursor, event, data = decode_frame(frame)
    fields = orjson.loads(data) | (said or NOTHING)
    if not fields["files"]:
        del fields["files"]
    return encode_frame(cursor, None if event == "message" else event, orjson.dumps(fields))


def erase_among(entries: Sequence[Entry]) -> Sequence[Entry]:
    """As they are handed to somebody who comes back: what was changed among them says what it says by now."""
    changes = [entry for entry in entries if entry.kind in CHANGES and entry.subject]
    if not changes:
        return entries
    now = {(one.conversation_id, one.subject or 0): said_in(one) for one in changes}
    places = {place for place, _ in now}
    return [erase_one(one, now) if one.conversation_id in places else one for one in entries]


def erase_one(entry: Entry, now: dict[Place, Said | None]) -> Entry:
    """`now`: what those that were changed say."""
    if entry.kind not in ("message", "edit") or not entry.frame:
        return entry
    place = entry.conversation_id, orjson.loads(decode_frame(entry.frame)[2])["seq"]
    return entry._replace(frame=erase(entry.frame, now[place])) if place in now else entry


def said_in(entry: Entry) -> Said | None:
    """What the message says and carries after this change; None: it is deleted."""
    if entry.kind == "delete":
        return None
    said = orjson.loads(decode_frame(entry.frame)[2])
    return {"body": said["body"], "files": said.get("files")}
