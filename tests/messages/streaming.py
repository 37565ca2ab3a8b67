"""Streamed messages in tests: what their authors do, and what a reader makes of the events."""

import uuid
from collections.abc import Iterable
from typing import Any

from chat.client.sse import StreamEvent
from tests.cast import Person
from tests.verbs import CONVERSATIONS

Json = dict[str, Any]


async def starts(person: Person, room: int, body: str = "", **more: Any) -> int:
    """Post a message that streams; return its seq."""
    draft = {"body": body, "client_id": uuid.uuid4().hex, "streaming": True, **more}
    status, said = await person.call("POST", f"{CONVERSATIONS}/{room}/messages", draft)
    assert (status, said["message"].get("streaming"), said["message"]["body"]) == (201, True, body), said
    return int(said["message"]["seq"])


async def tries_to_append(person: Person, room: int, seq: int, at: int, text: str) -> tuple[int, Json]:
    """Append, which may be refused; return the status and the answer."""
    path = f"{CONVERSATIONS}/{room}/messages/{seq}/append"
    status, said = await person.call("POST", path, {"at": at, "text": text})
    return status, said


async def appends(person: Person, room: int, seq: int, at: int, text: str) -> int:
    """Append, which must be stored; return the length of the message."""
    status, said = await tries_to_append(person, room, seq, at, text)
    assert status == 200, said
    return int(said["length"])


async def writes(person: Person, room: int, seq: int, *pieces: str, at: int = 0) -> int:
    """Append pieces one after the other; return the length of the message."""
    for piece in pieces:
        at = await appends(person, room, seq, at, piece)
    return at


async def finishes(person: Person, room: int, seq: int, state: str = "complete", **more: Any) -> Json:
    """Finish a message; return it."""
    path = f"{CONVERSATIONS}/{room}/messages/{seq}/finish"
    status, said = await person.call("POST", path, {"state": state, **more})
    assert status == 200, said
    return dict(said["message"])


class GapSeen(AssertionError):
    """An append began after the end of the text that the reader had."""


def read_streamed(events: Iterable[StreamEvent], text: str = "") -> tuple[str, Json | None]:
    """Return the text of the only streamed message in the events, and its finish, as a client would show them."""
    finish = None
    for event in events:
        fields = event.json() if event.event in ("message", "append", "finish") else {}
        if event.event == "message" and fields.get("streaming"):
            text = fields["body"]
        elif event.event == "append":
            if fields["at"] > len(text):
                raise GapSeen(f"at {fields['at']}, after {len(text)} characters")
            known = text[fields["at"] :]
            assert fields["text"].startswith(known) or known.startswith(fields["text"]), (known, fields)
            text += fields["text"][len(known) :]
        elif event.event == "finish":
            assert fields["length"] == len(text), (fields, text)
            finish = fields
    return text, finish
