"""Two deployments on one Redis server, each with a numbered database of its own, hear nothing of each other."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import pytest

from chat.shared.redis import connect_redis
from chat.shared.registry.scripts import RegistryChannels
from tests.cast import Cast, casting
from tests.databases import fresh_database
from tests.nodes import running_node
from tests.presence.presence_client import opens_presence
from tests.verbs import begins
from tests.waiting import eventually

NUMBERS = (14, 15)  # databases that no worker of the tests uses


@pytest.fixture
async def deployments(postgres_url: str, template: str, redis_url: str) -> AsyncIterator[tuple[Cast, Cast]]:
    """The users of two deployments. Ids of users, sessions and conversations are the same in both."""
    async with AsyncExitStack() as stack:
        casts = []
        for number in NUMBERS:
            url = stack.enter_context(fresh_database(postgres_url, f"tandem_shared_{os.getpid()}_{number}", template))
            node = await stack.enter_async_context(
                running_node(url, urlsplit(redis_url)._replace(path=f"/{number}").geturl(), node=f"n{number}")
            )
            casts.append(await stack.enter_async_context(casting(url, node.url)))
        yield casts[0], casts[1]


@pytest.mark.parametrize(("number", "start"), [(0, b"tandem:"), (3, b"tandem:3/")])
def test_the_names_of_channels(number: int, start: bytes) -> None:
    """All are within `tandem:*`, the channels that the documented rights of a Redis user allow."""
    channels = RegistryChannels(connect_redis(f"redis://localhost/{number}"))
    assert channels.revoked == start + b"revoked"
    assert channels.of_person(5) == start + b"person:5"
    assert channels.of_typing(6) == start + b"typing:6"
    assert channels.of_holder("a1~7f") == start + b"holder:7f"


async def test_presence_typing_and_log_outs_stay_apart(deployments: tuple[Cast, Cast]) -> None:
    """A status, a sign of typing and the end of a session reach users of the same deployment alone."""
    seen = []
    for cast in deployments:
        ana, ben = await cast.enters("ana", "ben")
        room = await begins(ana, "channel", "garden", ben)
        here, there = await opens_presence(ana), await opens_presence(ben)
        await there.knows(ana, conversations=(room,))
        seen.append((ana, here, there, room))
    (ana, here, there, room), (other_ana, other_here, other_there, other_room) = seen
    assert (ana.id, room) == (other_ana.id, other_room)

    await here.says("status", status="dnd", text="at the dentist")
    await eventually(lambda: there.people[ana.id]["text"] == "at the dentist")
    await here.says("typing", conversation=room, on=True)
    await there.gets("typing")
    assert (await ana.call("DELETE", "/api/sessions/current"))[0] == 204
    await here.closes()

    await other_here.says("status", status="away", text="back soon")
    await eventually(lambda: other_there.people[ana.id]["text"] == "back soon")
    assert "at the dentist" not in str(other_there.frames)
    assert other_there.named("typing") == []
    assert not other_here.socket.closed
