"""Redaction: replace the content of edited and deleted messages, and the names of deleted accounts. Pure.

The rest of an entry stays, mentions too. Readers that were away count the mentions, and then receive the change.
"""

from collections.abc import Mapping, Sequence

import orjson

from chat.log.entry import Entry, decode_frame, encode_frame

CHANGES = ("edit", "delete")
Place = tuple[int | None, int]
Content = Mapping[str, object]
APPEND, FINISH = "append", "finish"  # a piece of the text of a streamed message, and its end
PREVIEWS = "previews"  # of links; an entry has all previews of the message, so the latest is enough
FROM_START = b'"at":0,'  # not within a text, where quotes are escaped
IN_PREVIEWS = b'"previews":'
TOMBSTONE: Content = {"body": "", "files": None, "type": None, "data": None, "previews": None, "deleted": True}

# Replaces a text that was edited after a member had left. Readers that may see the text get it from the message.
WITHHELD: Content = {"body": "", "files": None, "data": None, "previews": None}
EMPTY_BODY = b'"body":""'


def content_of(body: str, files: object, data: str | None, previews: object = None) -> Content:
    """Return the content of a message; `data` is the text of a JSON object."""
    fields = {"body": body, "files": files or None, "data": None if data is None else orjson.Fragment(data)}
    return fields | {"previews": previews or None}


def erase(frame: bytes, content: Content | None) -> bytes:
    """Return the frame of a message or an edit with these fields, without those of None; None makes a tombstone.

    A streamed message gets its text here and not from its appends, whose frames are emptied.
    """
    cursor, event, data = decode_frame(frame)
    changed = orjson.loads(data) | (content or TOMBSTONE) | {"streaming": None}
    fields = {name: value for name, value in changed.items() if value is not None}
    return encode_frame(cursor, None if event == "message" else event, orjson.dumps(fields))


def erase_among(entries: Sequence[Entry], log: Sequence[Entry]) -> Sequence[Entry]:
    """Return `entries`, chosen from the stretch `log`, with the text that their messages have at its end."""
    entries = drop_previews(entries, log)
    changes = [entry for entry in log if entry.kind in CHANGES and entry.subject]
    if not changes:
        return entries
    changes = [*drop_previews(changes, log)]
    now = {(one.conversation_id, one.subject or 0): content_in(one) for one in changes}
    places = {place for place, _ in now}
    return [erase_one(one, now) if one.conversation_id in places else one for one in entries]


def drop_previews(entries: Sequence[Entry], log: Sequence[Entry]) -> Sequence[Entry]:
    """Return `entries` without the previews that a later entry of the stretch `log` has replaced or removed."""
    told = [entry for entry in log if entry.kind == PREVIEWS]
    if not told:
        return entries
    last = {(one.conversation_id, one.subject): one.position for one in log if one.kind in (*CHANGES, PREVIEWS)}
    replaced = {(one.conversation_id, one.subject): one.position for one in told}
    kept = []
    for entry in entries:
        place = entry.conversation_id, entry.subject
        if entry.kind == PREVIEWS and entry.position < last[place]:
            kept.append(entry._replace(frame=b""))
        elif entry.kind == "edit" and entry.position < replaced.get(place, 0):
            kept.append(entry._replace(frame=without_previews(entry.frame)))
        else:
            kept.append(entry)
    return kept


def without_previews(frame: bytes) -> bytes:
    """Return the frame of a message or an edit without its previews."""
    if IN_PREVIEWS not in frame:
        return frame
    return without(frame, "previews")


def erase_one(entry: Entry, now: Mapping[Place, Content | None]) -> Entry:
    """Return the entry with the content of its message in `now`, or unchanged if `now` does not have it."""
    if entry.kind not in ("message", "edit", APPEND, FINISH) or not entry.frame:
        return entry
    if (place := place_of(entry)) not in now:
        return entry
    if entry.kind == APPEND:
        return entry._replace(frame=b"")
    return entry._replace(frame=without_data(entry.frame) if entry.kind == FINISH else erase(entry.frame, now[place]))


