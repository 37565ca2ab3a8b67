"""Erased: entries of the log without text and files that have been replaced or deleted since. Pure.

Everything else in them stays, mentions too: readers that were away count them, and then hear of the change.
"""

from collections.abc import Mapping, Sequence

import orjson

from chat.log.entry import Entry, decode_frame, encode_frame

CHANGES = ("edit", "delete")
Place = tuple[int | None, int]
Said = Mapping[str, object]
NOTHING: Said = {"body": "", "files": None, "deleted": True}

# Instead of a text that was edited after a member had left: readers that may have it get it from the message itself.
WITHHELD: Said = {"body": "", "files": None}
EMPTY_BODY = b'"body":""'


def erase(frame: bytes, said: Said | None) -> bytes:
    """Return the frame of a message or an edit with the `body` and the `files` of `said`; None makes a tombstone."""
    cursor, event, data = decode_frame(frame)
    fields = orjson.loads(data) | (said or NOTHING)
    if not fields["files"]:
        del fields["files"]
    return encode_frame(cursor, None if event == "message" else event, orjson.dumps(fields))


def erase_among(entries: Sequence[Entry], log: Sequence[Entry]) -> Sequence[Entry]:
    """Return `entries`, chosen from the stretch `log`, with the text that their messages have at its end."""
    changes = [entry for entry in log if entry.kind in CHANGES and entry.subject]
    if not changes:
        return entries
    now = {(one.conversation_id, one.subject or 0): said_in(one) for one in changes}
    places = {place for place, _ in now}
    return [erase_one(one, now) if one.conversation_id in places else one for one in entries]


def erase_one(entry: Entry, now: Mapping[Place, Said | None]) -> Entry:
    """Return the entry with what its message says in `now`; the same entry when that does not name it."""
    if entry.kind not in ("message", "edit") or not entry.frame:
        return entry
    place = place_of(entry)
    return entry._replace(frame=erase(entry.frame, now[place])) if place in now else entry


def find_withheld(entries: Sequence[Entry]) -> set[Place]:
    """Return the messages whose text `erase_frames` has withheld from these entries."""
    empty = [entry for entry in entries if entry.kind in ("message", "edit") and EMPTY_BODY in entry.frame]
    return {place_of(entry) for entry in empty if is_withheld(orjson.loads(decode_frame(entry.frame)[2]))}


def is_withheld(fields: Mapping[str, object]) -> bool:
    """Return whether a message has neither text nor files although nobody has deleted it."""
    return not (fields["body"] or fields.get("files") or fields.get("deleted"))


def place_of(entry: Entry) -> Place:
    """Return the conversation and the seq of the message that this entry tells of."""
    return entry.conversation_id, orjson.loads(decode_frame(entry.frame)[2])["seq"]


def said_in(entry: Entry) -> Said | None:
    """Return what the message says and carries after this change; None when it is deleted."""
    if entry.kind == "delete":
        return None
    said = orjson.loads(decode_frame(entry.frame)[2])
    return {"body": said["body"], "files": said.get("files")}


# Entries about an account that has been deleted: the log keeps their places, and no longer tells the name. Pure.

MARK = "deleted:"  # no account can sign up with such a name
IN_FRAME = b'"name":"deleted:'
NAMELESS = {"display_name": "Deleted user", "about": "", "time_zone": "", "avatar": "", "role": "member"}


def tells_deletion(entry: Entry) -> bool:
    """Return whether this entry tells readers that an account has been deleted."""
    return entry.kind == "user" and IN_FRAME in entry.frame


def without_name(frame: bytes, user_id: int) -> bytes:
    """Return the frame of a `user` entry with what is shown of a deleted account."""
    cursor, event, data = decode_frame(frame)
    fields = orjson.loads(data) | NAMELESS | {"name": f"{MARK}{user_id}"}
    return encode_frame(cursor, event, orjson.dumps(fields))
