"""A file's name: what is left of it once it can neither climb folders, nor break a header, nor turn the text around it.
Pure."""

import unicodedata

LONGEST = 200
UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
JOINERS = "\u200c\u200d"  # Cf as well, but part of how emoji and some scripts are written
SEPARATORS = str.maketrans({"\\": "/", ":": "_"})


def clean_name(text: str) -> str:
    """The last part of a path, printable, at most 200 characters, its ending kept; `file` when nothing is left."""
    last = unicodedata.normalize("NFC", text).translate(SEPARATORS).rpartition("/")[2]
    plain = "".join(letter for letter in last if is_printable(letter)).strip(" .")
    return shorten(plain) or "file"


def is_printable(letter: str) -> bool:
    """Neither a control character nor one that turns or hides its neighbours."""
    return letter in JOINERS or unicodedata.category(letter) not in UNPRINTABLE


def shorten(name: str) -> str:
    """At most 200 characters, taken from before the ending."""
    stem, dot, ending = name.rpartition(".")
    if len(name) <= LONGEST or not stem or len(ending) > LONGEST // 4:
        return name[:LONGEST]
    return stem[: LONGEST - len(ending) - 1] + dot + ending
