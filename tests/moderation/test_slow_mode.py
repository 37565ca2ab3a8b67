"""Slow mode and read-only channels, which do not limit owners and admins."""

import psycopg

from tests.cast import Person
from tests.verbs import CONVERSATIONS, begins, opens, removes_member, sets_member, tries

DRAFT = {"body": "x", "client_id": "1"}


async def sets(person: Person, conversation: int, **fields: object) -> tuple[int, str]:
    """Change the conversation."""
    return await tries(person, "PATCH", f"{CONVERSATIONS}/{conversation}", fields)


async def writes(person: Person, conversation: int, client_id: str) -> tuple[int, str]:
    """Try to post."""
    return await tries(
        person, "POST", f"{CONVERSATIONS}/{conversation}/messages", {"body": "x", "client_id": client_id}
    )


def lets_pass(database_url: str, seconds: int) -> None:
    """Let the last posts of all users be so much earlier."""
    with psycopg.connect(database_url) as database:
        database.execute("update memberships set posted_at = posted_at - make_interval(secs => %s)", [seconds])


async def test_slow_mode_limits_each_user(ana: Person, ben: Person, chloe: Person, database_url: str) -> None:
    """Each user waits alone, and is told how long; a retry of a stored post is not refused."""
    room = await begins(ana, "channel", "slow", ben, chloe)
    reader = await ben.listens()
    assert await sets(ana, room, slow=60) == (200, "")
    assert (await reader.hears_event("conversation")).json()["slow"] == 60
    assert (await opens(ben, room))["slow"] == 60
    assert await writes(ben, room, "1") == (201, "")
    status, problem, headers = await ben.asks("POST", f"{CONVERSATIONS}/{room}/messages", DRAFT | {"client_id": "2"})
    assert (status, problem["code"]) == (429, "too_fast")
    assert 55 <= int(headers["Retry-After"]) <= 60
    assert await writes(ben, room, "1") == (200, "")
    assert await writes(chloe, room, "1") == (201, "")
    assert [await writes(ana, room, str(n)) for n in range(2)] == [(201, "")] * 2
    lets_pass(database_url, 61)
    assert await writes(ben, room, "2") == (201, "")


async def test_two_at_once_are_two(ana: Person, ben: Person) -> None:
    """Of two posts in one commit the second is refused, and posts of others are not."""
    room, other = await begins(ana, "channel", "slow", ben), await begins(ana, "channel", "quick", ben)
    assert await sets(ana, room, slow=60) == (200, "")
    places = (room, other, room, other)
    messages = [{"conversation": place, "body": "x", "client_id": str(n)} for n, place in enumerate(places)]
    _, said = await ben.call("POST", "/api/chat/messages", {"messages": messages})
    assert [result["status"] for result in said["results"]] == [201, 201, 429, 201]


async def test_rejoining_does_not_reset_slow_mode(ana: Person, ben: Person) -> None:
    """Leaving and joining again does not shorten the wait."""
    room = await begins(ana, "channel", "slow", ben)
    assert await sets(ana, room, slow=60) == (200, "")
    assert await writes(ben, room, "1") == (201, "")
    assert await removes_member(ben, room, "me") == (204, "")
    assert (await sets_member(ben, room, "me"))[0] == 201
    assert await writes(ben, room, "2") == (429, "too_fast")


async def test_only_owners_and_admins_post_in_a_read_only_channel(ana: Person, ben: Person) -> None:
    """Only owners and admins post, until the channel is opened again; all members receive both changes."""
    room = await begins(ana, "channel", "news", ben)
    reader = await ben.listens()
    assert await sets(ana, room, read_only=True) == (200, "")
    assert await writes(ben, room, "1") == (403, "read_only")
    assert await writes(ana, room, "1") == (201, "")
    assert (await sets_member(ana, room, ben, "admin"))[0] == 200
    assert await writes(ben, room, "1") == (201, "")
    assert await sets(ben, room, read_only=False) == (200, "")
    await reader.hears("x", "x")
    assert [event.json().get("read_only") for event in reader.named("conversation")] == [True, None]


async def test_members_cannot_change_posting_limits(ana: Person, ben: Person) -> None:
    """Members can change neither, and limits beyond the maximum and in direct conversations are refused."""
    room, direct = await begins(ana, "channel", "slow", ben), await begins(ana, "direct", "", ben)
    assert await sets(ben, room, slow=1) == (403, "forbidden")
    assert await sets(ben, room, read_only=True) == (403, "forbidden")
    assert await sets(ana, room, slow=6 * 3600 + 1) == (422, "invalid")
    assert await sets(ana, room, slow=-1) == (422, "invalid")
    assert await sets(ana, direct, slow=1) == (403, "direct")


async def test_only_owners_publish_and_hide_a_channel(ana: Person, ben: Person, mallory: Person) -> None:
    """Admins cannot publish or hide a channel, owners can; a stranger sees nothing of a hidden one."""
    room, group = await begins(ana, "channel", "door", ben), await begins(ana, "group", "", ben)
    here = f"{CONVERSATIONS}/{room}"
    await sets_member(ana, room, ben, "admin")
    assert await sets(ben, room, private=True) == (403, "forbidden")
    assert await sets(ana, room, private=True) == (200, "")
    assert await tries(mallory, "GET", here) == (404, "not_found")
    assert await sets(ana, room, private=False) == (200, "")
    assert await tries(mallory, "GET", here) == (200, "")
    assert await sets(ana, group, private=False) == (403, "forbidden")
    assert await sets(ana, group, private=True) == (200, "")


async def test_an_archived_channel_is_restored(ana: Person, ben: Person) -> None:
    """A channel is restored, under another name if its own was taken."""
    room = await begins(ana, "channel", "phoenix", ben)
    assert await tries(ana, "DELETE", f"{CONVERSATIONS}/{room}") == (204, "")
    assert await writes(ben, room, "1") == (403, "archived")
    assert await sets(ana, room, topic="ashes") == (403, "archived")
    assert await sets(ben, room, archived=False) == (403, "forbidden")
    await begins(ben, "channel", "Phoenix")
    assert await sets(ana, room, archived=False) == (409, "name_taken")
    reader = await ben.listens()
    assert await sets(ana, room, archived=False, name="phoenix II") == (200, "")
    assert "archived" not in (await reader.hears_event("conversation")).json()
    assert await writes(ben, room, "1") == (201, "")
