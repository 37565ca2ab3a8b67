"""One user in the registry: devices connect, idle, disconnect and linger."""

import asyncio
from collections.abc import AsyncIterator
from typing import get_args

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.shared.redis import Bytes, connect_redis
from chat.shared.registry.scripts import HOLD, LOOK, ScriptCall, run_call, user_key
from chat.shared.registry.status_choice import Choice, Mode
from tests.presence.status_model import Device, merge_devices, show
from tests.registry.registry_nodes import RegistryNode, enrol, open_registry_node
from tests.waiting import breathe, eventually

ANA = 7
FAR = 2**50  # a moment that never comes, in milliseconds


@pytest.fixture
async def registry_node(database_url: str, redis_url: str) -> AsyncIterator[RegistryNode]:
    """The registry of one node."""
    async with open_registry_node(database_url, redis_url) as one:
        yield one


async def test_a_user_connects_idles_returns_and_leaves(registry_node: RegistryNode) -> None:
    """A user is online, away, online again, and offline once the linger is over."""
    socket = registry_node.registry.open(ANA, 1, "socket")
    await registry_node.shows(ANA, "online")
    registry_node.registry.touch(socket, active=False)
    await registry_node.shows(ANA, "away")
    registry_node.registry.touch(socket, active=True)
    await registry_node.shows(ANA, "online")
    registry_node.registry.close(socket)
    await registry_node.shows(ANA, "offline")
    await eventually(lambda: ANA not in registry_node.registry.connected.users)


async def test_reload_shows_nothing(registry_node: RegistryNode) -> None:
    """A socket closed and opened again within the linger leaves the user's version unchanged."""
    socket = registry_node.registry.open(ANA, 1, "socket")
    await registry_node.shows(ANA, "online")
    before = (await registry_node.evidence(ANA)).shown
    for _ in range(3):
        registry_node.registry.close(socket)
        await eventually(lambda: not registry_node.registry.writer._dirty)
        socket = registry_node.registry.open(ANA, 1, "socket")
    await registry_node.registry.wait_until_stored(ANA)
    assert (await registry_node.evidence(ANA)).shown == before


async def test_reload_beside_an_idle_tab_shows_nothing(registry_node: RegistryNode) -> None:
    """A tab in use reloads beside an idle tab of the same session: the user is never away meanwhile."""
    idle = registry_node.registry.open(ANA, 1, "socket")
    registry_node.registry.touch(idle, active=False)
    used = registry_node.registry.open(ANA, 1, "socket")
    await registry_node.shows(ANA, "online")
    registry_node.registry.close(used)
    await eventually(lambda: not registry_node.registry.writer._dirty)
    assert await registry_node.status(ANA) == "online"
    await registry_node.shows(ANA, "away")


async def test_a_stream_that_ends_after_its_socket_shows_no_away(registry_node: RegistryNode) -> None:
    """A browser that closes ends one connection before the other: its user goes from online to offline."""
    stream, socket = registry_node.registry.open(ANA, 1, "stream"), registry_node.registry.open(ANA, 1, "socket")
    await registry_node.shows(ANA, "online")
    registry_node.registry.close(socket)
    await breathe(registry_node.registry.timing.linger / 2)
    registry_node.registry.close(stream)
    seen: list[str] = []

    async def has_gone() -> bool:
        seen.append(await registry_node.status(ANA))
        return seen[-1] == "offline"

    await eventually(has_gone)
    assert set(seen) == {"online", "offline"}


async def test_streams_alone_mean_away(registry_node: RegistryNode) -> None:
    """A stream alone makes its user away: connected, without a sign of use."""
    stream = registry_node.registry.open(ANA, 1, "stream")
    await registry_node.shows(ANA, "away")
    device = (await registry_node.evidence(ANA)).devices[0]
    assert (device.node, device.session_id, device.streams, device.sockets) == ("a1", 1, 1, 0)
    registry_node.registry.close(stream)
    await registry_node.shows(ANA, "offline")


async def test_choice_outlives_the_registry(database_url: str, registry_node: RegistryNode) -> None:
    """An invisible user stays invisible when Redis has lost everything."""
    (ana,) = await enrol(database_url, "ana")
    registry_node.registry.open(ana, 1, "socket")
    await registry_node.shows(ana, "online")
    await registry_node.registry.choose(ana, Choice("invisible"))
    await registry_node.shows(ana, "offline")
    seen = set()
    await registry_node.registry.redis.flushall()

    async def registered_again() -> bool:
        seen.add(await registry_node.status(ana))
        return bool((await registry_node.evidence(ana)).devices)

    await eventually(registered_again)
    assert seen == {"offline"}


async def test_choice_ends_by_itself(database_url: str, registry_node: RegistryNode) -> None:
    """A status with an end returns to the one before."""
    (ana,) = await enrol(database_url, "ana")
    registry_node.registry.open(ana, 1, "socket")
    await registry_node.shows(ana, "online")
    now = int((await registry_node.registry.nodes())[0]["heard"])
    await registry_node.registry.choose(ana, Choice("dnd", "focus", "🎧", now + 1500))
    await registry_node.shows(ana, "dnd")
    await registry_node.shows(ana, "online")
    assert (await registry_node.evidence(ana)).shown[2] == ""


async def test_versions_rise_across_a_loss(registry_node: RegistryNode) -> None:
    """Clients ignore lower versions, so versions never fall, whatever Redis has lost."""
    registry_node.registry.open(ANA, 1, "socket")
    await registry_node.shows(ANA, "online")
    before = (await registry_node.evidence(ANA)).shown[0]
    later = before + 3_600_000  # as if the lost server's clock had been an hour ahead
    await registry_node.registry.read_views([(ANA, later, later)])
    assert (await registry_node.evidence(ANA)).shown[0] == later + 1


ROWS = st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.booleans()), max_size=3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=ROWS, second=ROWS, mode=st.sampled_from(get_args(Mode)), ended=st.booleans())
def test_lua_agrees_with_the_reference_model(
    redis_url: str,
    first: list[tuple[int, bool, bool]],
    second: list[tuple[int, bool, bool]],
    mode: Mode,
    ended: bool,
) -> None:
    """Whatever two nodes hold, the script shows what the reference model says."""
    choice = Choice(mode, "text", "🌱", until=1 if ended else 0, set_at=1)
    shown, own = asyncio.run(held_by_two(redis_url, first, second, choice))
    devices = [Device(session, active, 10**15 if gone else 0) for session, active, gone in [*first, *second]]
    want = show(devices, choice, 1000)
    assert shown[1:6] == [want.status, want.text, want.emoji, want.until, want.devices]
    assert own[1].split()[0] == merge_devices(devices, choice, 1000)


async def held_by_two(
    redis_url: str, first: list[tuple[int, bool, bool]], second: list[tuple[int, bool, bool]], choice: Choice
) -> tuple[list[object], list[object]]:
    """Return the registry's record after two nodes have written what they hold."""
    redis: Bytes = connect_redis(redis_url)
    key = user_key(1)
    await redis.delete(key)
    for holder, rows in (("a~1", first), ("b~1", second)):
        devices = orjson.dumps([[session, 0, 1, int(active), 60_000 * gone] for session, active, gone in rows])
        await run_call(
            redis, ScriptCall(HOLD, key, [b"tandem:person:1", 0, 0, holder, devices, choice.encode(), "", FAR])
        )
    shown, own, *_ = orjson.loads(await run_call(redis, ScriptCall(LOOK, key, [b"tandem:person:1", 0, 0])))
    await redis.aclose()
    return shown, own
