"""Texts that are emoji, and texts that are not."""

from contextlib import suppress

import pytest
from emoji import EMOJI_DATA
from hypothesis import given
from hypothesis import strategies as st

from chat.messages.reactions import parse_emoji
from chat.shared.errors import Invalid

REAL = ["👍", "👍🏿", "👩‍👩‍👧‍👦", "👩🏻‍❤️‍💋‍👨🏾", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🇩🇪", "1️⃣", "🏳️‍🌈", "❤️", "🧑🏽‍🚀"]
NONE = [
    "",
    "a",
    "1",
    "🏽",
    "👍👍",
    "👍 ",
    "🇩",
    "😀‍😀",
    ":+1:",
    "\u200d",
    "\ufe0f",
    "👍" + "\ufe0f" * 50,
    "👍\n",
    "\0",
    "x" * 5000,
]


@pytest.mark.parametrize("emoji", REAL)
def test_an_emoji_stays_unchanged(emoji: str) -> None:
    """Skin tones, families, flags and keys are accepted unchanged."""
    assert parse_emoji(emoji) == emoji


@pytest.mark.parametrize("text", NONE)
def test_anything_else_is_refused(text: str) -> None:
    """Two emoji, half a flag, and a lone skin tone are refused."""
    with pytest.raises(Invalid):
        parse_emoji(text)


def test_one_emoji_has_one_spelling() -> None:
    """Selectors that keyboards omit make no difference, so no one can react twice with the same emoji."""
    spelt = {parse_emoji(emoji) for emoji in EMOJI_DATA if EMOJI_DATA[emoji]["status"] != 1}
    assert len(spelt) == len({emoji.replace("\ufe0f", "") for emoji in spelt})
    assert parse_emoji("❤") == parse_emoji("❤️") == "❤️"


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    """Any text is an emoji or refused."""
    with suppress(Invalid):
        assert len(parse_emoji(text)) <= 10
