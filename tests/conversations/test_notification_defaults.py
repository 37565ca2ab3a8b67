"""Default levels: the team's, each user's, and the level of a single conversation, which comes first."""

from tests.cast import Cast, Person
from tests.verbs import begins, notices, opens, sees


async def level(person: Person, room: int) -> tuple[str, bool]:
    """Return the level that applies, and whether the user has chosen it for this conversation."""
    seen = await opens(person, room)
    listed = next(one for one in (await sees(person))["conversations"] if one["id"] == room)
    assert (listed["level"], listed.get("own_level")) == (seen["level"], seen.get("own_level"))
    return seen["level"], seen.get("own_level", False)


async def prefers(person: Person, notify: str) -> None:
    """Set the user's default."""
    status, me = await person.call("PATCH", "/api/users/me", {"notify": notify})
    assert (status, me.get("notify", "default")) == (200, notify)


async def test_the_nearest_choice_counts(cast: Cast, ana: Person, ben: Person) -> None:
    """The conversation's, then the user's, then the team's; a choice for a conversation can be given up."""
    (admin,) = await cast.enters("root", role="admin")
    channel, direct = await begins(ana, "channel", "kitchen", ben), await begins(ana, "direct", "", ben)
    assert await level(ben, channel) == ("all", False)
    status, team = await admin.call("PATCH", "/api/team", {"notify": "mentions"})
    assert (status, team["notify"]) == (200, "mentions")
    assert (await ben.call("GET", "/api/users/me"))[1]["team_notify"] == "mentions"
    assert await level(ben, channel) == ("mentions", False)
    assert await level(ben, direct) == ("all", False), "a direct message calls its reader as a mention does"
    await prefers(ben, "nothing")
    assert await level(ben, channel) == await level(ben, direct) == ("nothing", False)
    assert await level(ana, channel) == ("mentions", False)
    for chosen in ("all", "mentions"):
        await notices(ben, channel, level=chosen)
        assert await level(ben, channel) == (chosen, True)
    phone = await ben.listens()
    await notices(ben, channel, level="default")
    assert await level(ben, channel) == ("nothing", False)
    told = (await phone.hears_event("notifications")).json()
    assert told == {"conversation": channel, "level": "nothing", "muted_until": None}
    await prefers(ben, "default")
    assert await level(ben, channel) == ("mentions", False)
    assert (await admin.call("PATCH", "/api/team", {"notify": "all"}))[0] == 200


async def test_new_members_get_their_own_default(cast: Cast, ana: Person, ben: Person) -> None:
    """The entry that introduces a conversation to several new members has the level of each."""
    (chloe,) = await cast.enters("chloe")
    await prefers(chloe, "mentions")
    room = await begins(ana, "channel", "kitchen")
    readers = [await one.listens() for one in (ben, chloe)]
    status, said = await ana.call(
        "PUT", f"/api/chat/conversations/{room}/members", {"users": [ana.id, ben.id, chloe.id]}
    )
    assert status == 200, said
    introduced = [(await reader.hears_event("conversation")).json()["level"] for reader in readers]
    assert introduced == ["all", "mentions"]


async def test_only_known_levels(ben: Person) -> None:
    """Other words are refused."""
    assert (await ben.call("PATCH", "/api/users/me", {"notify": "loud"}))[0] == 422
