"""Strength: which passwords are too short, too long, or among the first that anybody would try. Pure.

A list of passwords would have to be long; a short list of words goes further, for what makes a password common is a
word, a run of keys, a repetition, and a few characters around it.
"""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from chat.model.types import UNPRINTABLE, check_shown, is_printable

LEAST, MOST = 10, 256
THIN = 4  # so many characters beside a word, a run or a repetition do not make a password
WORDS = tuple(
    word
    for line in Path(__file__).with_name("common.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
    for word in line.casefold().split()
)

# In the order of the keys or the alphabet; each is read backwards too.
ROWS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "!@#$%^&*()",
    "йцукенгшщзхъфывапролджэячсмитьбю",
    "абвгдежзийклмнопрстуфхцчшщъыьэюя",
)
YEAR = re.compile(r"(?:19|20)\d\d", re.ASCII)
RUNS = ROWS + tuple(row[::-1] for row in ROWS)

# Digits and signs that stand for letters; 1 stands for two.
MASKS = (str.maketrans("013457@$!|", "oleastasil"), str.maketrans("013457@$!|", "oieastasii"))


def normalise(password: str) -> str:
    """Return one form for what looks the same: keyboards compose letters and choose widths differently (NFKC).

    Normalizing is quadratic in a run of combining marks, so what is longer than any password is cut first.
    """
    return unicodedata.normalize("NFKC", password[: MOST + 1])


def check_password(password: str, *names: str) -> str:
    """The password as it was given; raises `ValueError` when it is not one. `names`: the person's own."""
    if min(len(password), len(normalise(password))) < LEAST or len(password) > MOST:
        raise ValueError(f"must have {LEAST} to {MOST} characters")
    if is_common(password, *names):
        raise ValueError("is among the first that anybody would try")
    return password


def is_common(password: str, *names: str) -> bool:
    """Is there little in it beside a well-known word, one of `names`, a run of keys or a repetition?"""
    text = normalise(password).casefold()
    known = [name.casefold() for name in names if len(name) >= 3]
    return is_thin(text) or any(is_thin(rest) for rest in without_words(text, [*known, *WORDS]))


def without_words(text: str, words: list[str]) -> Iterator[str]:
    """The text without each of the words that it contains, also where digits stand for letters."""
    for form in (text, *(text.translate(mask) for mask in MASKS)):
        for word in words:
            at = form.find(word)
            if at >= 0:
                yield text[:at] + text[at + len(word) :]


def is_thin(text: str) -> bool:
    """Few characters, few different ones, a repetition, or little more than runs."""
    return len(text) <= THIN or len(set(text)) <= 3 or is_repeated(text) or len(without_runs(text)) <= THIN


def is_repeated(text: str) -> bool:
    """Is it the same thing over and over, such as `tandemtandem`?"""
    return text in (text + text)[1:-1]


def without_runs(text: str) -> str:
    """What is left when years and runs of at least three neighbours are taken out."""
    text = YEAR.sub("", text)
    rest, at = [], 0
    while at < len(text):
        end = end_of_run(text, at)
        rest += [text[at:end]] if end - at < 3 else []
        at = end
    return "".join(rest)


def end_of_run(text: str, at: int) -> int:
    """Return the end of the longest run from `at`: one character again and again, or neighbors in a row of keys.

    Each row is short, so the time grows linearly with the run.
    """
    end = at + 1
    while end < len(text) and text[end] == text[at]:
        end += 1
    if end > at + 1:  # no row has the same character twice in a row
        return end
    while end < len(text) and any(text[at : end + 1] in row for row in RUNS):
        end += 1
    return end


# Names: what people log in with and are mentioned by, and what others read above their messages. Pure.

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
