"""A lost answer: the poster cannot know that the commit succeeded, retries, and gets the stored message."""

from chat.tools.chaos.network import bad_network
from tests.cast import Cast
from tests.databases import as_node
from tests.promises.conftest import StartNode


async def test_the_retry_finds_what_was_committed(stage: Cast, start_node: StartNode, database_url: str) -> None:
    """The connection to PostgreSQL is cut after COMMIT was carried out and before its answer arrives."""
    async with bad_network(as_node(database_url)) as network:
        near, far = await start_node("a1", DATABASE_URL=network.url), await start_node("b2")
        ana, ben, chloe = await stage.enters("ana", "ben", "chloe")
        room = await stage.share(ana, ben, chloe)
        ana.at, ben.at, chloe.at = near.url, near.url, far.url
        readers = [await ben.listens(), await chloe.listens()]
        await ana.says(room, "before")
        network.lose_answer(b"COMMIT\0")
        draft = {"body": "once", "client_id": "c1"}
        path = f"/api/chat/conversations/{room}/messages"
        status, _, headers = await ana.asks("POST", path, draft)
        assert network.lost == 1
        assert (status, headers.get("Retry-After")) == (503, "1")
        status, found, _ = await ana.asks("POST", path, draft)
        assert status == 200
        assert found["message"]["seq"] == 2
        await ana.says(room, "after")
        for reader in readers:
            await reader.hears("before", "once", "after")
