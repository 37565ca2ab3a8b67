"""kill -9 in the middle of an erasure: another node finishes it, and each message is emptied once."""

import psycopg

from tests.accounts.systems import Actor, makes_key, puts_room, puts_user, user_path
from tests.cast import Cast
from tests.promises.conftest import StartNode
from tests.waiting import eventually

COUNT = 1_500  # messages: 75 steps


async def test_another_node_finishes_an_erasure(stage: Cast, start_node: StartNode) -> None:
    """The node that began is killed while messages are being emptied; the other one begins where it ended."""
    doomed = await start_node("a1")
    (ada,) = await stage.enters("ada", role="admin")
    ada.at = doomed.url
    shop = await makes_key(ada, stage)
    dora, room = await puts_user(shop, "u-1"), await puts_room(shop, "order-1")
    assert (await shop.call("PUT", f"/api/chat/conversations/{room}/members", {"users": ["ext:u-1"]}))[0] == 200
    actor = Actor(stage, shop, "ext:u-1", dora["id"])
    for start in range(0, COUNT, 500):
        batch = [{"conversation": room, "body": "secret", "client_id": f"{start + n}"} for n in range(500)]
        assert (await actor.call("POST", "/api/chat/messages", {"messages": batch}))[0] == 200

    def count(query: str) -> int:
        with psycopg.connect(stage.database_url) as database:
            row = database.execute(query).fetchone()  # type: ignore[call-overload]
        return int(row[0])

    assert (await shop.call("DELETE", user_path("u-1") + "?messages=erase"))[0] == 204
    emptied = "select count(*) from messages where deleted_at is not null"
    await eventually(lambda: count(emptied) > 0, 30)
    doomed.kill()
    left = COUNT - count(emptied)
    assert left > 0
    await start_node("b2")
    await eventually(lambda: count("select count(*) from erasures") == 0, 60)
    assert count("select count(*) from messages where body <> ''") == 0
    assert count("select count(*) from log where kind = 'delete'") == COUNT
    assert count("select count(*) from log where encode(frame, 'escape') like '%secret%'") == 0
    assert count("select count(*) from users where external_id is not null") == 0
