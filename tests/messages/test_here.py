"""`@here`: presence is asked only for members whose message may contain it."""

from collections.abc import Collection

from chat.messages.mentions import HereResolver
from chat.shared.postgres import open_pool
from tests.cast import Cast, Person


async def test_only_members_make_the_node_ask(
    database_url: str, cast: Cast, ana: Person, ben: Person, mallory: Person
) -> None:
    """For mallory, who is in another conversation, and for messages without `@here`, nothing is looked up."""
    asked: list[list[int]] = []

    async def ask(users: Collection[int]) -> Collection[int]:
        asked.append(sorted(users))
        return [ben.id]

    room = await cast.share(ana, ben)
    async with open_pool(database_url, 2) as pool:
        here = HereResolver(pool, 2, ask)
        assert await here.find(room, mallory.id, "@here") is None
        assert await here.find(room, ana.id, "hello @ben") is None
        assert asked == []
        assert await here.find(room, ana.id, "lunch, @Here?") == {ben.id}
        assert asked == [sorted([ana.id, ben.id])]
        assert await HereResolver(pool, 1, ask).find(room, ana.id, "@here") is None
        assert len(asked) == 1


async def test_an_outsider_is_refused_at_once(cast: Cast, ana: Person, mallory: Person) -> None:
    """A text that is slow to parse does not change mallory's answer, alone or in a batch."""
    room = await cast.share(ana)
    text = "@aa`" + "\\" * 15_990
    path = f"/api/chat/conversations/{room}/messages"
    assert (await mallory.call("POST", path, {"body": f"@here {text[:-10]}", "client_id": "a"}))[0] == 403
    batch = [{"conversation": room, "body": text, "client_id": f"b{n}"} for n in range(20)]
    status, answer = await ana.call("POST", "/api/chat/messages", {"messages": batch})
    assert (status, {one["status"] for one in answer["results"]}) == (200, {201})
