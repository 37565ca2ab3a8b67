"""Accounting for foreign texts: each is in the records that were made of it, or is counted. Pure.

A reader calls `leftovers` for every message. So a field that it does not read is named in the report, instead of being
lost. All of it is linear in the length of the message.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache

from chat.transfer.records import ConversationRecord, Item, LineError, MessageRecord, SkippedItem, UserRecord
from chat.transfer.text import show_emoji

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
