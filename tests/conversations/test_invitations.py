"""Invitations: strangers are asked first, read nothing before they accept, and their quota is not used."""

from collections.abc import AsyncIterator

import pytest

from chat.api_schema import models as s
from chat.api_schema.stream_events import ENTRIES
from tests.cast import Cast, Person, casting
from tests.nodes import running_node
from tests.verbs import CONVERSATIONS, Json, begins, blocks, members_of, opens, sees, sets_member, tries
from tests.waiting import eventually

INVITATIONS = "/api/chat/invitations"


@pytest.fixture
async def cast(database_url: str, redis_url: str) -> AsyncIterator[Cast]:
    """Users of a node with STRANGERS=invite."""
    given = {"strangers": "invite", "conversations_per_person": 4}
    async with running_node(database_url, redis_url, **given) as node, casting(database_url, node.url) as people:
        yield people


async def creates(person: Person, *others: Person, name: str = "kitchen") -> tuple[int, list[int]]:
    """Create a private channel with these users; return its id, and who was invited instead of added."""
    draft = {"kind": "channel", "name": name, "private": True, "members": [other.id for other in others]}
    status, made = await person.call("POST", CONVERSATIONS, draft)
    assert status == 201, made
    s.NewConversation.model_validate(made)
    return made["id"], made.get("invited", [])


async def invited(person: Person) -> list[Json]:
    """Return the user's open invitations, which the snapshot has too."""
    status, said = await person.call("GET", INVITATIONS)
    assert status == 200
    s.Invitations.model_validate(said)
    assert said["invitations"] == (await sees(person))["invitations"]
    return list(said["invitations"])


async def accepts(person: Person, conversation: int) -> tuple[int, str]:
    """Accept; return the status and the error code."""
    return await tries(person, "POST", f"{INVITATIONS}/{conversation}/accept")


async def declines(person: Person, conversation: int) -> tuple[int, str]:
    """Decline; return the status and the error code."""
    return await tries(person, "DELETE", f"{INVITATIONS}/{conversation}")


async def test_an_invited_stranger_reads_nothing_before_accepting(ana: Person, mallory: Person) -> None:
    """Before she accepts, Mallory's channel is not in Ana's list, cannot mention her and shows her nothing."""
    reader = await ana.listens()
    room, asked = await creates(mallory, ana)
    assert asked == [ana.id]
    assert set(await members_of(mallory, room)) == {mallory.id}
    await mallory.says(room, "@channel @ana look at this")
    (invitation,) = await invited(ana)
    assert (invitation["name"], invitation["invited_by"], invitation["members"]) == ("kitchen", mallory.id, 1)
    assert (await sees(ana))["conversations"] == []
    for path in ("", "/messages", "/members", "/messages/1", "/pins"):
        assert await tries(ana, "GET", f"{CONVERSATIONS}/{room}{path}") == (404, "not_found")
    await eventually(lambda: reader.named("invitation"))
    told = [event.json() for event in reader.named("invitation")]
    assert [ENTRIES["invitation"].model_validate(one).model_dump(exclude_unset=True) for one in told] == told
    assert told == [{"open": True} | invitation]
    assert not reader.named("conversation")
    assert not reader.messages()
    status, accepted = await ana.call("POST", f"{INVITATIONS}/{room}/accept")
    assert (status, s.ConversationModel.model_validate(accepted).unread) == (200, 0)
    assert await invited(ana) == []
    assert set(await members_of(ana, room)) == {mallory.id, ana.id}
    await mallory.says(room, "welcome")
    await reader.hears("welcome")


async def test_declining_is_for_good_and_silent(cast: Cast, ana: Person, mallory: Person) -> None:
    """Ana's other device receives it; the same inviter cannot invite her again, another member can."""
    room, _ = await creates(mallory, ana)
    reader = await ana.listens()
    assert await declines(ana, room) == (204, "")
    await eventually(lambda: reader.named("invitation"))
    told = {"conversation": room, "open": False}
    assert [event.json() for event in reader.named("invitation")] == [told]
    assert await declines(ana, room) == (404, "not_found")
    assert await accepts(ana, room) == (404, "not_found")
    assert (await sets_member(mallory, room, ana))[0] == 202
    assert await invited(ana) == []
    (ben,) = await cast.enters("ben")
    assert (await sets_member(mallory, room, ben))[0] == 202
    assert await accepts(ben, room) == (200, "")
    assert (await sets_member(ben, room, ana))[0] == 202
    assert [one["invited_by"] for one in await invited(ana)] == [ben.id]


async def test_acquaintances_are_added(cast: Cast) -> None:
    """Acquaintances are added at once; a server admin and an invite link add everyone."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    (admin,) = await cast.enters("admin", role="admin")
    await cast.share(ana, ben)
    room, asked = await creates(ana, ben, chloe)
    assert (asked, set(await members_of(ana, room))) == ([chloe.id], {ana.id, ben.id})
    assert (await sets_member(ben, room, chloe))[1]["role"] is None
    assert await creates(admin, ana, ben, chloe, name="all hands") == (room + 1, [])
    status, link = await ana.call("POST", f"{CONVERSATIONS}/{room}/links", {})
    assert status == 201
    (mallory,) = await cast.enters("mallory")
    assert (await mallory.call("POST", "/api/chat/join", {"code": link["code"]}))[0] == 201


async def test_a_direct_message_alone_makes_no_acquaintance(ana: Person, mallory: Person) -> None:
    """A direct message makes Ana an acquaintance only once she answers."""
    direct = await begins(mallory, "direct", "", ana)
    await mallory.says(direct, "hello")
    assert (await creates(mallory, ana))[1] == [ana.id]
    await ana.says(direct, "hello")
    assert (await creates(mallory, ana, name="second"))[1] == []


async def test_strangers_do_not_use_a_users_quota(cast: Cast, ana: Person, mallory: Person) -> None:
    """Invitations, and conversations that acquaintances add her to, leave Ana's own four unused."""
    (ben,) = await cast.enters("ben")
    for number in range(4):
        await creates(mallory, ana, name=f"spam {number}")
    await cast.share(ana, ben)
    for number in range(3):
        await creates(ben, ana, name=f"ben's {number}")
    for number in range(3):
        await creates(ana, name=f"ana's {number}")
    status, problem = await ana.call("POST", CONVERSATIONS, {"kind": "channel", "name": "one too many"})
    assert (status, problem["code"]) == (409, "too_many_conversations")
    assert await accepts(ana, (await invited(ana))[0]["conversation"]) == (409, "too_many_conversations")
    (chloe,) = await cast.enters("chloe")
    assert (await tries(chloe, "POST", CONVERSATIONS, {"kind": "direct", "members": [ana.id]}))[0] == 201


