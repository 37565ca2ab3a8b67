"""Names: what people log in with and are mentioned by, and what others read above their messages. Pure."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from chat.shared.one_line import UNPRINTABLE, check_shown, is_printable

NAME = re.compile(r"[A-Za-z0-9_.-]{2,32}")
RESERVED = frozenset({"channel", "here"})


def check_name(text: str) -> str:
    """The name, in lower case; raises `ValueError`."""
    if not NAME.fullmatch(text):
        raise ValueError("2 to 32 letters from a to z, digits, and the characters _ . -")
    if text.lower() in RESERVED:
        raise ValueError("is what everybody is called by")
    return text.lower()


def check_about(text: str) -> str:
    """Some lines, in composed form, without white space around them; raises `ValueError`."""
    text = unicodedata.normalize("NFC", text).strip()
    if not is_printable(text.replace("\n", "")):
        raise ValueError("must not contain control characters")
    return text


def plain_text(text: str) -> str:
    """What of `text` can be stored and shown on one line."""
    return "".join(letter for letter in text if unicodedata.category(letter) not in UNPRINTABLE)


Name = Annotated[str, AfterValidator(check_name)]
About = Annotated[str, Field(max_length=500), AfterValidator(check_about)]
# Only its form: which there are is known where they are looked up.
TimeZone = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_+/-]*$")]
DisplayName = Annotated[str, Field(max_length=64), AfterValidator(check_shown)]
