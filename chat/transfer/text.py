"""Names, texts and times of other chats, fitted to Tandem's limits without losing text, and the proof of that. Pure."""

import hashlib
import json
import re
import unicodedata
import zoneinfo
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from emoji import emojize
from pydantic import TypeAdapter, ValidationError

from chat.accounts.validation import DisplayName, check_new_name, spell_plainly
from chat.messages.reactions import SPELLINGS, strip_selectors
from chat.model.types import BODY_MOST, NAME_MOST, TOPIC_MOST
from chat.shared.appearance import is_printable
from chat.transfer.records import ConversationRecord, Item, LineError, MessageRecord, SkippedItem, UserRecord

SHOWN: TypeAdapter[str] = TypeAdapter(DisplayName)
CUT_AT = ("\n\n", "\n", ". ", " ")
SPACE = re.compile(r"\s*")
LONE = re.compile("[\0\ud800-\udfff]")
MILLISECONDS = 100_000_000_000  # larger numbers are milliseconds since 1970 or less, smaller ones seconds
UTC_NAME = re.compile(r" ?(?:UTC|GMT)$")
EMAIL = re.compile(r"[^\s@]+@[^\s@]+")


def shown_name(*names: object) -> str:
    """Return the first of these that is a valid display name."""
    for name in names:
        if isinstance(name, str) and (line := one_line(name, 64)):
            try:
                return SHOWN.validate_python(line)
            except ValidationError:
                continue
    return "?"


def title(*names: object) -> str:
    """Return the first of these that is a valid conversation name."""
    return next((line for name in names if isinstance(name, str) and (line := one_line(name, NAME_MOST))), "?")


def topic(text: object) -> str:
    """Return a valid topic."""
    return one_line(text, TOPIC_MOST) if isinstance(text, str) else ""


