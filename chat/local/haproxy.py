"""The load balancer before the nodes of this machine: HAProxy as a child that dies with us.

The public port and the control socket are opened here and handed over, so that both outlive an HAProxy that dies: who
connects meanwhile waits, for as long as it takes to start another one, and is not refused.
"""

import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from chat.engines.ending import how_it_ended
from chat.engines.home import Home
from chat.engines.leash import leashed
from chat.engines.ports import free_port
from chat.shared.environment import without_secrets
from chat.up.address import open_port, url_of
from chat.up.haproxy import write_configuration
from chat.up.programs import haproxy_program
from chat.up.trouble import BalancerFailed
from chat.up.unix import connect_unix, listen_unix

MOST_NODES = 16
START_LIMIT = 10.0
STOP_LIMIT = 5.0
ANSWER_LIMIT = 2.0
NONE: Mapping[str, int] = MappingProxyType({})


class Balancer:
    """HAProxy on the address `host` and `port`, before the nodes whose names are in `used`; each has a port in `ports`.

    `quiet`: seconds without a byte after which a connection is taken to be dead. `health`: the port of each node's
    health, where it is another one.
    """

    name = "HAProxy"

    def __init__(
        self,
        home: Home,
        host: str,
        port: int,
        quiet: int,
        ports: Mapping[str, int],
        health: Mapping[str, int] = NONE,
    ) -> None:
        self._home, self._quiet = home, quiet
        self._program = haproxy_program()
        self.ports, self.health, self.used = ports, health, list[str]()
        self.port, self.url, self.log = port, url_of(host, port), home.log
        self._public = open_port(host, port)
        self._control = listen_unix(home.folder / "haproxy")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it with the nodes there are by now."""
        descriptors = (self._control.fileno(), self._public.fileno())
        configuration = self._home.folder / "haproxy.cfg"
        written = write_configuration(self.ports, self.health, self.used, *descriptors, self._quiet)
        configuration.write_text(written)
        with open(self._home.open_log(), "ab") as log:
            self._process = subprocess.Popen(
                leashed([str(self._program), "-db", "-f", str(configuration)], signal.SIGKILL),
                pass_fds=descriptors,
                env=without_secrets(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    def await_trust(self) -> None:
        """Wait until it sends people to all nodes; raises `BalancerFailed`."""
        deadline = time.monotonic() + START_LIMIT
        while not all(map(self.trusts, self.used)):
            if not self.alive() or time.monotonic() > deadline:
                raise BalancerFailed(self.how_it_ended(), self._home.log)
            time.sleep(0.02)

    def alive(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def how_it_ended(self) -> str:
        """How it died."""
        return how_it_ended(self._process)

    def stop(self) -> None:
        """End it, and let go of the port."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self.kill()
        self._public.close()
        self._control.close()

    def kill(self) -> None:
        """End it at once, with all that goes through it; the port stays ours."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def direct(self, node: str, state: str) -> None:
        """`ready`: it gets people when it is ready; `drain`: it gets nobody new; `maint`: it is not there."""
        self._say(f"set server nodes/{node} state {state}")

    def trusts(self, node: str) -> bool:
        """Has it seen that this node is ready?"""
        rows = (row.split() for row in self._say("show servers state nodes").splitlines())
        return any(len(row) > 6 and row[3] == node and row[5] == "2" and row[6] == "0" for row in rows)

    def _say(self, command: str) -> str:
        """What it answers; nothing when it is not there, and then it starts with all that is known here."""
        try:
            with connect_unix(self._home.folder / "haproxy", ANSWER_LIMIT) as link:
                link.sendall(command.encode() + b"\n")
                link.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: link.recv(65_536), b"")).decode()
        except OSError:
            return ""


def find_places() -> dict[str, int]:
    """Names and ports for as many nodes as there may ever be."""
    return {f"n{n}": free_port() for n in range(1, MOST_NODES + 1)}


def folder_of(data: Path) -> Path:
    """Where a fleet keeps its balancer's files and hears what it is asked."""
    return data.expanduser().resolve() / "balancer"
