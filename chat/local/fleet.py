"""The fleet: the nodes of this machine behind their balancer, each watched; it grows, shrinks and renews while people
talk.

What takes its time is a *plan*: a generator that yields at each glance, with the next line to tell or nothing, so that
everything else goes on being watched. Nodes are started by the main thread alone, for they die with their starter.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from chat.client.node_process import READY_LIMIT, NodeProcess
from chat.local.errors import KeepsDying, NotDone
from chat.local.haproxy import MOST_NODES, Balancer
from chat.local.progress import complain
from chat.local.watch import ProcessWatch

Plan = Iterator[str]
TRUST_LIMIT = 5.0


class Fleet:
    """Nodes by name. `make_node(name, port, health)`: one that is not started yet."""

    def __init__(self, balancer: Balancer, make_node: Callable[[str, int, int], NodeProcess]) -> None:
        self._balancer, self._make_node = balancer, make_node
        self.nodes: dict[str, NodeProcess] = {}
        self._watches: dict[str, ProcessWatch] = {}

    def add(self) -> str:
        """One more node, started; its name. The balancer does not send it anybody yet."""
        name = next(name for name in self._balancer.ports if name not in self.nodes)
        node = self.nodes[name] = self._make_node(name, self._balancer.ports[name], self._balancer.health[name])
        node.start()
        return name

    def welcome(self, name: str) -> None:
        """It is ready: from now on it is watched, and people come."""
        self._watches[name] = ProcessWatch(self.nodes[name])
        if name not in self._balancer.used:
            self._balancer.used.append(name)
        self._balancer.direct(name, "ready")

    def look(self) -> None:
        """Start again what died. A node that cannot live is given up, as long as others do."""
        for name, watch in list(self._watches.items()):
            try:
                watch.look()
            except KeepsDying as hopeless:
                self._give_up(name, hopeless)

    def _give_up(self, name: str, why: KeepsDying) -> None:
        del self._watches[name]
        if not any(self.nodes[other].alive() for other in self._watches):
            raise why
        complain(f"{why} The other nodes go on; start it again with `tandem restart {name}`.")

    def scale(self, count: int) -> Plan:
        """As many nodes as that, whatever there are; raises `NotDone`."""
        if not 1 <= count <= MOST_NODES:
            raise NotDone(f"From 1 to {MOST_NODES} nodes are possible here.")
        while len(self.nodes) < count:
            yield f"{self.add()}: starting"
            yield from self._arrive(list(self.nodes)[-1])
        while len(self.nodes) > count:
            yield from self._leave(list(self.nodes)[-1])
        yield f"{count} nodes" if count > 1 else "1 node"

    def restart(self, names: list[str]) -> Plan:
        """These nodes (or all), one after the other, each ready before the next one goes; raises `NotDone`."""
        if unknown := [name for name in names if name not in self.nodes]:
            raise NotDone(f"There is no {', '.join(unknown)}; there are {', '.join(self.nodes)}.")
        for name in names or list(self.nodes):
            yield from self._stop(name)
            self.nodes[name].start()
            yield f"{name}: starting"
            yield from self._arrive(name)

    def _arrive(self, name: str) -> Plan:
        node, deadline = self.nodes[name], time.monotonic() + READY_LIMIT
        while not node.ready():
            if not node.alive() or time.monotonic() > deadline:
                self.welcome(name)  # it is started again as any other that died
                raise NotDone(f"{name} does not become ready; its log says why. The other nodes go on as they are.")
            yield ""
        self.welcome(name)
        deadline = time.monotonic() + TRUST_LIMIT
        while not self._balancer.trusts(name) and time.monotonic() < deadline:
            yield ""
        yield f"{name}: serves"

    def _leave(self, name: str) -> Plan:
        yield from self._stop(name)
        self._balancer.used.remove(name)
        self._balancer.direct(name, "maint")
        del self.nodes[name]

    def _stop(self, name: str) -> Plan:
        yield f"{name}: draining"
        self._balancer.direct(name, "drain")
        self._watches.pop(name, None)
        node = self.nodes[name]
        node.ask_to_stop()
        deadline = time.monotonic() + node.drain_limit
        while node.alive() and time.monotonic() < deadline:
            yield ""
        node.kill()

    def stop(self) -> None:
        """All nodes drain together."""
        with ExitStack() as ends:
            for node in self.nodes.values():
                node.ask_to_stop()
                ends.callback(node.stop)
