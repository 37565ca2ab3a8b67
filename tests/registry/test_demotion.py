"""A server is demoted and cut off from its successor, and keeps all connections open. It answers pings forever."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chat.app import STREAMS
from chat.local.data_dir import free_port
from chat.tools.chaos.network import Proxy, bad_network
from tests.cast import casting
from tests.nodes import running_node
from tests.registry.registry_nodes import open_registry_node
from tests.registry.servers import GUARDED, SECRET, client, server
from tests.waiting import eventually

LIMIT = 15.0


class Pair:
    """A primary and its replica behind one name."""

    def __init__(self, name: Proxy, primary: int, replica: int) -> None:
        self.name, self._primary, self._replica = name, primary, replica

    async def switches(self) -> None:
        """As an operator, or a sentinel, does; the old primary then waits for one that does not answer."""
        with client(self._replica) as promoted, client(self._primary) as demoted:
            await eventually(lambda: promoted.info("replication")["master_link_status"] == "up")  # type: ignore[index]
            promoted.replicaof("NO", "ONE")
            self.name.lead_to(f"redis://127.0.0.1:{self._replica}")
            demoted.replicaof("127.0.0.1", str(free_port()))


@asynccontextmanager
async def pair_of_servers(folder: Path) -> AsyncIterator[Pair]:
    """Both running; the name leads to the primary."""
    primary, replica = free_port(), free_port()
    follows = f"{GUARDED}replicaof 127.0.0.1 {primary}\n"
    with server(folder / "primary", primary, GUARDED), server(folder / "replica", replica, follows):
        async with bad_network(f"redis://:{SECRET}@127.0.0.1:{primary}/0") as name:
            yield Pair(name, primary, replica)


async def test_presence_moves_to_the_new_primary(database_url: str, tmp_path: Path) -> None:
    """Statuses are written there, and the other node is told of them without reading."""
    async with (
        pair_of_servers(tmp_path) as pair,
        open_registry_node(database_url, pair.name.url, "a1") as first,
        open_registry_node(database_url, pair.name.url, "b2") as second,
    ):
        told: list[bytes] = []
        second.registry.subscriber.on(b"tandem:person:", lambda user, _: told.append(user), lambda _: None)
        for user_id in (1, 2):
            second.registry.subscriber.want(b"tandem:person:%d" % user_id)
        first.registry.open(1, 1, "socket")
        await eventually(lambda: b"1" in told)
        await pair.switches()
        socket = first.registry.open(2, 2, "socket")

        def is_told() -> bool:
            first.registry.touch(socket, active=not socket.active)
            return b"2" in told

        await eventually(is_told, LIMIT)
        await eventually(lambda: not first.registry.degraded, LIMIT)  # its own subscriptions may move a moment later


async def test_announcements_move_too(database_url: str, tmp_path: Path) -> None:
    """After the switch-over a message arrives by an announcement of the new primary, and not by polling."""
    times = {"presence_linger": 0.4, "node_lease": 0.5}
    async with (
        pair_of_servers(tmp_path) as pair,
        running_node(database_url, pair.name.url, node="a1", **times) as near,
        running_node(database_url, pair.name.url, node="b2", **times) as far,
        casting(database_url, near.url) as cast,
    ):
        (ana,) = await cast.enters("ana")
        room = await cast.share(ana)
        tail, announced = far.app[STREAMS].tail, list[int]()
        tail.on_announcement = announced.append
        await ana.says(room, "before")
        await eventually(lambda: announced)
        await pair.switches()
        announced.clear()

        async def arrives() -> bool:
            await ana.says(room, "after")
            return bool(announced)

        await eventually(arrives, LIMIT)
        await eventually(lambda: tail.listening and not tail.deaf)
