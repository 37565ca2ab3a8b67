"""kill -9 between commit and announcement: other nodes notice the silence and read the log."""

from chat.tools.chaos.network import bad_network
from tests.cast import Cast
from tests.promises.conftest import StartNode
from tests.waiting import eventually


async def test_a_commit_without_an_announcement_is_delivered(
    stage: Cast, start_node: StartNode, redis_url: str
) -> None:
    """The node's messages to Redis are dropped, and it is killed as soon as its post is acknowledged."""
    async with bad_network(redis_url) as network:
        doomed, other = await start_node("a1", REDIS_URL=network.url), await start_node("b2")
        ana, ben = await stage.enters("ana", "ben")
        room = await stage.share(ana, ben)
        ana.at, ben.at = other.url, other.url
        reader = await ben.listens()
        await ana.says(room, "announced")
        await reader.hears("announced")
        ana.at = doomed.url
        network.swallow()
        said = network.heard
        first = await ana.says(room, "committed", client_id="c1")
        await eventually(lambda: network.heard > said)
        doomed.kill()
        await reader.hears("announced", "committed")
        ana.at = other.url
        assert await ana.says(room, "committed", client_id="c1") == first
        await ana.says(room, "and on")
        await reader.hears("announced", "committed", "and on")
