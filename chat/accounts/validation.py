"""Validation of passwords, names and profile texts. Pure.

A short list of words finds more common passwords than a long list of passwords: they are a word, a run of keys or a
repetition, with a few characters around it.
"""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from emoji import emojize
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from chat.model.types import check_shown
from chat.shared.appearance import UNPRINTABLE, is_printable, is_visible
from chat.shared.texts import Language

LEAST, MOST = 10, 256
WEAK_MOST = 4  # characters beside a word, a run or a repetition that do not make a password strong
WORDS = tuple(
    word
    for line in Path(__file__).with_name("common.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
    for word in line.casefold().split()
)

# Runs of keys or of the alphabet; each counts backwards too.
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


def normalize(password: str) -> str:
    """Return one form for texts that look the same: keyboards compose letters and choose widths differently (NFKC).

    Normalizing is quadratic in a run of combining marks, so a text is first cut after the longest password.
    """
    return unicodedata.normalize("NFKC", password[: MOST + 1])


def check_password(password: str, *names: str) -> str:
    """Return the password unchanged; raise `ValueError` if it is too short, too long or easy to guess.

    `names` are the user's own.
    """
    if min(len(password), len(normalize(password))) < LEAST or len(password) > MOST:
        raise ValueError(f"must have {LEAST} to {MOST} characters")
    if is_common(password, *names):
        raise ValueError("is too easy to guess")
    return password


def is_common(password: str, *names: str) -> bool:
    """Return whether the password is little more than a common word, a name, a run of keys or a repetition."""
    text = normalize(password).casefold()
    known = [name.casefold() for name in names if len(name) >= 3]
    return is_weak(text) or any(is_weak(rest) for rest in without_words(text, [*known, *WORDS]))


def without_words(text: str, words: list[str]) -> Iterator[str]:
    """Yield the text without each of the words that it contains, also where digits stand for letters."""
    for form in (text, *(text.translate(mask) for mask in MASKS)):
        for word in words:
            at = form.find(word)
            if at >= 0:
                yield text[:at] + text[at + len(word) :]


def is_weak(text: str) -> bool:
    """Return whether the text is short, has few different characters, repeats, or is little more than runs."""
    return len(text) <= WEAK_MOST or len(set(text)) <= 3 or is_repeated(text) or len(without_runs(text)) <= WEAK_MOST


def is_repeated(text: str) -> bool:
    """Return whether the text is a repetition, such as `tandemtandem`."""
    return text in (text + text)[1:-1]


def without_runs(text: str) -> str:
    """Return the text without years and without runs of at least three neighboring keys."""
    text = YEAR.sub("", text)
    rest, at = [], 0
    while at < len(text):
        end = end_of_run(text, at)
        rest += [text[at:end]] if end - at < 3 else []
        at = end
    return "".join(rest)


def end_of_run(text: str, at: int) -> int:
    """Return the end of the longest run from `at`: one repeated character, or neighbors in a row of keys.

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


# Names and profile texts.

NAME = re.compile(r"[A-Za-z0-9_.-]{2,32}")
NAME_MOST, NAMES_TRIED = 32, 1_000
RESERVED = frozenset({"channel", "here"})
GROUP_RESERVED = RESERVED | {"all", "everyone"}


def check_name(text: str) -> str:
    """Return the name of a user who exists, here or in an export, in lower case; raise `ValueError`."""
    if not NAME.fullmatch(text):
        raise ValueError("must have 2 to 32 letters (a to z), numbers, dots, dashes or underscores")
    if text.lower() in RESERVED:
        raise ValueError("is reserved for mentions")
    return text.lower()


def check_new_name(text: str) -> str:
    """Return the name in lower case; raise `ValueError` if no new user may have it.

    It begins and ends with a letter or a number: the dot after `@ana.` in a sentence must not make another user of it.
    """
    if not (name := check_name(text)).strip("._-") == name:
        raise ValueError("must begin and end with a letter or a number")
    return name


def check_group_name(text: str) -> str:
    """Return the name of a new user group in lower case, by the rule for users; raise `ValueError`."""
    if (name := check_new_name(text)) in GROUP_RESERVED:
        raise ValueError("is reserved for mentions")
    return name


EMOJI_NAME = re.compile(r"[a-z0-9_-]{2,32}")


def check_emoji_name(text: str) -> str:
    """Return the name of a new custom emoji; raise `ValueError` if it has another form, or is a standard emoji's."""
    if not EMOJI_NAME.fullmatch(text):
        raise ValueError("must have 2 to 32 lowercase letters (a to z), numbers, dashes or underscores")
    if emojize(coded := f":{text}:", language="alias") != coded:
        raise ValueError("is the name of a standard emoji")
    return text


def fold_name(text: str) -> str:
    """Return a name as it is stored, whatever the database's locale; an empty one, which no user has, if it is none.

    Statements compare it with `lower(name)`, for the index. Only letters a to z are stored, which every locale keeps.
    """
    return text.lower() if text.isascii() and text.isprintable() else ""


def spell_plainly(text: str, most: int) -> str:
    """Return at most `most` letters a to z, numbers and dashes for a text: `Łódź Café` becomes `odz-cafe`."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", letters.lower()).strip("-")[:most].strip("-")


def candidate_names(text: str, ending: str = "") -> Iterator[str]:
    """Yield usernames for a text of another system: spelled in plain letters, then with the numbers 2 to 999 behind."""
    start = spell_plainly(text[:NAME_MOST], NAME_MOST - len(ending) - len(str(NAMES_TRIED)))
    name = f"{start or 'user'}{ending}"
    if len(name) >= 2 and name not in RESERVED:
        yield name
    yield from (f"{name}{number}" for number in range(2, NAMES_TRIED))


EXTERNAL_MOST = 255  # bytes in UTF-8


def check_external_id(text: str) -> str:
    """Return the id that a user or conversation has in another system, unchanged; raise `ValueError`.

    It can have any characters but NUL. `.` and `..` are refused, because clients remove them from URLs.
    """
    try:
        length = len(text.encode())
    except UnicodeEncodeError:
        raise ValueError("must be Unicode text") from None
    if not 0 < length <= EXTERNAL_MOST or "\0" in text or text in (".", ".."):
        raise ValueError(f"must have 1 to {EXTERNAL_MOST} bytes, not NUL, and not be . or ..")
    return text


def check_email(text: str) -> str:
    """Return the address, empty for none; raise `ValueError`. Only its form is checked."""
    name, _, host = text.partition("@")
    if text and not (name and host and "@" not in host and text.isprintable() and " " not in text):
        raise ValueError("must be an address like ana@example.com")
    return text


# Keywords: words that call a user. A text is split into words by `WORD`, a keyword too. Scripts without spaces between
# words are split into characters, so that a keyword is found inside a sentence.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")
KEYWORD_MOST = 40


def split_words(text: str) -> list[str]:
    """Return the words of a text, case-folded, in order."""
    return WORD.findall(text.casefold())


def check_keyword(text: str) -> str:
    """Return a keyword, a word or a few, with single spaces; raise `ValueError` if it has no letter or digit."""
    text = " ".join(plain_text(text).split())
    if not split_words(text):
        raise ValueError("must have a letter or a number")
    return text


def check_https(text: str) -> str:
    """Return an HTTPS URL, empty for none; raise `ValueError`. Whether its address is public is found out later."""
    if text and not (text.startswith("https://") and text.isprintable() and " " not in text):
        raise ValueError("must be a URL that begins with https://")
    return text


def check_about(text: str) -> str:
    """Return the lines in composed form and without surrounding white space; raise `ValueError`.

    Text that has nothing to see becomes empty.
    """
    text = unicodedata.normalize("NFC", text).strip()
    if not is_printable(text.replace("\n", "")):
        raise ValueError("must not contain control characters")
    return text if is_visible(text) else ""


def plain_text(text: str) -> str:
    """Return the characters of `text` that can be stored and shown on one line."""
    return "".join(letter for letter in text if unicodedata.category(letter) not in UNPRINTABLE)


Name = Annotated[str, AfterValidator(check_name)]
NewName = Annotated[str, AfterValidator(check_new_name)]
GroupName = Annotated[str, AfterValidator(check_group_name)]
About = Annotated[str, Field(max_length=500), AfterValidator(check_about)]

# Only the form; PostgreSQL knows the names.
TimeZone = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_+/-]*$")]
AvatarUrl = Annotated[str, Field(max_length=2_000), AfterValidator(check_https)]
Email = Annotated[str, Field(max_length=254), AfterValidator(check_email)]
Keyword = Annotated[str, Field(max_length=KEYWORD_MOST), AfterValidator(check_keyword)]
KEYWORDS_MOST = 20

# empty for the language of the browser
ChosenLanguage = Literal["", Language]
DisplayName = Annotated[str, Field(max_length=64), AfterValidator(check_shown)]
SHOWN: TypeAdapter[str] = TypeAdapter(DisplayName)


def fit_display_name(*names: str) -> str:
    """Return the first name that can be shown."""
    for name in names:
        try:
            if name:
                return SHOWN.validate_python(name[:64])
        except ValidationError:
            continue
    return "User"
