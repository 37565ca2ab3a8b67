"""Emoticons: `:tada:` and what Slack and Mattermost call other emoji, as the signs themselves. Pure."""

import re
from functools import lru_cache

from emoji import EMOJI_DATA, emojize

from chat.messages.reactions import SPELLINGS, strip

# One letter between colons is as often as not something else.
CODE = re.compile(r"(?<!\w):([A-Za-z0-9]):(?!\w)|:([A-Za-z0-9_+'-]{2,}(?:::skin-tone-[2-6])?):")

TONES = {str(number): chr(0x1F3F9 + number) for number in range(2, 7)}  # U+1F3FB …

# Where the two say otherwise than Unicode's and GitHub's lists.
OTHERS = {
    "simple_smile": "🙂",
    "thumbsup_all": "👍",
    "slightly_smiling_face": "🙂",
    "white_check_mark": "✅",
    "heavy_check_mark": "✔️",
    "rolling_on_the_floor_laughing": "🤣",
    "face_with_rolling_eyes": "🙄",
    "hugging_face": "🤗",
    "man-shrugging": "🤷‍♂️",
    "woman-shrugging": "🤷‍♀️",
    "man-facepalming": "🤦‍♂️",
    "woman-facepalming": "🤦‍♀️",
    "heart": "❤️",
    "flag-us": "🇺🇸",
}

FLAG = re.compile(r"flag-([a-z]{2})")


@lru_cache(4096)
def find_emoji(name: str) -> str | None:
    """The emoji of this name, in its one spelling; None for one that a team has made itself."""
    base, _, tone = name.partition("::skin-tone-")
    sign = OTHERS.get(base) or flag(base) or emojize(f":{base}:", language="alias")
    if tone and sign in EMOJI_DATA:
        sign = toned(sign, TONES.get(tone, "")) or sign
    return SPELLINGS.get(strip(sign))


def flag(name: str) -> str | None:
    """`flag-de`."""
    found = FLAG.fullmatch(name)
    return "".join(chr(0x1F1E6 + ord(letter) - ord("a")) for letter in found[1]) if found else None


def toned(sign: str, tone: str) -> str | None:
    """With this colour of skin, where there is such an emoji."""
    first, rest = strip(sign)[:1], strip(sign)[1:]
    return SPELLINGS.get(first + tone + rest)


def show_emoji(text: str) -> str:
    """All that are known in a text; the others stay as they are written."""
    return CODE.sub(lambda code: find_emoji(code[1] or code[2]) or code[0], text) if ":" in text else text