async def test_an_invitation_ends_with_its_inviter(cast: Cast, ana: Person, mallory: Person) -> None:
    """An invitation is void once Mallory has left or is blocked, or Ana is banned or joins by herself."""
    (ben,) = await cast.enters("ben")
    left, _ = await creates(mallory, ana, ben, name="left")
    assert await accepts(ben, left) == (200, "")
    assert (await sets_member(mallory, left, ben, "owner"))[0] == 200
    assert (await tries(mallory, "DELETE", f"{CONVERSATIONS}/{left}/members/me"))[0] == 204
    assert (await invited(ana), await accepts(ana, left)) == ([], (404, "not_found"))
    banned, _ = await creates(mallory, ana, name="banned")
    assert len(await invited(ana)) == 1
    assert (await tries(mallory, "PUT", f"{CONVERSATIONS}/{banned}/bans/{ana.id}", {"reason": "no"}))[0] == 204
    assert (await invited(ana), await accepts(ana, banned)) == ([], (404, "not_found"))
    public = await begins(mallory, "channel", "public", ana)
    assert len(await invited(ana)) == 1
    assert (await sets_member(ana, public, "me"))[0] == 201
    assert await invited(ana) == []


async def test_blocked_users_cannot_invite(ana: Person, mallory: Person) -> None:
    """A blocked user cannot invite, and an open invitation ends with the block."""
    room, _ = await creates(mallory, ana)
    await blocks(ana, mallory, on=True)
    assert (await invited(ana), await accepts(ana, room)) == ([], (404, "not_found"))
    draft = {"kind": "group", "members": [ana.id]}
    assert await tries(mallory, "POST", CONVERSATIONS, draft) == (403, "blocked")


async def test_open_invitations_are_limited(database_url: str, redis_url: str) -> None:
    """Open invitations to one user, and from one user, are limited."""
    limits = {"strangers": "invite", "invitations_received": 2, "invitations_sent": 3}
    async with running_node(database_url, redis_url, **limits) as node, casting(database_url, node.url) as cast:
        ana, ben, chloe, mallory = await cast.enters("ana", "ben", "chloe", "mallory")
        first, _ = await creates(mallory, ana, name="1")
        await creates(mallory, ana, name="2")
        full = (409, "too_many_invitations")
        assert await tries(mallory, "POST", CONVERSATIONS, {"kind": "group", "members": [ana.id]}) == full
        assert await tries(ben, "POST", CONVERSATIONS, {"kind": "group", "members": [ana.id]}) == full
        draft = {"kind": "group", "members": [ben.id, chloe.id]}
        assert await tries(mallory, "POST", CONVERSATIONS, draft) == full
        assert await declines(ana, first) == (204, "")
        assert (await creates(mallory, ben, chloe, name="3"))[1] == [ben.id, chloe.id]


async def test_asking_twice_asks_once(ana: Person, mallory: Person) -> None:
    """A repeated invitation sends nothing to Ana's devices."""
    room, _ = await creates(mallory, ana)
    cursor = (await sees(ana))["cursor"]
    assert [(await sets_member(mallory, room, ana))[0] for _ in range(2)] == [202, 202]
    assert (await sees(ana))["cursor"] == cursor
    assert len(await invited(ana)) == 1
    assert (await opens(mallory, room))["role"] == "owner"


async def test_adding_and_strangers_are_charged(database_url: str, redis_url: str) -> None:
    """Each added user is charged; a new direct conversation with a stranger is charged, an existing one is not."""
    rates = {"rate_limits": True, "rate_add": "3/hour", "rate_direct": "1/day", "strangers": "add"}
    async with running_node(database_url, redis_url, **rates) as node, casting(database_url, node.url) as cast:
        ana, ben, chloe, mallory = await cast.enters("ana", "ben", "chloe", "mallory")
        group = {"kind": "group", "members": [ana.id, ben.id]}
        room = (await mallory.call("POST", CONVERSATIONS, group))[1]["id"]
        assert await tries(mallory, "POST", CONVERSATIONS, group) == (429, "too_fast")
        assert (await sets_member(mallory, room, chloe))[0] == 201
        assert await tries(mallory, "PUT", f"{CONVERSATIONS}/{room}/members/{chloe.id}") == (429, "too_fast")
        assert (await tries(ana, "POST", CONVERSATIONS, {"kind": "channel", "name": "mine"}))[0] == 201
        dora, eve = await cast.enters("dora", "eve")
        directs = [{"kind": "direct", "members": [one.id]} for one in (dora, dora, eve, ana)]
        assert [(await tries(mallory, "POST", CONVERSATIONS, one))[0] for one in directs] == [201, 200, 429, 201]
