"""The directory of public channels."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.cast import Person
from tests.verbs import CONVERSATIONS, begins, seats, tries


async def channels(person: Person, query: str = "") -> list[dict[str, Any]]:
    """What the directory shows."""
    status, said = await person.call("GET", f"/api/chat/channels?{query}")
    assert status == 200, said
    return list(said["channels"])


async def test_public_channels_are_there_with_and_without_me(ana: Person, ben: Person) -> None:
    """By name; private ones, groups and archived ones are not."""
    garden = await begins(ana, "channel", "Garden", topic="green")
    await begins(ana, "channel", "hidden", private=True)
    await begins(ana, "group", "us", ben)
    boats = await begins(ben, "channel", "boats")
    gone = await begins(ana, "channel", "gone")
    await tries(ana, "DELETE", f"{CONVERSATIONS}/{gone}")
    assert await channels(ben) == [
        {"id": boats, "name": "boats", "topic": "", "role": "owner", "members": 1},
        {"id": garden, "name": "Garden", "topic": "green", "role": None, "members": 1},
    ]
    await seats(ben, garden, "me")
    assert (await channels(ben))[1] == {
        "id": garden,
        "name": "Garden",
        "topic": "green",
        "role": "member",
        "members": 2,
    }


async def test_a_word_finds_names_and_topics_whatever_the_case(ana: Person) -> None:
    """Signs that mean something to a database mean themselves."""
    for name, topic in (("Straße", ""), ("100%", ""), ("x_y", "ÜBER uns"), ("日本語", "")):
        await begins(ana, "channel", name, topic=topic)
    for word, names in (("STRASS", []), ("traß", ["Straße"]), ("%", ["100%"]), ("_", ["x_y"]), ("über", ["x_y"])):
        assert [one["name"] for one in await channels(ana, f"q={quote(word)}")] == names
    assert [one["name"] for one in await channels(ana, f"q={quote('本')}")] == ["日本語"]


async def test_the_directory_comes_in_pages(ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each channel once, with a way on for as long as there are more; one that comes meanwhile disturbs nothing."""
    monkeypatch.setattr("chat.conversations.directory.PAGE", 3)
    for number in range(8):
        await begins(ana, "channel", f"Channel {number}")
    found, after = [], ""
    while after is not None:
        _, page = await ana.call("GET", f"/api/chat/channels?after={quote(after)}")
        found += [one["name"] for one in page["channels"]]
        after = page.get("next")
        if len(found) == 3:
            await begins(ana, "channel", "Channel 0 and a half")
    assert found == [f"Channel {number}" for number in range(8)]


@pytest.mark.parametrize("query", ["q=%00", "q=" + "x" * 81, "after=a%0Ab", "q=%e2%80%ae", "q=%ff"])
async def test_a_question_that_is_no_line_is_refused(ana: Person, query: str) -> None:
    """422, or nothing is found; never a failure."""
    status, said = await ana.call("GET", f"/api/chat/channels?{query}")
    assert (status, said.get("code")) == (422, "invalid") or said == {"channels": []}
