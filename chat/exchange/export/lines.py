"""Lines: rows as records, encoded. What is empty is left out, as records read it."""

from datetime import datetime
from typing import Any

import orjson

from chat.exchange.export.names import Names
from chat.exchange.export.reader import Row
from chat.model.types import format_time


def encode(type_: str, **fields: object) -> bytes:
    """One line; times as they travel everywhere."""
    said = {
        name: format_time(value) if isinstance(value, datetime) else value
        for name, value in fields.items()
        if value or name == "body"
    }
    return orjson.dumps({"type": type_} | said) + b"\n"


def user_line(row: Row) -> bytes:
    """An account, without its password."""
    name, display_name, role, about, time_zone, receipts, created_at, disabled_at = row
    fields = {"about": about, "time_zone": time_zone, "created_at": created_at, "disabled_at": disabled_at}
    role = role if role != "member" else ""
    line = encode("user", name=name.lower(), display_name=display_name, role=role, **fields)
    return line if receipts else line[:-2] + b',"receipts":false}\n'


def conversation_line(row: Row, names: Names) -> bytes:
    """The conversation itself; of a direct, its people."""
    id_, kind, name, topic, private, pair, created_by, created_at, archived_at, slow, read_only = row
    people = [names[user] for user in people_of(pair)]
    creator = names[created_by] if created_by else None
    fields = {"created_at": created_at, "archived_at": archived_at, "slow": slow, "read_only": read_only}
    shown = {"kind": kind, "name": name, "topic": topic, "private": private}
    return encode("conversation", id=id_, **shown, people=people, created_by=creator, **fields)


def people_of(pair: str | None) -> list[int]:
    """The two ids of a direct; one when somebody keeps notes."""
    return list(dict.fromkeys(map(int, pair.split(":")))) if pair else []


def message_line(conversation: int, row: Row, names: Names) -> bytes:
    """A message with what hangs on it."""
    _, author, client_id, body, created_at, edited_at, deleted_at, *refs = row[:11]
    mentions, everyone, reactions, edits, files = row[11:]
    return encode(
        "message",
        conversation=conversation,
        author=names[author],
        client_id=client_id,
        body=body,
        created_at=created_at,
        edited_at=edited_at,
        deleted_at=deleted_at,
        reply_to=ref(refs[0], refs[1], names),
        thread=ref(refs[2], refs[3], names),
        mentions=[names[user] for user in mentions or ()],
        mentions_all=everyone,
        reactions=[{"emoji": emoji, "users": [names[user] for user in users]} for emoji, users in reactions or ()],
        files=[{name: one[name] for name in ("id", "name", "size", "type")} for one in files or ()],
        edits=[{"body": text, "user": names[user], "at": at} for text, user, at in edits or ()],
    )


def people_in(row: Row) -> list[int]:
    """Everybody whom a message's row names."""
    reactions, edits = row[13] or (), row[14] or ()
    told = [row[1], row[7], row[9], *(row[11] or ())]
    return [*told, *(user for _, users in reactions for user in users), *(user for _, user, _ in edits)]


def ref(author: int | None, client_id: str | None, names: Names) -> dict[str, Any] | None:
    """A message as it is called in every database."""
    return None if author is None else {"author": names[author], "client_id": client_id}
