"""One line of text: the rule for names and topics, which must not deceive readers by what they cannot see. Pure."""

import unicodedata
from functools import lru_cache

# Characters that reorder the text around them: a name must not be able to disguise another one.
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Format characters too, but parts of emoji and of some scripts.
JOINERS = frozenset("\u200c\u200d")
# What a line neither begins nor ends with.
EDGES = "".join([*JOINERS, *(chr(code) for code in range(0x3001) if chr(code).isspace())])
# Letters and symbols without ink.
BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}
UNSEEN = {"Cf", "Mn", "Me", "Zs"}


@lru_cache(4096)  # an import asks about the same names again and again
def check_line(text: str) -> str:
    """Return `text` in composed form, without white space around it and without invisible characters.

    Text that has nothing to see becomes empty. Raise `ValueError` on control characters, line breaks and characters
    that turn the direction of writing. Linear in the length of `text`.
    """
    if not is_printable(text):
        raise ValueError("must be one line without control characters")
    shown = [one for one in unicodedata.normalize("NFC", text) if one in JOINERS or unicodedata.category(one) != "Cf"]
    return "".join(shown).strip(EDGES) if any(map(is_seen, shown)) else ""


def check_shown(text: str) -> str:
    """Return what `check_line` does; raise `ValueError` when nothing is left."""
    if not (line := check_line(text)):
        raise ValueError("must not be empty")
    return line


def is_printable(text: str) -> bool:
    """Return whether `text` is one line without control characters."""
    return not any(one in BIDI or unicodedata.category(one) in UNPRINTABLE for one in text)


def is_seen(letter: str) -> bool:
    """Return whether a reader sees this character by itself."""
    return unicodedata.category(letter) not in UNSEEN and letter not in BLANKS