def one_line(text: str, most: int) -> str:
    """Return the text on one line of at most `most` characters. Invisible characters become spaces."""
    letters = [letter if is_printable(letter) else " " for letter in text]
    line = " ".join("".join(letters).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def clean(text: str) -> str:
    """Return text that PostgreSQL can store: NUL and lone surrogates become U+FFFD."""
    return LONE.sub("\N{REPLACEMENT CHARACTER}", text)


def parse(line: bytes) -> Any:
    """Return the JSON value. Each half of a character becomes U+FFFD. Raise `ValueError` if it is not JSON."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        if b"\\u" not in line:
            raise
    try:
        return repair(json.loads(line.decode("utf-8", "replace")))
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def repair(value: Any) -> Any:
    """Return the value with all its texts cleaned. Raise `RecursionError` if it is nested too deeply."""
    match value:
        case str():
            return clean(value)
        case list():
            return [repair(one) for one in value]
        case dict():
            return {clean(name): repair(one) for name, one in value.items()}
    return value


def email(text: object) -> str | None:
    """Return the text if it is an e-mail address."""
    return text if isinstance(text, str) and len(text) <= 254 and EMAIL.fullmatch(text) else None


def time_zone(text: object) -> str:
    """Return the name of a time zone that the system knows, otherwise nothing."""
    return text if isinstance(text, str) and text in available_time_zones() else ""


@lru_cache(1)
def available_time_zones() -> set[str]:
    """Return the names of all time zones. Cached, because they are read from many files."""
    return zoneinfo.available_timezones()


def split_body(text: str) -> list[str]:
    """Split a text into messages, if possible between paragraphs, lines, sentences or words."""
    pieces, at = [], 0
    while len(text) - at > BODY_MOST:
        ends = (text.rfind(mark, at + BODY_MOST // 2, at + BODY_MOST) for mark in CUT_AT)
        end = next((end + 1 for end in ends if end > 0), at + BODY_MOST)
        pieces.append(text[at:end].rstrip())
        at = found.end() if (found := SPACE.match(text, end)) else end
    return [piece for piece in [*pieces, text[at:]] if piece.strip()]


def continued(message: MessageRecord, rest: list[str]) -> Iterator[MessageRecord]:
    """Yield further messages with the rest of the text."""
    for number, body in enumerate(rest, 2):
        fields = {"body": body, "client_id": f"{message.client_id}.{number}", "reactions": [], "mentions": []}
        yield message.model_copy(update=fields)


def link(name: object, url: object) -> str:
    """Return a Markdown link to a file, or only its name if there is no URL."""
    shown = one_line(name, 200) if isinstance(name, str) and name.strip() else "file"
    shown = shown.replace("[", "(").replace("]", ")")
    if isinstance(url, str) and url.startswith(("https://", "http://")):
        return f"[{shown}](<{url.replace('>', '%3E').replace('<', '%3C')}>)"
    return f"\N{PAPERCLIP} {shown}"


def moment(seconds: float) -> datetime:
    """Convert seconds since 1970 to a time with milliseconds. Raise `ValueError`."""
    try:
        return datetime.fromtimestamp(round(seconds * 1000) / 1000, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError("is not a time") from error


def time_in(value: str, zone: tzinfo) -> datetime:
    """Return the time in a text: a number since 1970, ISO 8601, or as e-mails write it. Raise `ValueError`."""
    if value.lstrip("-").replace(".", "", 1).isdecimal():
        number = float(value)
        while abs(number) > MILLISECONDS:  # milliseconds, microseconds, nanoseconds
            number /= 1000
        return moment(number)
    try:
        found = datetime.fromisoformat(UTC_NAME.sub("+00:00", value))
    except ValueError:
        try:
            found = parsedate_to_datetime(value)
        except ValueError:
            raise ValueError(
                f'{value[:40]!r} is no known time: name the "format" of the column in the mapping'
            ) from None
    return found if found.tzinfo else found.replace(tzinfo=zone).astimezone(UTC)


def digest(*parts: str) -> str:
    """Return a short name for something without one."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


# Account names of authors: the same author always gets the same name.

MAX_NAME = 32
DIGEST_LENGTH = 8


class UniqueNames:
    """Account names by the source's ids of users. Two ids never get the same name, whatever their names there."""

    def __init__(self) -> None:
        self.by_id: dict[str, str] = {}
        self._taken: set[str] = set()

    def add(self, id_: str, wanted: str) -> str:
        """Return the name of this id. If another id has the wanted name, a digest of the id is added."""
        if id_ not in self.by_id:
            name = account_name(wanted)
            name = account_name(f"{wanted} {id_}") if name in self._taken else name
            self._taken.add(name)
            self.by_id[id_] = name
        return self.by_id[id_]


@lru_cache(4096)
def account_name(author: str) -> str:
    """Return the account name for an author.

    A name that is allowed is kept. Any other is spelled in plain letters, with a digest that keeps names apart.
    """
    with suppress(ValueError):
        return check_new_name(author)
    plain = spell_plainly(author, MAX_NAME - DIGEST_LENGTH - 1)
    return f"{plain or 'person'}-{hashlib.sha256(author.encode()).hexdigest()[:DIGEST_LENGTH]}"


CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
MENTION = re.compile(r"(?<![\w@.+%-])@([A-Za-z0-9_.-]{2,32})")


def rename_mentions(text: str, renamed: Mapping[str, str]) -> str:
    """Replace the names of users who have another name here where a text mentions them, but not in code. Linear."""
    if not renamed or "@" not in text:
        return text

    def rename(found: re.Match[str]) -> str:
        name = found[1].rstrip("._-")
        here = renamed.get(found[1].lower()) or renamed.get(name.lower())
        return f"@{here}{found[1][len(name) :]}" if here else found[0]

    parts = CODE.split(text)
    parts[::2] = [MENTION.sub(rename, part) for part in parts[::2]]
    return "".join(parts)


def rename_channels(text: str, renamed: Mapping[str, str]) -> str:
    """Replace the names of channels that have another name here where a text has `#name`, but not in code.

    `renamed`: the names here by the case-folded names there. Linear in the length of the text.
    """
    if not renamed or "#" not in text:
        return text
    pattern = channel_pattern(tuple(renamed))
    parts = CODE.split(text)
    parts[::2] = [
        pattern.sub(lambda found: "#" + renamed.get(found[1].casefold(), found[1]), one) for one in parts[::2]
    ]
    return "".join(parts)


@lru_cache(16)
def channel_pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern that finds `#name` for each of the names, the longest first."""
    listed = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<![\w&#/])#({listed})(?![\w-])", re.IGNORECASE)


# Emoji names, such as `:tada:`, as the emoji.

# A name of one letter must stand alone: otherwise it is often something else.
EMOJI_NAME = re.compile(r"(?<!\w):([A-Za-z0-9]):(?!\w)|:([A-Za-z0-9_+'-]{2,}(?:::skin-tone-[2-6](?:-[2-6])?)?):")
TONES = {str(number): chr(0x1F3F9 + number) for number in range(2, 7)}  # U+1F3FB …
TONE_NAMES = {"light": "2", "medium_light": "3", "medium": "4", "medium_dark": "5", "dark": "6"}  # Mattermost's
TONE = re.compile(r"(.+?)(?:::skin-tone-([2-6])(?:-([2-6]))?|_(light|medium_light|medium|medium_dark|dark)_skin_tone)")
FLAG = re.compile(r"flag-([a-z]{2})")
JOINED_PEOPLE = ("\u200d\U0001f468", "\u200d\U0001f469", "\u200d\U0001f9d1")
HANDSHAKE = "\N{RIGHTWARDS HAND}{}\u200d\N{LEFTWARDS HAND}{}"

# Names of Slack and Mattermost that the `emoji` package gives another emoji or none; see tests/transfer/emoji_table.py.
OTHER_NAMES: dict[str, str] = dict(
    line.split(" ") for line in Path(__file__).with_name("emoji_names.txt").read_text("utf-8").splitlines()
)


@lru_cache(4096)
def find_emoji(name: str) -> str | None:
    """Return the emoji of this name in its standard spelling, or None for a custom emoji."""
    if emoji := named_emoji(name):
        return emoji
    if (tone := TONE.fullmatch(name)) and (emoji := named_emoji(tone[1])):
        tones = [tone[2] or TONE_NAMES[tone[4]], tone[3] or ""]
        return toned(emoji, *(TONES.get(one, "") for one in tones)) or emoji
    return None


def named_emoji(name: str) -> str | None:
    """Return the emoji of a name without a skin tone."""
    emoji = OTHER_NAMES.get(name) or flag(name) or emojize(f":{name}:", language="alias")
    return SPELLINGS.get(strip_selectors(emoji), OTHER_NAMES.get(name))


def flag(name: str) -> str | None:
    """Return the flag for a name such as `flag-de`."""
    found = FLAG.fullmatch(name)
    return "".join(chr(0x1F1E6 + ord(letter) - ord("a")) for letter in found[1]) if found else None


def toned(emoji: str, tone: str, second: str = "") -> str | None:
    """Return the emoji with this skin tone, or two of them for two people, if there is one."""
    first, rest = strip_selectors(emoji)[:1], strip_selectors(emoji)[1:]
    if second and second != tone:
        pair = HANDSHAKE.format(tone, second) if emoji == "\N{HANDSHAKE}" else first + tone + second_toned(rest, second)
        return SPELLINGS.get(pair)
    return SPELLINGS.get(first + tone + rest) or SPELLINGS.get(first + tone + second_toned(rest, tone))


def second_toned(rest: str, tone: str) -> str:
    """Return the rest of an emoji of two people with a skin tone after the second."""
    at = max(rest.rfind(person) for person in JOINED_PEOPLE) + 2
    return rest[:at] + tone + rest[at:] if at > 1 else rest


def show_emoji(text: str) -> str:
    """Replace the emoji names in a text. Unknown ones stay as they are."""
    return EMOJI_NAME.sub(lambda code: find_emoji(code[1] or code[2]) or code[0], text) if ":" in text else text


# Accounting: each foreign text is in the records that were made of it, or is counted.
#
# A reader calls `leftovers` for every message. So a field that it does not read is named in the report, instead of
# being lost. All of it is linear in the length of the message.

WORD = re.compile(r"[^\W\d_]{3,}")
NUMBER = re.compile(r"\d+")
MAX_PATH = 100  # characters of a field's path


def leftovers(
    raw: object,
    items: Iterable[Item],
    known: Collection[str],
    place: str,
    plain: Callable[[str], str] = show_emoji,
) -> Iterator[SkippedItem]:
    """Yield a skipped item for each text of a foreign message that has words which are in no record made of it.

    A word is three letters or more. `known`: fields that are machinery, such as ids, types and times, with all below
    them; each is the name of a field (`ts`), or its whole path (`attachments.id`). `plain` turns a foreign text into
    what a reader sees, without markup. A message that became a `LineError` has no leftovers: its line is reported.
    """
    made = list(items)
    if any(isinstance(item, LineError) for item in made):
        return
    texts = {text for item in made for text in texts_of(item)}
    kept: set[str] | None = None
    for path, text in strings_in(raw, known):
        if text in texts:
            continue
        if kept is None:
            kept = {word for one in texts for word in words_in(one)}
        if any(word not in kept for word in words_in(plain(text))):
            yield SkippedItem(f"text in {path or 'the line'}", place)


def strings_in(raw: object, known: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Yield `(path, text)` of all strings in JSON, but not of those below a known field. Places in lists are dropped.

    Works through any nesting, because the message may have been made to exhaust the stack.
    """
    waiting: list[tuple[str, object]] = [("", raw)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, list | tuple):
            waiting += [(path, one) for one in reversed(value)]
        elif isinstance(value, dict):
            for name, one in reversed(value.items()):
                below = f"{path}.{NUMBER.sub('*', str(name))}" if path else NUMBER.sub("*", str(name))
                if name not in known and below not in known and isinstance(one, str | list | tuple | dict):
                    waiting.append((below[:MAX_PATH], one))


def words_in(text: str) -> set[str]:
    """Return the words of three letters or more, in the form in which they are compared: without case and marks."""
    return set(WORD.findall((text if text.isascii() else "".join(map(plain_letters, text))).casefold()))


@lru_cache(8192)
def plain_letters(letter: str) -> str:
    """Return the letters and digits that a character stands for; nothing for a mark, a space for anything else.

    Normalizing a whole text takes quadratic time for many marks.
    """
    parts = ((one, unicodedata.category(one)[0]) for one in unicodedata.normalize("NFKD", letter))
    return "".join(one if kind in "LN" else "" if kind == "M" else " " for one, kind in parts)


def texts_of(item: Item) -> Iterator[str]:
    """Yield the texts of a record that readers of the chat can see."""
    match item:
        case MessageRecord():
            yield item.body
            yield from (edit.body for edit in item.edits)
            for file in item.files:
                yield from (text for text in (file.name, file.url, file.path) if text)
        case UserRecord():
            avatar = item.avatar and (item.avatar.url or item.avatar.path)
            named = (item.name, item.display_name, item.about, item.email, item.time_zone, avatar)
            yield from (text for text in named if text)
        case ConversationRecord():
            yield from (text for text in (item.name, item.topic) if text)
