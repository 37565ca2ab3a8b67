"""DIRECTORY=members: users see the profiles of those with whom they share a conversation, and of no one else."""

from collections.abc import AsyncIterator

import pytest

from tests.cast import Cast, Person
from tests.nodes import Node, running_node
from tests.verbs import begins, removes_member, tries
from tests.waiting import eventually


@pytest.fixture
async def node(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A node with DIRECTORY=members."""
    async with running_node(database_url, redis_url, directory="members") as one:
        yield one


async def sees(person: Person, query: str) -> list[str]:
    """Return the names of the users in the answer."""
    status, said = await person.call("GET", f"/api/users?{query}")
    assert status == 200
    return [user["name"] for user in said["users"]]


async def test_strangers_are_not_in_the_directory(cast: Cast) -> None:
    """Strangers are not found by id, by name and by search; users see themselves, and admins see everyone."""
    ana, ben, mallory = await cast.enters("ana", "ben", "mallory")
    (ada,) = await cast.enters("ada", role="admin")
    await begins(ana, "channel", "kitchen", ben)
    everyone = f"ids={ana.id},{ben.id},{mallory.id}"
    assert await sees(mallory, everyone) == ["mallory"]
    assert await sees(ana, everyone) == ["ana", "ben"]
    assert await sees(ada, everyone) == ["ana", "ben", "mallory"]
    assert [await sees(person, "q=ben") for person in (mallory, ana, ada)] == [[], ["ben"], ["ben"]]
    assert await tries(mallory, "GET", f"/api/users/{ben.id}") == (404, "not_found")
    assert await tries(ana, "GET", f"/api/users/{ben.id}") == (200, "")


async def test_authors_who_have_left_keep_their_names(cast: Cast) -> None:
    """Their messages are still read, but they are no longer found, and see no one themselves."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, "channel", "kitchen", ben)
    await ben.says(room, "goodbye")
    assert (await removes_member(ben, room, "me"))[0] == 204
    assert await sees(ana, f"ids={ben.id}") == ["ben"]
    assert await sees(ana, "q=ben") == []
    assert await sees(ben, f"ids={ana.id}") == []


async def test_changes_reach_users_with_a_shared_conversation(cast: Cast) -> None:
    """Ben receives Ana's new name, in the directory and on his stream; Mallory does not."""
    ana, ben, mallory = await cast.enters("ana", "ben", "mallory")
    room = await begins(ana, "channel", "kitchen", ben)
    readers = [await person.listens() for person in (ana, ben, mallory)]
    assert (await ana.call("PATCH", "/api/users/me", {"display_name": "Anna"}))[0] == 200
    await ana.says(room, "I am Anna now")
    notes = await begins(mallory, "direct", "", mallory)
    await mallory.says(notes, "hm")
    for reader in readers:
        await eventually(reader.bodies)
    assert [sorted({event.json()["display_name"] for event in reader.named("user")}) for reader in readers] == [
        ["Anna"],
        ["Anna"],
        [],
    ]


async def test_disabled_users_are_marked(cast: Cast) -> None:
    """Disabled users are marked when read by id; searches leave them out."""
    ana, ben = await cast.enters("ana", "ben")
    (ada,) = await cast.enters("ada", role="admin")
    await begins(ana, "channel", "kitchen", ben, ada)
    assert await tries(ada, "PUT", f"/api/users/{ben.id}/disabled", {"disabled": True}) == (204, "")
    _, said = await ana.call("GET", f"/api/users?ids={ana.id},{ben.id}")
    assert [user.get("disabled", False) for user in said["users"]] == [False, True]
    assert (await ana.call("GET", f"/api/users/{ben.id}"))[1]["disabled"] is True
    assert "disabled" not in (await ana.call("GET", f"/api/users/{ada.id}"))[1]
    assert await sees(ana, "q=ben") == []
