"""The nodes of this machine behind their balancer: watched, added, removed and restarted without downtime.

A long operation is a *plan*: a generator that yields at each check, with a progress line or nothing, so that everything
else stays watched. Only the main thread starts nodes, because they end with the thread that started them.

`tandem scale` and `tandem restart` send requests to a control socket in the fleet's folder. A request is one JSON line.
The answer is one JSON line per progress report, then `done` or `failed`. Requests run one at a time: a request that
arrives while another is running fails.
"""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

from chat.client.node_process import READY_LIMIT, NodeProcess
from chat.local.data_dir import connect_unix, listen_unix
from chat.local.errors import EngineError, KeepsDying, NoFleet, NotDone, StartError
from chat.local.haproxy import MOST_NODES, Balancer, balancer_folder
from chat.local.progress import show, show_error


class WatchedProcess(Protocol):
    """A process that can be watched: a server, a node, HAProxy."""

    @property
    def name(self) -> str:
        """Return the name shown to operators."""

    def alive(self) -> bool:
        """Return whether it runs."""

    def start(self) -> None:
        """Start it again."""

    def exit_reason(self) -> str:
        """Return how it ended."""


class ProcessWatch:
    """Keep one process running."""

    def __init__(self, process: WatchedProcess, clock: Callable[[], float] = time.monotonic) -> None:
        self._process, self._clock = process, clock
        self._restarts = Restarts(clock())
        self._due: float | None = None

    def check(self) -> None:
        """Notice an exit, or restart the process when it is time. Raise `KeepsDying` to give up.

        Never blocks for longer than a start takes.
        """
        if self._due is None:
            if not self._process.alive():
                self._schedule_restart(self._process.exit_reason())
        elif self._clock() >= self._due:
            self._start()

    def _schedule_restart(self, how: str) -> None:
        delay = self._restarts.record_exit(self._clock())
        if delay is None:
            raise KeepsDying(self._process.name, self._restarts.quick_exits, f"Last time it {how}.")
        show(f"{self._process.name} {how}; restarting{f' in {delay:.1f} s' if delay else ''}")
        self._due = self._clock() + delay

    def _start(self) -> None:
        self._due, self._restarts.started = None, self._clock()
        try:
            self._process.start()
        except EngineError as error:
            self._schedule_restart(f"could not be started: {error}")


# When to restart. Pure: the time is an argument.

QUICK = 10.0  # seconds; an exit earlier than this is a quick exit
MAX_QUICK_EXITS = 6  # in a row, before giving up
MAX_DELAY = 5.0


@dataclass(slots=True)
class Restarts:
    """The history of one process: its last start, quick exits in a row, and whether it ever ran for long (`proven`).

    A process that did is never given up: a disk that is full now will have room again.
    """

    started: float
    quick_exits: int = 0
    proven: bool = False

    def record_exit(self, now: float) -> float | None:
        """Return the seconds to wait before the next start, or None to give up."""
        self.proven = self.proven or now - self.started >= QUICK
        self.quick_exits = self.quick_exits + 1 if now - self.started < QUICK else 0
        if self.quick_exits >= MAX_QUICK_EXITS and not self.proven:
            return None
        return min(MAX_DELAY, 0.25 * 2 ** min(self.quick_exits, MAX_QUICK_EXITS)) if self.quick_exits else 0.0


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


SOCKET_NAME = "control"
READ_TIMEOUT = 1.0
ANSWER_TIMEOUT = 600.0  # between two lines: a node drains, ends, starts and replays its log
MAX_REQUEST = 64 * 1024
Commands = Mapping[str, Callable[..., Plan]]


class Control:
    """Listen in the folder. `commands` maps a request's `do` to a function that gets its other fields."""

    def __init__(self, folder: Path, commands: Commands) -> None:
        self._commands = commands
        self._listener = listen_unix(folder / SOCKET_NAME)
        self._listener.setblocking(False)
        self._client: socket.socket | None = None
        self._plan: Plan | None = None

    def poll(self) -> None:
        """Accept a request and continue the one in progress. Never block for more than a moment."""
        try:
            client, _ = self._listener.accept()
        except BlockingIOError:
            pass
        else:
            self._read_request(client)
        if self._plan is not None:
            self._advance(self._plan)

    def _read_request(self, client: socket.socket) -> None:
        client.settimeout(READ_TIMEOUT)
        if self._plan is not None:
            answer(client, failed="Another request is in progress. Retry when it is done.")
            client.close()
            return
        self._client = client
        try:
            request = orjson.loads(client.recv(MAX_REQUEST))
            self._plan = self._commands[request.pop("do")](**request)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._finish(failed="Unknown or malformed request.")

    def _advance(self, plan: Plan) -> None:
        try:
            line = next(plan)
        except StopIteration:
            self._finish(done=True)
        except StartError as error:
            self._finish(failed=str(error))
        else:
            if line:
                show(line)
                answer(self._client, line=line)

    def _finish(self, **fields: object) -> None:
        answer(self._client, **fields)
        if self._client is not None:
            self._client.close()
        self._client = self._plan = None

    def close(self) -> None:
        """Stop listening, and fail the request in progress."""
        if self._plan is not None:
            self._finish(failed="Tandem is stopping.")
        self._listener.close()


def answer(client: socket.socket | None, **fields: Any) -> None:
    """Send one line. A client that has disconnected, or does not read, misses it."""
    try:
        if client is not None:
            client.sendall(orjson.dumps(fields) + b"\n")
    except OSError:
        pass


def ask_fleet(data: Path, do: str, **arguments: Any) -> None:
    """Send a request to the fleet in the data folder and print its answer.

    Raise `NoFleet` if none runs there, or `NotDone` with the reason if it cannot be reached or the request fails.
    """
    try:
        connection = connect_unix(balancer_folder(data) / SOCKET_NAME, ANSWER_TIMEOUT)
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        raise NoFleet(data) from None
    except OSError as error:
        raise NotDone(f"The Tandem in {data} cannot be reached: {error.strerror or error}.") from None
    with connection, connection.makefile("rb") as lines:
        connection.sendall(orjson.dumps({"do": do, **arguments}))
        for line in lines:
            fields = orjson.loads(line)
            if "line" in fields:
                show(fields["line"])
            elif "failed" in fields:
                raise NotDone(fields["failed"])
            else:
                return
    raise NotDone("Tandem ended before the request was done.")
