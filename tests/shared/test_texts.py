"""The texts that the server writes to people: complete in every language of the app, with its plurals and dates."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from chat.model.errors import Archived, NotMember, ReadOnly
from chat.shared.errors import NotFound
from chat.shared.texts import ENGLISH, TEXTS, Language, Texts, plural_of, texts_in

CATALOGS = Path(__file__).parents[2] / "web" / "app" / "messages" / "language.ts"
PLURALS = {"ja": {"other"}, "ar": {"one", "two", "few", "many", "other"}}


def each(texts: Texts) -> Iterator[tuple[str, str]]:
    """Return the name and the text of each field, and of each form of it."""
    for field in fields(texts):
        found = getattr(texts, field.name)
        if isinstance(found, Mapping):
            yield from ((f"{field.name} {form}", text) for form, text in found.items())
        else:
            yield field.name, found


def blanks(text: str) -> set[str]:
    """Return what is filled in."""
    return set(re.findall(r"\{\w+\}|%\d\$s", text))


def test_the_languages_are_those_of_the_app() -> None:
    """A language of the app without texts of the server is noticed, and so is the reverse."""
    listed = re.search(r"LANGUAGES = \{(.*?)\}", CATALOGS.read_text())
    assert listed
    assert set(re.findall(r"(\w+): '", listed[1])) == set(get_args(Language)) == set(TEXTS)


@pytest.mark.parametrize("texts", TEXTS.values(), ids=list(TEXTS))
def test_each_language_has_every_text(texts: Texts) -> None:
    """No text is empty or English; each fills in what the English one does, and has the forms of its grammar."""
    english = dict(each(ENGLISH))
    for name, text in each(texts):
        assert text.strip() or (name == "months" and texts.language == "ja"), name
        assert texts is ENGLISH or english.get(name) != text or name == "comma", name
        base = english.get(name) or english[f"{name.partition(' ')[0]} other"]
        assert blanks(text) == blanks(base), name
        assert "#" in text or "#" not in base or name.endswith((" one", " two")), name
    assert texts.refusals.keys() == ENGLISH.refusals.keys()
    needed = PLURALS.get(texts.language, {"one", "other"})
    for forms in (texts.unread, texts.unread_from):
        assert forms.keys() == needed


def test_the_reasons_are_those_of_the_server() -> None:
    """In English, a refusal is worded as everywhere else."""
    for error in (Archived(), NotFound(), NotMember(), ReadOnly()):
        assert ENGLISH.refusals[error.code] == str(error)
    assert TEXTS["de"].refusal(ReadOnly()).startswith("Dort können nur Besitzer")


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("en", {1: "one", 0: "other", 2: "other", 101: "other"}),
        ("ja", {1: "other", 2: "other"}),
        (
            "ar",
            {1: "one", 2: "two", 3: "few", 10: "few", 11: "many", 99: "many", 100: "other", 103: "few"},
        ),
    ],
)
def test_plurals(language: Language, forms: dict[int, str]) -> None:
    """The rules of CLDR for whole numbers."""
    assert {number: plural_of(language, number) for number in forms} == forms


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", "March 8, 2026"),
        ("de", "8. März 2026"),
        ("es", "8 de marzo de 2026"),
        ("ja", "2026年3月8日"),
        ("ar", "8 مارس 2026"),
    ],
)
def test_dates(language: Language, shown: str) -> None:
    """The order of each language, with the month in words where it has any."""
    assert TEXTS[language].show_day(date(2026, 3, 8)) == shown
    assert not (months := TEXTS[language].months) or len(months.split()) == 12


def test_names_do_not_turn_a_sentence() -> None:
    """In Arabic, a Latin name is set apart, so that the words around it keep their order."""
    assert TEXTS["ar"].join(["Ana", "Ben"]) == "\u2068Ana\u2069، \u2068Ben\u2069"
    assert TEXTS["de"].join(["Ana", "Ben"]) == "Ana, Ben"


def test_the_default_is_for_those_who_have_not_chosen() -> None:
    """An unknown language, perhaps of a newer version, counts as none."""
    found = [texts_in(chosen, "de").language for chosen in ("", "xx", "ja")]
    assert found == ["de", "de", "ja"]
