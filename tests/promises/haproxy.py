"""HAProxy as `tandem up` starts it, in front of nodes that a test breaks."""

import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from chat.client.node_process import NodeProcess
from chat.local.data_dir import DataDir, free_port
from chat.local.haproxy import Balancer


class Gate:
    """The balancer, which a crowd uses like a node."""

    draining = False

    def __init__(self, nodes: Sequence[NodeProcess], folder: Path, quiet: int) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._home = DataDir(folder / "balancer")
        self._home.lock()
        self.balancer = Balancer(self._home, "127.0.0.1", self.port, quiet, {node.name: node.port for node in nodes})
        self.balancer.active = [node.name for node in nodes]
        self.balancer.start()
        self.balancer.wait_until_ready()

    def alive(self) -> bool:
        """Return whether it forwards connections."""
        return self.balancer.alive()

    def close(self) -> None:
        """Stop it for good."""
        self.balancer.stop()
        self._home.unlock()


@contextmanager
def gate(nodes: Sequence[NodeProcess], folder: Path, quiet: int = 60) -> Iterator[Gate]:
    """Run the balancer until the end of the block."""
    one = Gate(nodes, folder, quiet)
    try:
        yield one
    finally:
        one.close()


def room_for(connections: int) -> bool:
    """Allow this process, and those it starts later, so many file descriptors; return False if the system refuses."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= connections:
        return True
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (connections, max(hard, connections)))
    except (ValueError, OSError):
        return False
    return True
