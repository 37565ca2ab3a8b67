"""A retry is harmless, even while the first attempt is in progress, on whichever node it arrives."""

import asyncio
from collections import Counter

from tests.cast import Cast
from tests.promises.conftest import StartNode

TRIES = 50


async def test_the_same_client_id_fifty_times_at_once_over_three_nodes(stage: Cast, start_node: StartNode) -> None:
    """Fifty posts with one client_id over three nodes: one 201, forty-nine 200, one message, received once."""
    nodes = await asyncio.gather(*(start_node(name) for name in ("a1", "b2", "c3")))
    ana, ben = await stage.enters("ana", "ben")
    room = await stage.share(ana, ben)
    ben.at = nodes[0].url
    reader = await ben.listens()
    path = f"/api/chat/conversations/{room}/messages"

    async def post(body: str, n: int) -> tuple[int, object]:
        async with stage.http.post(
            nodes[n % 3].url + path,
            json={"body": body, "client_id": body},
            headers={"Authorization": f"Bearer {ana.token}"},
        ) as answer:
            return answer.status, (await answer.json())["message"]

    for body in ("hello", "again"):
        answers = await asyncio.gather(*(post(body, n) for n in range(TRIES)))
        assert Counter(status for status, _ in answers) == {201: 1, 200: TRIES - 1}
        assert all(message == answers[0][1] for _, message in answers)
    await reader.hears("hello", "again")
    assert [message["seq"] for message in reader.messages()] == [1, 2]
