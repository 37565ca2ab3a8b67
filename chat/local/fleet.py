"""The nodes of this machine behind their balancer: watched, added, removed and restarted without downtime.

A long operation is a *plan*: a generator that yields at each check, with a progress line or nothing, so that everything
else stays watched. Only the main thread starts nodes, because they end with the thread that started them.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from chat.client.node_process import READY_LIMIT, NodeProcess
from chat.local.errors import KeepsDying, NotDone
from chat.local.haproxy import MOST_NODES, Balancer
from chat.local.progress import show_error
from chat.local.watch import ProcessWatch

Plan = Iterator[str]
SEEN_LIMIT = 5.0


class Fleet:
    """Nodes by name. `make_node(name, port, health)` returns a node that is not started yet."""

    def __init__(self, balancer: Balancer, make_node: Callable[[str, int, int], NodeProcess]) -> None:
        self._balancer, self._make_node = balancer, make_node
        self.nodes: dict[str, NodeProcess] = {}
        self._watches: dict[str, ProcessWatch] = {}

    def add(self) -> str:
        """Start another node and return its name. The balancer does not send it requests yet."""
        name = next(name for name in self._balancer.ports if name not in self.nodes)
        node = self.nodes[name] = self._make_node(name, self._balancer.ports[name], self._balancer.health[name])
        node.start()
        return name

    def mark_ready(self, name: str) -> None:
        """Watch a node that is ready, and let the balancer send it requests."""
        self._watches[name] = ProcessWatch(self.nodes[name])
        if name not in self._balancer.active:
            self._balancer.active.append(name)
        self._balancer.set_state(name, "ready")

    def check(self) -> None:
        """Restart nodes that ended. A node that keeps ending is given up as long as others run."""
        for name, watch in list(self._watches.items()):
            try:
                watch.check()
            except KeepsDying as error:
                self._give_up(name, error)

    def _give_up(self, name: str, error: KeepsDying) -> None:
        del self._watches[name]
        if not any(self.nodes[other].alive() for other in self._watches):
            raise error
        show_error(f"{error} The other nodes keep running. Restart it with `tandem restart {name}`.")

    def scale(self, count: int) -> Plan:
        """Change the number of nodes. Raise `NotDone`."""
        if not 1 <= count <= MOST_NODES:
            raise NotDone(f"The number of nodes must be from 1 to {MOST_NODES}.")
        while len(self.nodes) < count:
            yield f"{self.add()}: starting"
            yield from self._wait_until_ready(list(self.nodes)[-1])
        while len(self.nodes) > count:
            yield from self._remove(list(self.nodes)[-1])
        yield f"{count} nodes" if count > 1 else "1 node"

    def restart(self, names: list[str]) -> Plan:
        """Restart these nodes (default: all) one by one, each ready before the next one stops. Raise `NotDone`."""
        if unknown := [name for name in names if name not in self.nodes]:
            raise NotDone(f"Unknown node: {', '.join(unknown)}. Nodes: {', '.join(self.nodes)}.")
        for name in names or list(self.nodes):
            yield from self._drain(name)
            self.nodes[name].start()
            yield f"{name}: starting"
            yield from self._wait_until_ready(name)

    def _wait_until_ready(self, name: str) -> Plan:
        node, deadline = self.nodes[name], time.monotonic() + READY_LIMIT
        while not node.ready():
            if not node.alive() or time.monotonic() > deadline:
                self.mark_ready(name)  # so that it is restarted like any node that ends
                raise NotDone(f"{name} did not become ready; see its log. The other nodes keep running.")
            yield ""
        self.mark_ready(name)
        deadline = time.monotonic() + SEEN_LIMIT
        while not self._balancer.sees_ready(name) and time.monotonic() < deadline:
            yield ""
        yield f"{name}: ready"

    def _remove(self, name: str) -> Plan:
        yield from self._drain(name)
        self._balancer.active.remove(name)
        self._balancer.set_state(name, "maint")
        del self.nodes[name]

    def _drain(self, name: str) -> Plan:
        yield f"{name}: draining"
        self._balancer.set_state(name, "drain")
        self._watches.pop(name, None)
        node = self.nodes[name]
        node.ask_to_stop()
        deadline = time.monotonic() + node.drain_limit
        while node.alive() and time.monotonic() < deadline:
            yield ""
        node.kill()

    def stop(self) -> None:
        """Drain all nodes at the same time, and wait for their end."""
        with ExitStack() as ends:
            for node in self.nodes.values():
                node.ask_to_stop()
                ends.callback(node.stop)
