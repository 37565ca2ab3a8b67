"""Slow mode and read-only conversations: who runs them writes as he likes."""

import psycopg

from tests.cast import Person
from tests.verbs import CONVERSATIONS, begins, opens, seats, tries, unseats

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
    """As if everybody had written so much earlier."""
    with psycopg.connect(database_url) as database:
        database.execute("update memberships set posted_at = posted_at - make_interval(secs => %s)", [seconds])


async def test_slow_mode_asks_for_patience(ana: Person, ben: Person, chloe: Person, database_url: str) -> None:
    """Of each person for himself; how long is told; a retry of what was taken is not refused."""
    room = await begins(ana, "channel", "slow", ben, chloe)
    ear = await ben.listens()
    assert await sets(ana, room, slow=60) == (200, "")
    assert (await ear.hears_event("conversation")).json()["slow"] == 60
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
    """In one commit the second is refused, and the neighbours are not."""
    room, other = await begins(ana, "channel", "slow", ben), await begins(ana, "channel", "quick", ben)
    assert await sets(ana, room, slow=60) == (200, "")
    places = (room, other, room, other)
    messages = [{"conversation": place, "body": "x", "client_id": str(n)} for n, place in enumerate(places)]
    _, said = await ben.call("POST", "/api/chat/messages", {"messages": messages})
    assert [result["status"] for result in said["results"]] == [201, 201, 429, 201]


async def test_going_and_coming_back_is_no_way_around(ana: Person, ben: Person) -> None:
    """The clock is the person's, not the stay's."""
    room = await begins(ana, "channel", "slow", ben)
    assert await sets(ana, room, slow=60) == (200, "")
    assert await writes(ben, room, "1") == (201, "")
    assert await unseats(ben, room, "me") == (204, "")
    assert (await seats(ben, room, "me"))[0] == 201
    assert await writes(ben, room, "2") == (429, "too_fast")


async def test_only_those_who_run_it_write_to_a_read_only_channel(ana: Person, ben: Person) -> None:
    """Until it is opened again; everybody hears of both."""
    room = await begins(ana, "channel", "news", ben)
    ear = await ben.listens()
    assert await sets(ana, room, read_only=True) == (200, "")
    assert await writes(ben, room, "1") == (403, "read_only")
    assert await writes(ana, room, "1") == (201, "")
    assert (await seats(ana, room, ben, "admin"))[0] == 200
    assert await writes(ben, room, "1") == (201, "")
    assert await sets(ben, room, read_only=False) == (200, "")
    await ear.hears("x", "x")
    assert [event.json().get("read_only") for event in ear.named("conversation")] == [True, None]


async def test_members_change_neither(ana: Person, ben: Person) -> None:
    """Nor beyond the limit, nor where two are alone."""
    room, direct = await begins(ana, "channel", "slow", ben), await begins(ana, "direct", "", ben)
    assert await sets(ben, room, slow=1) == (403, "forbidden")
    assert await sets(ben, room, read_only=True) == (403, "forbidden")
    assert await sets(ana, room, slow=6 * 3600 + 1) == (422, "invalid")
    assert await sets(ana, room, slow=-1) == (422, "invalid")
    assert await sets(ana, direct, slow=1) == (403, "direct")


async def test_the_door_is_the_owners(ana: Person, ben: Person, mallory: Person) -> None:
    """Admins do not open or close it; behind it a stranger sees nothing, before it everything."""
    room, group = await begins(ana, "channel", "door", ben), await begins(ana, "group", "", ben)
    here = f"{CONVERSATIONS}/{room}"
    await seats(ana, room, ben, "admin")
    assert await sets(ben, room, private=True) == (403, "forbidden")
    assert await sets(ana, room, private=True) == (200, "")
    assert await tries(mallory, "GET", here) == (404, "not_found")
    assert await sets(ana, room, private=False) == (200, "")
    assert await tries(mallory, "GET", here) == (200, "")
    assert await sets(ana, group, private=False) == (403, "forbidden")
    assert await sets(ana, group, private=True) == (200, "")


async def test_an_archived_channel_comes_back(ana: Person, ben: Person) -> None:
    """Unless someone has taken its name; then it returns by another one."""
    room = await begins(ana, "channel", "phoenix", ben)
    assert await tries(ana, "DELETE", f"{CONVERSATIONS}/{room}") == (204, "")
    assert await writes(ben, room, "1") == (403, "archived")
    assert await sets(ana, room, topic="ashes") == (403, "archived")
    assert await sets(ben, room, archived=False) == (403, "forbidden")
    await begins(ben, "channel", "Phoenix")
    assert await sets(ana, room, archived=False) == (409, "name_taken")
    ear = await ben.listens()
    assert await sets(ana, room, archived=False, name="phoenix II") == (200, "")
    assert "archived" not in (await ear.hears_event("conversation")).json()
    assert await writes(ben, room, "1") == (201, "")