def find_withheld(entries: Sequence[Entry]) -> set[Place]:
    """Return the messages whose text `erase_frames` has withheld from these entries."""
    empty = [entry for entry in entries if entry.kind in ("message", "edit") and EMPTY_BODY in entry.frame]
    return {place_of(entry) for entry in empty if is_withheld(orjson.loads(decode_frame(entry.frame)[2]))}


def is_withheld(fields: Mapping[str, object]) -> bool:
    """Return whether a message has no text, files or data although no one has deleted it, nor streams its text."""
    return not (fields["body"] or fields.get("files") or "data" in fields or {"deleted", "streaming"} & fields.keys())


def place_of(entry: Entry) -> Place:
    """Return the conversation and the seq of the message that this entry is about."""
    return entry.conversation_id, orjson.loads(decode_frame(entry.frame)[2])["seq"]


def content_in(entry: Entry) -> Content | None:
    """Return the text, files and data of the message after this change; None if it is deleted."""
    if entry.kind == "delete":
        return None
    fields = orjson.loads(decode_frame(entry.frame)[2])
    return {"files": None, "data": None, "previews": None} | {
        name: fields[name] for name in ("body", "files", "data", "previews") if name in fields
    }


# Streamed messages: an append says where it begins, so readers lose nothing if the last one has the whole text.


def append_data(conversation_id: int, seq: int, at: int, text: str) -> bytes:
    """Return the data of an append: `text` begins at `at`, in code points."""
    return orjson.dumps({"conversation": conversation_id, "seq": seq, "at": at, "text": text})


def without_data(frame: bytes) -> bytes:
    """Return the frame of a finish without the data of its message."""
    return without(frame, "data")


def without(frame: bytes, field: str) -> bytes:
    """Return the frame without a field of its data."""
    cursor, event, data = decode_frame(frame)
    fields = {name: value for name, value in orjson.loads(data).items() if name != field}
    return encode_frame(cursor, None if event == "message" else event, orjson.dumps(fields))


def starts_at(entry: Entry) -> int:
    """Return where the text of an append begins; for the message itself, where its first append will begin."""
    fields = orjson.loads(decode_frame(entry.frame)[2])
    return int(fields["at"]) if entry.kind == APPEND else len(fields["body"])


def join_appends(entries: Sequence[Entry]) -> bytes:
    """Return the frame of the last of these appends, with the text of all of them. One may repeat earlier ones."""
    pieces: list[str] = []
    begins = length = -1
    for entry in entries:
        cursor, _, data = decode_frame(entry.frame)
        found = orjson.loads(data)
        if found["at"] != begins + length or begins < 0:
            kept = "".join(pieces)[: max(0, found["at"] - begins)]
            begins = found["at"] if begins < 0 else min(begins, found["at"])
            pieces, length = [kept], len(kept)
        pieces.append(found["text"])
        length += len(found["text"])
    return encode_frame(cursor, APPEND, append_data(found["conversation"], found["seq"], begins, "".join(pieces)))


def drop_repeated(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the entries, with empty frames where a later one has the whole text of the same message."""
    if not any(entry.kind == APPEND for entry in entries):
        return entries
    kept, whole = [], set[tuple[int | None, int | None]]()
    for entry in reversed(entries):
        place = entry.conversation_id, entry.subject
        if entry.kind == APPEND and place in whole:
            kept.append(entry._replace(frame=b""))
            continue
        if entry.kind == APPEND and FROM_START in entry.frame:
            whole.add(place)
        kept.append(entry)
    return kept[::-1]


# Entries about a deleted account keep their places in the log, without its name.

MARK = "deleted:"  # no account can sign up with such a name
IN_FRAME = b'"name":"deleted:'
NAMELESS = {"display_name": "Deleted user", "about": "", "time_zone": "", "avatar": "", "role": "member"}


def tells_deletion(entry: Entry) -> bool:
    """Return whether this entry says that an account has been deleted."""
    return entry.kind == "user" and IN_FRAME in entry.frame


def without_name(frame: bytes, user_id: int) -> bytes:
    """Return the frame of a `user` entry with the profile that a deleted account shows."""
    cursor, event, data = decode_frame(frame)
    fields = orjson.loads(data) | NAMELESS | {"name": f"{MARK}{user_id}"}
    return encode_frame(cursor, event, orjson.dumps(fields))
