"""Wording: foreign names, texts and moments made to fit where ours have limits; nothing of a text is lost. Pure."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache

from emoji import EMOJI_DATA, emojize
from pydantic import TypeAdapter, ValidationError

from chat.accounts.validation import DisplayName
from chat.messages.reactions import SPELLINGS, strip_selectors
from chat.model.types import BODY_MOST, NAME_MOST, TOPIC_MOST, is_printable
from chat.transfer.records import MessageRecord

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


def continued(message: MessageRecord, rest: list[str]) -> Iterator[MessageRecord]:
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


# Emoticons: `:tada:` and what Slack and Mattermost call other emoji, as the signs themselves. Pure.

# One letter between colons is as often as not something else.
CODE = re.compile(r"(?<!\w):([A-Za-z0-9]):(?!\w)|:([A-Za-z0-9_+'-]{2,}(?:::skin-tone-[2-6])?):")
TONES = {str(number): chr(0x1F3F9 + number) for number in range(2, 7)}  # U+1F3FB …

# Where the two say otherwise than Unicode's and GitHub's lists.
OTHERS = {
    "simple_smile": "🙂",
    "thumbsup_all": "👍",
    "slightly_smiling_face": "🙂",
    "white_check_mark": "✅",
    "heavy_check_mark": "✔️",
    "rolling_on_the_floor_laughing": "🤣",
    "face_with_rolling_eyes": "🙄",
    "hugging_face": "🤗",
    "man-shrugging": "🤷‍♂️",
    "woman-shrugging": "🤷‍♀️",
    "man-facepalming": "🤦‍♂️",
    "woman-facepalming": "🤦‍♀️",
    "heart": "❤️",
    "flag-us": "🇺🇸",
}
FLAG = re.compile(r"flag-([a-z]{2})")


@lru_cache(4096)
def find_emoji(name: str) -> str | None:
    """The emoji of this name, in its one spelling; None for one that a team has made itself."""
    base, _, tone = name.partition("::skin-tone-")
    sign = OTHERS.get(base) or flag(base) or emojize(f":{base}:", language="alias")
    if tone and sign in EMOJI_DATA:
        sign = toned(sign, TONES.get(tone, "")) or sign
    return SPELLINGS.get(strip_selectors(sign))


def flag(name: str) -> str | None:
    """`flag-de`."""
    found = FLAG.fullmatch(name)
    return "".join(chr(0x1F1E6 + ord(letter) - ord("a")) for letter in found[1]) if found else None


def toned(sign: str, tone: str) -> str | None:
    """With this colour of skin, where there is such an emoji."""
    first, rest = strip_selectors(sign)[:1], strip_selectors(sign)[1:]
    return SPELLINGS.get(first + tone + rest)


def show_emoji(text: str) -> str:
    """All that are known in a text; the others stay as they are written."""
    return CODE.sub(lambda code: find_emoji(code[1] or code[2]) or code[0], text) if ":" in text else text
