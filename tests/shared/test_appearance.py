"""Which names look alike and which texts are seen, with the cases that every part shares."""

import json
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.shared.appearance import DROPPED, check_line, is_visible, look_key, skeleton

CASES = json.loads((Path(__file__).parents[1] / "cases" / "appearance.json").read_text("utf-8"))
ODD = "aİıΣςßﬁ\u0301\u0345\u200b\u00ad\u3164\u2800 \u1100\u1161ｶﾞ"
PLANES = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]


@pytest.mark.parametrize(("one", "other"), CASES["alike"])
def test_names_that_look_alike_have_one_key(one: str, other: str) -> None:
    """Case, width, composition, spacing and invisible characters make no difference."""
    assert look_key(one) == look_key(other)


@pytest.mark.parametrize(("one", "other"), CASES["different"])
def test_names_that_look_different_have_two_keys(one: str, other: str) -> None:
    """Other letters, accents and signs make a difference; so do letters of two scripts."""
    assert look_key(one) != look_key(other)


@pytest.mark.parametrize("text", CASES["seen"])
def test_text_with_something_to_see_is_visible(text: str) -> None:
    """Letters, emoji and signs are seen, also beside invisible characters."""
    assert is_visible(text)


@pytest.mark.parametrize("text", CASES["unseen"])
def test_text_of_nothing_is_not_visible(text: str) -> None:
    """White space, format characters, fillers and marks without a letter are not seen; a line of them is empty."""
    assert not is_visible(text)
    try:
        assert check_line(text) == ""
    except ValueError:
        return


@given(
    st.text(st.one_of(st.sampled_from("aİıΣςßﬁ\u0301\u0345\u200b\u00ad\u3164\u2800 \u1100\u1161ｶﾞ"), st.characters()))
)
def test_a_key_is_its_own_key(text: str) -> None:
    """A key has one space at a time, no line break, and the key of a key is the same."""
    key = look_key(text)
    assert look_key(key) == key
    assert key.split() == [word for word in key.split(" ") if word]
    assert look_key(text.swapcase() + "\u200d") == look_key(look_key(text.swapcase()))


def test_every_character_has_a_stable_key() -> None:
    """Each character of Unicode by itself, as Python knows it, gives a key that is its own key."""
    assert [one for one in PLANES if (key := look_key(one)) != one and look_key(key) != key] == []


def test_the_list_of_ignorable_characters_agrees_with_python() -> None:
    """All format characters that are not seen are dropped from keys, but for those of Egyptian hieroglyphs."""
    left = {
        one for one in PLANES if unicodedata.category(one) == "Cf" and not DROPPED.match(one) and not is_visible(one)
    }
    assert {ord(one) for one in left} <= set(range(0x13430, 0x13440))


@pytest.mark.parametrize(
    ("one", "other"), [("Alan", "AIan"), ("ana", "аnа"), ("сор", "cop"), ("Ana", "𝖠na"), ("x-y", "x–y")]
)
def test_confusable_names_have_one_skeleton(one: str, other: str) -> None:
    """Letters of other scripts count as the Latin ones that they resemble."""
    assert skeleton(one) == skeleton(other)


def test_distinct_names_keep_distinct_skeletons() -> None:
    """Accents and other words make a difference."""
    assert len({skeleton(name) for name in ("ana", "aná", "anna", "ann", "İ", "i", "ben")}) == 7
