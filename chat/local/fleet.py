"""The fleet: the nodes of this machine behind their balancer, each watched; it grows, shrinks and renews while people
talk.

What takes its time is a *plan*: a generator that yields at each glance, with the next line to tell or nothing, so that
everything else goes on being watched. Nodes are started by the main thread alone, for they die with their starter.
"""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

from chat.local.address import near_address
from chat.local.child_process import how_it_ended
from chat.local.errors import KeepsDying, NodeFailed, NotDone
from chat.local.haproxy import MOST_NODES, Balancer
from chat.local.parent_watch import leashed
from chat.local.progress import complain
from chat.local.watch import ProcessWatch

# One node process: `tandem serve` as a child that dies with us.

READY_LIMIT = 60.0


class Node:
    """A node called `name` on an address; `environment` goes before ours. Its log goes to our standard error.

    `operations`: the port of its health and metrics; 0: that of everything else.
    """

    def __init__(
        self, name: str, host: str, port: int, environment: Mapping[str, str], patience: float, operations: int = 0
    ) -> None:
        self.name = f"node {name}"
        self._serve = [
            sys.executable,
            "-m",
            "chat",
            "serve",
            "--node",
            name,
            f"--host={host}",
            f"--port={port}",
            *([f"--operations-port={operations}"] if operations else []),
        ]
        self._host, self._health = host, operations or port
        self._environment = os.environ | environment
        self.patience = patience  # how long it may drain, in seconds
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process, in a group of its own: Ctrl-C is for us, and we tell it when to drain.

        Not in a session of its own: Linux shares the processor out between sessions first (autogroups), so that of
        many nodes each would get as much as all else that was started from here.
        """
        self._process = subprocess.Popen(
            leashed(self._serve, signal.SIGKILL),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            process_group=0,
        )

    def alive(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def how_it_ended(self) -> str:
        """How it died."""
        return how_it_ended(self._process)

    def await_ready(self) -> None:
        """Wait until it serves; raise `NodeFailed` when it ends first or takes too long."""
        deadline = time.monotonic() + READY_LIMIT
        while not self.ready():
            if not self.alive():
                raise NodeFailed(self.name, self.how_it_ended())
            if time.monotonic() > deadline:
                raise NodeFailed(self.name, f"was not ready within {READY_LIMIT:.0f} s")
            time.sleep(0.02)

    def ready(self) -> bool:
        """Whether it serves; one short try."""
        connection = http.client.HTTPConnection(near_address(self._host), self._health, timeout=2.0)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def ask_to_stop(self) -> None:
        """Ask it to drain."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """Drain and wait for the end; a node that does not come to one is killed."""
        self.ask_to_stop()
        if self._process is not None:
            try:
                self._process.wait(self.patience)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End it at once; harmless when it has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


Plan = Iterator[str]
TRUST_LIMIT = 5.0


class Fleet:
    """Nodes by name. `make_node(name, port, health)`: one that is not started yet."""

    def __init__(self, balancer: Balancer, make_node: Callable[[str, int, int], Node]) -> None:
        self._balancer, self._make_node = balancer, make_node
        self.nodes: dict[str, Node] = {}
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
        deadline = time.monotonic() + node.patience
        while node.alive() and time.monotonic() < deadline:
            yield ""
        node.kill()

    def stop(self) -> None:
        """All nodes drain together."""
        with ExitStack() as ends:
            for node in self.nodes.values():
                node.ask_to_stop()
                ends.callback(node.stop)
