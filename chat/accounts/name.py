"""Names: what people log in with and are mentioned by, and what others read above their messages. Pure."""

import re
import unicodedata
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, Field

NAME = re.compile(r"[A-Za-z0-9_.-]{2,32}")
# They turn the text around them: a name must not reach beyond itself.
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
RESERVED = frozenset({"channel", "here"})
UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}
UNSEEN = {"Cf", "Mn", "Me", "Zs"}


def check_name(text: str) -> str:
    """The name, in lower case; raises `ValueError`."""
    if not NAME.fullmatch(text):
        raise ValueError("2 to 32 letters from a to z, digits, and the characters _ . -")
    if text.lower() in RESERVED:
        raise ValueError("is what everybody is called by")
    return text.lower()


@lru_cache(4096)  # an import asks about the same people again and again
def check_display_name(text: str) -> str:
    """The name in its composed form, without white space around it; raises `ValueError`."""
    text = unicodedata.normalize("NFC", text).strip()
    if any(letter in BIDI or unicodedata.category(letter) in UNPRINTABLE for letter in text):
        raise ValueError("must not contain control characters")
    if all(unicodedata.category(letter) in UNSEEN for letter in text):
        raise ValueError("must not be empty")
    return text


def check_about(text: str) -> str:
    """Some lines, in composed form, without white space around them; raises `ValueError`."""
    text = unicodedata.normalize("NFC", text).strip()
    if any(letter in BIDI or unicodedata.category(letter) in UNPRINTABLE for letter in text if letter != "\n"):
        raise ValueError("must not contain control characters")
    return text


def plain_text(text: str) -> str:
    """What of `text` can be stored and shown on one line."""
    return "".join(letter for letter in text if unicodedata.category(letter) not in UNPRINTABLE)


Name = Annotated[str, AfterValidator(check_name)]
About = Annotated[str, Field(max_length=500), AfterValidator(check_about)]
# Only its form: which there are is known where they are looked up.
TimeZone = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_+/-]*$")]
DisplayName = Annotated[str, Field(max_length=64), AfterValidator(check_display_name)]
