"""Wording: foreign names, texts and moments made to fit where ours have limits; nothing of a text is lost. Pure."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from pydantic import TypeAdapter, ValidationError

from chat.accounts.validation import DisplayName
from chat.conversations.drafts import NAME_MOST, TOPIC_MOST
from chat.exchange.record import Message
from chat.messages.drafts import BODY_MOST
from chat.shared.one_line import is_printable

SHOWN: TypeAdapter[str] = TypeAdapter(DisplayName)

CUT = ("\n\n", "\n", ". ", " ")

SPACE = re.compile(r"\s*")


def shown_name(*names: object) -> str:
    """The first of these that can stand above messages."""
    for name in names:
        if isinstance(name, str) and (line := one_line(name, 64)):
            try:
                return SHOWN.validate_python(line)
            except ValidationError:
                continue
    return "?"


def title(*names: object) -> str:
    """The first of these that can be a conversation's name."""
    return next((line for name in names if isinstance(name, str) and (line := one_line(name, NAME_MOST))), "?")


def topic(text: object) -> str:
    """What a conversation is for, in one line."""
    return one_line(text, TOPIC_MOST) if isinstance(text, str) else ""


def one_line(text: str, most: int) -> str:
    """White space and what cannot be seen become single spaces; cut at `most`."""
    letters = [letter if is_printable(letter) else " " for letter in text]
    line = " ".join("".join(letters).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def clean(text: str) -> str:
    """What PostgreSQL can hold: NUL and halves of characters become signs that say so."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode("utf-8")


def split_body(text: str) -> list[str]:
    """In pieces that fit into a message each, cut between paragraphs, lines, sentences or words where there are any."""
    pieces, at = [], 0
    while len(text) - at > BODY_MOST:
        ends = (text.rfind(mark, at + BODY_MOST // 2, at + BODY_MOST) for mark in CUT)
        end = next((end + 1 for end in ends if end > 0), at + BODY_MOST)
        pieces.append(text[at:end].rstrip())
        at = found.end() if (found := SPACE.match(text, end)) else end
    return [piece for piece in [*pieces, text[at:]] if piece.strip()]


def continued(message: Message, rest: list[str]) -> Iterator[Message]:
    """What did not fit into the message, as further ones right behind it."""
    for number, body in enumerate(rest, 2):
        fields = {"body": body, "client_id": f"{message.client_id}.{number}", "reactions": [], "mentions": []}
        yield message.model_copy(update=fields)


def link(name: object, url: object) -> str:
    """A file as a link with its name; only its name when there is nothing to follow."""
    shown = one_line(name, 200) if isinstance(name, str) and name.strip() else "file"
    shown = shown.replace("[", "(").replace("]", ")")
    if isinstance(url, str) and url.startswith(("https://", "http://")):
        return f"[{shown}](<{url.replace('>', '%3E').replace('<', '%3C')}>)"
    return f"\N{PAPERCLIP} {shown}"


def moment(seconds: float) -> datetime:
    """Seconds since 1970, in the milliseconds that we keep; raises `ValueError` on what is no time."""
    try:
        return datetime.fromtimestamp(round(seconds * 1000) / 1000, UTC)
    except (OverflowError, OSError) as wrong:
        raise ValueError("is no time") from wrong


def digest(*parts: str) -> str:
    """A short name for what has none."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
