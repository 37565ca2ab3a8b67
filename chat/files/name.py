"""A file's name: what is left of it once it can neither climb folders, nor break a header, nor turn the text around it.
Pure."""

import unicodedata

LONGEST = 200
RAW_MOST = 4 * LONGEST
UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
JOINERS = "\u200c\u200d"  # Cf as well, but part of how emoji and some scripts are written
SEPARATORS = str.maketrans({"\\": "/", ":": "_"})


def clean_name(text: str) -> str:
    """Return the last part of a path, printable, at most 200 characters, with its ending; `file` if nothing is left."""
    last = text.translate(SEPARATORS).rpartition("/")[2]
    if len(last) > RAW_MOST:
        last = last[: RAW_MOST // 2] + last[-RAW_MOST // 2 :]  # normalizing is quadratic in a run of combining marks
    plain = "".join(letter for letter in unicodedata.normalize("NFC", last) if is_printable(letter)).strip(" .")
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
