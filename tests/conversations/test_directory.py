"""The directory of public channels."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.cast import Person
from tests.verbs import CONVERSATIONS, begins, removes_member, sets_member, tries


async def channels(person: Person, query: str = "") -> list[dict[str, Any]]:
    """Return the channels of the directory."""
    status, said = await person.call("GET", f"/api/chat/channels?{query}")
    assert status == 200, said
    return list(said["channels"])


async def test_the_archive_lists_the_users_conversations(ana: Person, ben: Person, mallory: Person) -> None:
    """The archive has the user's own channels and groups, by pages, until they are restored or left."""
    rooms = [await begins(ana, "channel", f"old {n}", ben, private=True) for n in range(101)]
    group = await begins(ana, "group", "", ben)
    for room in (*rooms, group):
        assert await tries(ana, "DELETE", f"{CONVERSATIONS}/{room}") == (204, "")
    _, page = await ben.call("GET", "/api/chat/archived")
    assert page["conversations"][0] == {
        "id": group, "kind": "group", "name": "", "topic": "", "private": True, "role": "member",
        "members": [ana.id, ben.id],
    }  # fmt: skip
    assert page["conversations"][1] == {
        "id": rooms[-1], "kind": "channel", "name": "old 100", "topic": "", "private": True, "role": "member"
    }  # fmt: skip
    assert len(page["conversations"]) == 100
    _, rest = await ben.call("GET", f"/api/chat/archived?before={page['next']}")
    assert [one["id"] for one in rest["conversations"]] == [rooms[1], rooms[0]]
    assert await tries(ana, "PATCH", f"{CONVERSATIONS}/{rooms[0]}", {"archived": False}) == (200, "")
    assert (await removes_member(ben, rooms[1], "me"))[0] == 204
    assert (await ben.call("GET", f"/api/chat/archived?before={page['next']}"))[1] == {"conversations": []}
    assert (await mallory.call("GET", "/api/chat/archived"))[1] == {"conversations": []}
    assert await tries(ben, "GET", "/api/chat/archived?before=x") == (422, "invalid")


async def test_all_public_channels_are_listed(ana: Person, ben: Person) -> None:
    """Public channels are listed by name; private ones, groups and archived ones are not."""
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
    await sets_member(ben, garden, "me")
    assert (await channels(ben))[1] == {
        "id": garden,
        "name": "Garden",
        "topic": "green",
        "role": "member",
        "members": 2,
    }


async def test_a_word_finds_names_and_topics_in_any_case(ana: Person) -> None:
    """A search matches names and topics in any case; wildcards of the database have no meaning."""
    for name, topic in (("Straße", ""), ("100%", ""), ("x_y", "ÜBER uns"), ("日本語", "")):
        await begins(ana, "channel", name, topic=topic)
    words = (("STRASS", "Straße"), ("traß", "Straße"), ("%", "100%"), ("_", "x_y"), ("über", "x_y"))
    for word, found in words:
        assert [one["name"] for one in await channels(ana, f"q={quote(word)}")] == [found]
    assert [one["name"] for one in await channels(ana, f"q={quote('本')}")] == ["日本語"]


async def test_the_directory_has_pages(ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paging returns each channel once, while others are created."""
    monkeypatch.setattr("chat.conversations.views.PAGE", 3)
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
async def test_an_invalid_directory_search_is_refused(ana: Person, query: str) -> None:
    """An invalid search is 422 or finds nothing, and never fails."""
    status, said = await ana.call("GET", f"/api/chat/channels?{query}")
    assert (status, said.get("code")) == (422, "invalid") or said == {"channels": []}
