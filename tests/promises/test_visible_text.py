"""No text is invisible: every field that users fill in refuses, or empties, what a reader would not see."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from chat.shared.appearance import is_visible
from presence.protocol import SetStatus, parse_signal
from tests.cast import Person
from tests.verbs import CONVERSATIONS, begins, edits, opens, pages, tries

CASES = json.loads((Path(__file__).parents[1] / "cases" / "appearance.json").read_text("utf-8"))
UNSEEN = [text for text in CASES["unseen"] if text]

# Fields that nobody is shown: secrets, codes, and names that are only looked up.
HIDDEN = {"LogIn.name", *["password", "old", "new", "token", "jwt", "invite", "code", "recovery_code"]}
HIDDEN.add("EmailForm.address")  # of the user alone, in ASCII or as the mail server takes it
HIDDEN.add("data")  # of applications, never interpreted
# An id that a client chooses for its command, and what is refused as no emoji.
COMMANDS = ("", "Post", "Append", "Finish", "Edit", "Delete", "React", "Read")
HIDDEN |= {"ReactCommand.emoji", "data", *[f"{name}Command.id" for name in COMMANDS]}
# A piece of a text, which may be a line break. The whole text may be blank too, when it is cancelled.
HIDDEN |= {"Append.text", "AppendCommand.text"}
PACKAGES = ("chat.accounts", "chat.conversations", "chat.messages", "chat.moderation", "chat.operations", "presence")


def text_fields() -> Iterator[tuple[str, TypeAdapter[Any]]]:
    """Yield the name and the validator of each field of a request that takes text."""
    waiting: list[type[BaseModel]] = [BaseModel]
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        for name, field in model.model_fields.items() if model.__module__.startswith(PACKAGES) else ():
            if "str" in str(field.annotation) and not HIDDEN & {name, f"{model.__name__}.{name}"}:
                kind = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
                yield f"{model.__name__}.{name}", TypeAdapter(kind)


def test_every_text_field_refuses_or_empties_what_is_not_seen() -> None:
    """A new field is found by this test; a field that is never shown is listed above."""
    checked, seen = set(), set()
    for name, field in text_fields():
        checked.add(name)
        for text in UNSEEN:
            try:
                value = field.validate_python(text)
            except ValidationError:
                continue
            if value != "" and not (isinstance(value, str) and is_visible(value)):
                seen.add(name)
    assert seen == set()
    assert {"Draft.body", "Correction.body", "ConversationDraft.name", "Profile.about", "SetStatus.text"} <= checked


@pytest.mark.parametrize("text", ["\u200b", "\u00ad", "\ufe0f", "\u034f", "\u3164", "\u2800\n" * 9, "\u2060\ufeff"])
async def test_messages_and_names_of_nothing_are_refused(ana: Person, text: str) -> None:
    """A body, an edit and a channel's name must have something to see; a topic of nothing is empty."""
    room = await begins(ana, "channel", "room")
    here = f"{CONVERSATIONS}/{room}"
    await ana.says(room, "seen")
    assert await tries(ana, "POST", f"{here}/messages", {"body": text, "client_id": "c"}) == (422, "invalid")
    assert await tries(ana, "PATCH", f"{here}/messages/1", {"body": text}) == (422, "invalid")
    assert await tries(ana, "POST", CONVERSATIONS, {"kind": "channel", "name": text}) == (422, "invalid")
    assert await tries(ana, "PATCH", here, {"name": text}) == (422, "invalid")
    assert await tries(ana, "PATCH", "/api/users/me", {"display_name": text}) == (422, "invalid")
    if "\n" not in text:
        assert await tries(ana, "PATCH", here, {"topic": text}) == (200, "")
    assert (await opens(ana, room))["topic"] == ""
    assert [message["body"] for message in (await pages(ana, room))["messages"]] == ["seen"]


async def test_invisible_characters_beside_others_stay(ana: Person) -> None:
    """Emoji and scripts need joiners; what a message says is never changed."""
    room = await begins(ana, "channel", "room")
    for body in ("👩\u200d🚀", "می\u200cخواهم", "a\u200b", "❤\ufe0f"):
        assert (await ana.says(room, body))["body"] == body
    assert (await edits(ana, room, 1, "x\u00ady"))["body"] == "x\u00ady"


def test_a_status_of_nothing_is_empty() -> None:
    """A status text or emoji without anything to see counts as none."""
    signal = parse_signal(
        json.dumps({"type": "status", "status": "online", "text": "\u2800", "emoji": "\u200d"}).encode()
    )
    assert isinstance(signal, SetStatus)
    assert (signal.text, signal.emoji) == ("", "")
