"""Entries about an account that has been deleted: the log keeps their places, and no longer tells the name. Pure."""

import orjson

from chat.log.entry import Entry
from chat.log.frame import decode_frame, encode_frame

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
