"""What one does not belong to is not there: every route, as an outsider and as nobody."""

import pytest

from chat.routes import CHAT
from tests.cast import Person
from tests.verbs import CONVERSATIONS, begins, members_of, opens, tries

BODIES = {
    "/reports": {"reason": "rude"},
    "/read": {"seq": 1},
    "/messages": {"body": "let me in", "client_id": "1"},
    "/members/": {"role": "member"},
    "/authors": {"names": ["ana"]},
    "/links": {},
    "/notifications": {"level": "nothing"},
}
ROUTES = sorted({(route.method, route.path) for route in CHAT if "{conversation}" in route.path})


def body_of(method: str, path: str) -> dict[str, object] | None:
    """A body with which the call would succeed for somebody else."""
    if method == "PATCH":
        return {"body": "mine now"} if "/messages/" in path else {"topic": "mine now"}
    return next((body for part, body in BODIES.items() if part in path), None)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_an_outsider_finds_nothing(method: str, path: str, ana: Person, ben: Person, mallory: Person) -> None:
    """404 on whatever a private channel, a group and a direct have, and nothing has changed after it."""
    private = await begins(ana, "channel", "private", ben, private=True)
    group, direct = await begins(ana, "group", "", ben), await begins(ana, "direct", "", ben)
    for conversation in (private, group, direct):
        await ana.says(conversation, "between us")
        before = await opens(ben, conversation)
        for user in ("me", str(ana.id)):
            place = path.format(conversation=conversation, user=user, seq=1, link=1, emoji="👍")
            assert await tries(mallory, method, place, body_of(method, path)) == (404, "not_found")
        assert await opens(ben, conversation) == before
        assert set(await members_of(ben, conversation)) == {ana.id, ben.id}


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_what_does_not_exist_looks_the_same(method: str, path: str, mallory: Person) -> None:
    """Nobody can tell a private conversation from none; and what is no id is none."""
    for conversation in ("4711", "0", "9007199254740992", "-1", "1e3", "x"):
        place = path.format(conversation=conversation, user="me", seq=1, link=1, emoji="👍")
        assert await tries(mallory, method, place, body_of(method, path)) == (404, "not_found")


async def test_a_batch_finds_nothing_either(ana: Person, ben: Person, mallory: Person) -> None:
    """Nor does a batch reach what single posts do not."""
    group = await begins(ana, "group", "", ben)
    messages = [{"conversation": group, "body": "psst", "client_id": "1"}]
    status, said = await mallory.call("POST", "/api/chat/messages", {"messages": messages})
    assert (status, said["results"][0]["status"]) == (200, 404)
    assert (await opens(ana, group))["last_seq"] == 0


async def test_nobody_gets_in_without_a_login(ana: Person) -> None:
    """Every route of the conversations and the messages."""
    room = await begins(ana, "channel", "open")
    ana.token = "made up"
    for method, path in {(route.method, route.path) for route in CHAT}:
        place = path.format(conversation=room, user="me", seq=1, link=1, emoji="👍", report=1, id=1, name="x")
        assert (await tries(ana, method, place))[0] == 401
    assert CONVERSATIONS in {route.path for route in CHAT}
