"""Mentions in a text: `@name`, `@channel`, `@here`, and everything that only looks like them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.messages.mention_parser import NO_MENTIONS, parse_mentions, strip_code

CASES = json.loads((Path(__file__).parents[1] / "cases" / "mentions.json").read_text("utf-8"))
USERS = frozenset(CASES["users"])


def called(text: str) -> list[str]:
    """Return the users that the text calls, as the look-up of names does it, and the names for everyone."""
    parsed = parse_mentions(text)
    found = [next((name for name in names if name in USERS), None) for names in parsed.calls]
    return [name for name in found if name] + ["channel"] * parsed.channel + ["here"] * parsed.here


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["text"])
def test_mentions_are_parsed(case: dict[str, Any]) -> None:
    """Names in any case count once each, outside of code, quotes, mail addresses and URLs; the app agrees."""
    assert called(case["text"]) == case["calls"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("``a ` @ben`` @ana", ["ana"]),
        ("`one\n\n@ben` two", ["ben"]),
        ("```\n@ben\n```\n@ana", ["ana"]),
        ("```py\n@ben\n``\n@ana\n````\n@b.k", ["b.k"]),
        ("``` not a fence ``` @ben", ["ben"]),
        ("a `b` @ben `c` @ana", ["ben", "ana"]),
        ("`a\n> b` @ben\n@ana", ["ana"]),
    ],
)
def test_code_is_found_as_in_markdown(text: str, names: list[str]) -> None:
    """Fences come first, then quotes, then spans within a paragraph."""
    assert called(text) == names


def test_a_full_stop_belongs_to_the_sentence_first() -> None:
    """The name without its end comes first, then exactly what was typed; the look-up takes the first that is a user."""
    assert parse_mentions("ask @ben-.").calls == (("ben", "ben-."),)
    assert parse_mentions("ask @b.k.").calls == (("b.k", "b.k."),)
    assert parse_mentions("ask @..").calls == (("..",),)


def test_the_number_of_mentions_is_limited() -> None:
    """Only the first names count, up to a limit; everyone is not one of them."""
    naming = parse_mentions(" ".join(f"@p{n}" for n in range(1000)) + " @channel")
    assert [names[0] for names in naming.calls] == [f"p{n}" for n in range(50)]
    assert naming.channel


def test_a_name_that_is_too_long_mentions_no_one() -> None:
    """A name of 33 letters mentions no one; 32 and a full stop may."""
    assert parse_mentions("@" + "x" * 33) == NO_MENTIONS
    assert parse_mentions("@" + "x" * 32 + ".").calls == (("x" * 32,),)


@given(st.text(st.sampled_from("`~@ab \n\\.-"), max_size=200))
def test_code_holds_no_call(text: str) -> None:
    """Text in a code block or span is ignored, and nothing raises."""
    fenced = text.replace("~", "")
    assert parse_mentions(f"~~~~~~~~~\n{fenced}\n~~~~~~~~~") == NO_MENTIONS
    assert len(strip_code(text)) <= len(text) + text.count("`") + 2
    parse_mentions(text)


@pytest.mark.parametrize(
    "text",
    [
        " ".join("`" * n for n in range(1, 178)),
        "`a" * 8000,
        "```\n" * 4000,
        "@" * 16000,
        "@a" * 8000,
        "@" + "." * 15999,
        ("@" + "a." * 16) * 400,
        "\\" * 15999 + "`",
        "\n \n" * 5000,
        "www." * 4000,
        "_" * 15998 + "@a",
        "\\@a" * 5000,
        ">\n" * 8000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    """Ten times the longest message, made to be slow, is parsed long before the test's time limit."""
    parse_mentions(text * 10)
