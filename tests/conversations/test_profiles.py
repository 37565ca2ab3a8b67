"""Profiles: texts of users about themselves, sent to everyone at once."""

import pytest

from tests.accounts.visitor import Visitor, visiting
from tests.cast import Person
from tests.nodes import Node
from tests.verbs import profiles


async def test_about_and_time_zone_reach_all_users(ana: Person, mallory: Person) -> None:
    """They are in one entry with the name; emptied ones are empty."""
    reader = await mallory.listens()
    mine = await profiles(ana, about=" Builds things.\nOn Fridays: not. ", time_zone="Europe/Berlin")
    assert (mine["about"], mine["time_zone"]) == ("Builds things.\nOn Fridays: not.", "Europe/Berlin")
    his = (await mallory.call("GET", f"/api/users/{ana.id}"))[1]
    assert his | {"receipts": "on", "language": ""} == mine
    assert (await reader.hears_event("user")).json() == his
    assert (await profiles(ana, about="", time_zone=""))["about"] == ""
    assert (await profiles(ana, about=None, display_name="Ana B."))["time_zone"] == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "EST5EDT,M3"),
        ("time_zone", "x" * 65),
        ("about", "x" * 501),
        ("about", "bell \x07"),
        ("about", "turned \u202e"),
        ("about", "nul \0"),
        ("receipts", "maybe"),
        ("receipts", True),
        ("language", "tlh"),
        ("language", "DE"),
    ],
)
async def test_wrong_values_are_named(field: str, value: object, ana: Person) -> None:
    """Unknown time zones and control characters are refused."""
    status, problem = await ana.call("PATCH", "/api/users/me", {field: value})
    assert (status, problem["errors"][0]["field"]) == (422, field)


async def test_the_language_is_for_the_own_devices(ana: Person, ben: Person) -> None:
    """The choice stays until the next one. The user's other devices receive it; other users do not see it."""
    phone, reader = await ana.listens(), await ben.listens()
    mine = await profiles(ana, language="de")
    assert (mine["language"], (await profiles(ana, about="Cooks."))["language"]) == ("de", "de")
    assert (await phone.hears_event("settings")).json()["language"] == "de"
    assert "language" not in (await reader.hears_event("user")).json()
    assert not reader.named("settings")
    assert (await profiles(ana, language=""))["language"] == ""


@pytest.mark.parametrize("name", ["channel", "Here"])
async def test_reserved_names_are_refused(name: str, node: Node) -> None:
    """`@channel` and `@here` cannot be usernames."""
    async with visiting(node.url) as visitor:
        assert isinstance(visitor, Visitor)
        form = {"name": name, "password": "correct horse battery"}
        status, problem = await visitor.call("POST", "/api/accounts", form)
        assert (status, problem["errors"][0]["field"]) == (422, "name")
