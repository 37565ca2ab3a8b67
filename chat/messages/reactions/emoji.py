"""Emoji: which text is one, and its one spelling. Pure."""

from emoji import EMOJI_DATA, STATUS

from chat.shared.problems import Invalid

SELECTOR = "\ufe0f"  # asks for the picture; people and keyboards leave it out at will


def strip(text: str) -> str:
    """What is left of the spelling when it is not looked at closely."""
    return text.replace(SELECTOR, "")


# By Unicode's own list: a skin tone alone is none, a family joined by ZWJ is one; the longest have ten code points.
SPELLINGS = {strip(text): text for text, facts in EMOJI_DATA.items() if facts["status"] == STATUS["fully_qualified"]}
MOST = max(map(len, SPELLINGS.values())) * 2


def parse_emoji(text: str) -> str:
    """The emoji as Unicode writes it; raises `Invalid`."""
    if len(text) > MOST or (emoji := SPELLINGS.get(strip(text))) is None:
        raise Invalid(errors=[{"field": "emoji", "detail": "one emoji, nothing else"}])
    return emoji
