"""Mentions in a text: `@name`, `@channel`, `@here`, and everything that only looks like them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.messages.mention_parser import NO_MENTIONS, parse_mentions, strip_code


def called(text: str) -> list[str]:
    """Return the first reading of each mention, of everyone too."""
    naming = parse_mentions(text)
    return [names[0] for names in naming.calls] + ["channel"] * naming.channel + ["here"] * naming.here


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@ben look", ["ben"]),
        ("hello @Ben, @CHLOE!", ["ben", "chloe"]),
        ('(@ben) [@chloe] *@dan* "@eve"', ["ben", "chloe", "dan", "eve"]),
        ("@ben/@chloe: yours", ["ben", "chloe"]),
        ("@ben @ben @Ben", ["ben"]),
        ("thanks.@ben", ["ben"]),
        ("你好@ben同学", ["ben"]),
        ("สวัสดี@ben", ["ben"]),
        ("@channel @here", ["channel", "here"]),
        ("@Channel: lunch", ["channel"]),
        ("@here.", ["here"]),
        ("@channels", ["channels"]),
        ("mail ben@example.org", []),
        ("josé@ben.org", []),
        ("@ben@example.social", []),
        ("b@@ben", []),
        ("a+@ben tag-@ben 5%@ben", []),
        ("@bené", []),
        ("@ @! @a", []),
        ("https://example.org/@ben and www.example.org/@ben", []),
        ("`@ben`", []),
        ("``a ` @ben`` @chloe", ["chloe"]),
        ("`open @ben", ["ben"]),
        ("\\`@ben\\`", ["ben"]),
        ("`one\n\n@ben` two", ["ben"]),
        ("```\n@ben\n```\n@chloe", ["chloe"]),
        ("```py\n@ben\n``\n@chloe\n````\n@dan", ["dan"]),
        ("~~~\n@ben", []),
        ("``` not a fence ``` @ben", ["ben"]),
        ("a `b` @ben `c` @chloe", ["ben", "chloe"]),
    ],
)
def test_mentions_are_parsed(text: str, names: list[str]) -> None:
    """Names in any case count once each, outside of code, mail addresses and URLs."""
    assert called(text) == names


def test_a_full_stop_may_belong_to_the_sentence_or_to_the_name() -> None:
    """The longest reading comes first; the look-up takes the first one that is a user."""
    assert parse_mentions("ask @ben-.").calls == (("ben-.", "ben-", "ben"),)
    assert parse_mentions("ask @b.k.").calls == (("b.k.", "b.k"),)


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
    ],
)
def test_no_text_takes_long(text: str) -> None:
    """Ten times the longest message, made to be slow, is parsed long before the test's time limit."""
    parse_mentions(text * 10)
