"""The look of texts: characters that are seen, and names that cannot be told apart. Pure.

The tables are from the Unicode Character Database: DerivedCoreProperties.txt (Default_Ignorable_Code_Point) and
PropList.txt (Prepended_Concatenation_Mark), version 16; and from confusables.txt of Unicode TS 39.
"""

import re
import unicodedata
from functools import lru_cache

# Default_Ignorable_Code_Point: shown as nothing, wherever they stand.
IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
ANNOTATIONS = "\ufff9-\ufffb"  # not in that list, but not shown either
DROPPED = re.compile(f"[{IGNORABLE}{ANNOTATIONS}]")

# Format characters (Cf) with ink: Prepended_Concatenation_Mark, and a Syriac sign.
INKED_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")

BLANK = "\u2800"  # a Braille cell without dots: as wide as a letter, and empty
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Mn", "Me", "Zl", "Zp", "Zs"})
UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})

# Format characters that are part of emoji and of some scripts.
JOINERS = frozenset("\u200c\u200d")

# Characters that reorder the text around them: a name must not be able to disguise another one.
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# Stripped from both ends of a line.
EDGES = "".join([*JOINERS, BLANK, *(chr(code) for code in range(0x3001) if chr(code).isspace())])


def is_visible(text: str) -> bool:
    """Return whether a reader sees anything of `text`. Marks without a letter below them do not count. Linear."""
    return any(map(is_seen, text))


def is_seen(letter: str) -> bool:
    """Return whether a reader sees this character by itself."""
    if unicodedata.category(letter) in UNSEEN:
        return letter in INKED_FORMATS
    return letter != BLANK and not DROPPED.match(letter)


def is_printable(text: str) -> bool:
    """Return whether `text` is one line without control characters and without changes of direction."""
    return not any(one in BIDI or unicodedata.category(one) in UNPRINTABLE for one in text)


@lru_cache(4096)  # an import asks about the same names again and again
def check_line(text: str) -> str:
    """Return `text` in composed form, without white space around it and without invisible characters.

    Text that has nothing to see becomes empty. Raise `ValueError` on control characters, line breaks and characters
    that turn the direction of writing. Linear, except in a run of combining marks.
    """
    if not is_printable(text):
        raise ValueError("must be one line without control characters")
    shown = [one for one in unicodedata.normalize("NFC", text) if not is_hidden(one)]
    return "".join(shown).strip(EDGES) if any(map(is_seen, shown)) else ""


def clean_line(text: str) -> str:
    """Return text of a stranger as `check_line` does; what that refuses becomes a space. Linear."""
    letters = "".join(one if is_printable(one) else " " for one in limit_marks(text))
    return check_line(" ".join(letters.split()))


def is_hidden(letter: str) -> bool:
    """Return whether the character only serves to make two names different that look the same."""
    return unicodedata.category(letter) == "Cf" and letter not in JOINERS and letter not in INKED_FORMATS


# Keys: texts with equal keys look alike.

MARKS_MOST = 30  # combining marks in a row, as in Unicode's Stream-Safe Text Format; the rest is dropped


def look_key(text: str) -> str:
    """Return the key of `text`: equal keys look alike, in any case, width, composition and spacing. Linear.

    It is NFKC_Casefold of the Unicode Standard (compatibility forms, case folding, no ignorable characters), with one
    space for each run of blanks. It has no line break. Confusable letters of two scripts have different keys.
    """
    if not text.isascii():
        text = DROPPED.sub("", limit_marks(text)).replace(BLANK, " ")
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", text).casefold())
        text = unicodedata.normalize("NFKC", DROPPED.sub("", text).casefold())
    return " ".join(text.casefold().split())


def limit_marks(text: str) -> str:
    """Return `text` with at most 30 combining marks in a row: normalizing is quadratic in such a run."""
    kept, run = [], 0
    for letter in text:
        run = run + 1 if unicodedata.category(letter) in ("Mn", "Me") else 0
        if run <= MARKS_MOST:
            kept.append(letter)
    return "".join(kept)


# A part of the confusables: signs that look like a Latin letter or a dash. Latin, Cyrillic, Greek, Armenian, Cherokee.
LIKE_LATIN = str.maketrans(
    "I|1ǀı0ȷɡɑ‐‑‒–—−АВЕКМНОРСТУХЅІЈӀаекорсухіјѕһԁԛԝӏΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορυγϲϳօսհոᎪᏴᏟᎬᎻᎫᏦᏞᎷᏢᏒᏚᎢᏙᏔᎩᏃ",
    "lllliojga------ABEKMHOPCTYXSlJlaekopcyxijshdqwlABEZHlKMNOPTYXaikvopuycjouhnABCEHJKLMPRSTVWYZ",
)


SCRIPTS = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})


def mixes_scripts(text: str) -> bool:
    """Return whether a word has letters of two of the scripts above, as only imitations of a word have. Linear."""
    words = unicodedata.normalize("NFKC", limit_marks(text)).split()
    return any(len(SCRIPTS.intersection(map(script_of, word))) > 1 for word in words)


def script_of(letter: str) -> str:
    """Return the first word of the name of a letter, which is its script; empty for other characters."""
    return unicodedata.name(letter, "").partition(" ")[0] if letter.isalpha() else ""


def skeleton(text: str) -> str:
    """Return what `look_key` does, with the signs above as the Latin letters that they resemble. Linear.

    Equal skeletons may be two honest names, such as `cop` and the Russian `сор`.
    """
    return look_key(unicodedata.normalize("NFKC", limit_marks(text)).translate(LIKE_LATIN))
