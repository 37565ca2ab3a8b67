"""The proxies of `deploy/` as processes in front of real nodes, with a certificate."""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from chat.client.node_process import NodeProcess
from chat.local.data_dir import free_port
from chat.shared.child_process import leashed
from tests.waiting import wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"
PLACES = ("node1:8080", "node2:8080", "node3:8080")
STARTED = 30.0


@dataclass
class Front:
    """A proxy's addresses. `plain`: the port that redirects to TLS; `figures`: HAProxy's own metrics."""

    name: str
    port: int
    plain: int
    figures: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the address in the browser."""
        return f"https://localhost:{self.port}"

    def kill(self) -> None:
        """Kill the proxy with all its connections."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()


def make_certificate(folder: Path) -> Path:
    """Make a self-signed certificate: `tls.crt`, `tls.key`, and both in `tls.pem`."""
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout tls.key -out tls.crt"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    (folder / "tls.pem").write_text((folder / "tls.crt").read_text() + (folder / "tls.key").read_text())
    return folder / "tls.pem"


def trust(folder: Path) -> ssl.SSLContext:
    """Return an SSL context that trusts that certificate."""
    return ssl.create_default_context(cafile=folder / "tls.crt")


def program(name: str) -> str:
    """Return the path of a program that `deploy/test` installs; fail the test without it."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.fail(
            f"These tests need {name}. Debian, Ubuntu: sudo apt-get install haproxy nginx-light caddy prometheus"
        )
    return found


def haproxy_settings(nodes: Sequence[NodeProcess], front: Front, folder: Path) -> dict[str, str]:
    """Return the variables of haproxy.cfg. With fewer than three nodes the last one is repeated."""
    three = [nodes[min(n, len(nodes) - 1)] for n in range(3)]
    places = {f"TANDEM_NODE{n}": f"127.0.0.1:{node.port}" for n, node in enumerate(three, 1)}
    places |= {f"TANDEM_HEALTH{n}": str(node.health_port) for n, node in enumerate(three, 1)}
    return places | {
        "TANDEM_CERT": str(folder / "tls.pem"),
        "TANDEM_HTTP": f"127.0.0.1:{front.plain}",
        "TANDEM_HTTPS": f"127.0.0.1:{front.port}",
        "TANDEM_FIGURES": f"127.0.0.1:{front.figures}",
    }


def changed(file: str, changes: Mapping[str, str]) -> str:
    """Return a file of `deploy/` with these changes."""
    text = (DEPLOY / file).read_text()
    for was, now in changes.items():
        assert was in text
        text = text.replace(was, now)
    return text


def haproxy_file(folder: Path, changes: Mapping[str, str]) -> Path:
    """Write haproxy.cfg, unchanged but for the control socket."""
    text = changed("haproxy.cfg", changes | {"/tmp/tandem-haproxy.sock": f"{folder}/control"})
    (folder / "haproxy.cfg").write_text(text)
    return folder / "haproxy.cfg"


def nginx_file(nodes: Sequence[NodeProcess], front: Front, folder: Path, changes: Mapping[str, str]) -> Path:
    """Write nginx.conf, unchanged but for addresses and folders."""
    places = {place: f"127.0.0.1:{node.port}" for place, node in zip(PLACES, [*nodes, *nodes, *nodes], strict=False)}
    own = {"/etc/tandem/": f"{folder}/", "/run/nginx.pid": f"{folder}/nginx.pid"}
    text = changed("nginx.conf", changes | places | own)
    text = re.sub(r"listen 80;", f"listen 127.0.0.1:{front.plain};", text)
    text = re.sub(r"listen 443 ssl", f"listen 127.0.0.1:{front.port} ssl", text)
    (folder / "nginx.conf").write_text(text)
    return folder / "nginx.conf"


def caddy_file(nodes: Sequence[NodeProcess], front: Front, folder: Path, changes: Mapping[str, str]) -> Path:
    """Write the Caddyfile, unchanged but for addresses, the certificate, and the port of the nodes' health."""
    ports = f"http_port {front.plain}\n\thttps_port {front.port}\n\tadmin off"
    own = {
        " ".join(PLACES): " ".join(f"127.0.0.1:{node.port}" for node in nodes),
        "\t\thealth_port 8081\n": "",
        "grace_period 10s": f"grace_period 1s\n\t{ports}",
        "chat.example.org {": f"localhost {{\n\tbind 127.0.0.1\n\ttls {folder}/tls.crt {folder}/tls.key",
    }
    (folder / "Caddyfile").write_text(changed("Caddyfile", changes | own))
    return folder / "Caddyfile"


def command_of(name: str, nodes: Sequence[NodeProcess], front: Front, changes: Mapping[str, str]) -> list[str]:
    """Write the proxy's file, and return the command that runs it."""
    folder = front.log.parent
    if name == "haproxy":
        return [program(name), "-db", "-f", str(haproxy_file(folder, changes))]
    if name == "caddy":
        file = caddy_file(nodes, front, folder, changes)
        return [program(name), "run", "--adapter", "caddyfile", "--config", str(file)]
    return [program(name), "-c", str(nginx_file(nodes, front, folder, changes)), "-e", "stderr", "-g", "daemon off;"]


@contextmanager
def proxy(
    name: str, nodes: Sequence[NodeProcess], folder: Path, changes: Mapping[str, str] | None = None
) -> Iterator[Front]:
    """Run HAProxy, nginx or Caddy until the end of the block, with these changes of its file."""
    front = Front(name, free_port(), free_port(), free_port(), folder / f"{name}.log")
    make_certificate(folder)
    settings = haproxy_settings(nodes, front, folder) | {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    command = command_of(name, nodes, front, changes or {})
    with front.log.open("wb") as log:
        process = subprocess.Popen(leashed(command, signal.SIGKILL), env=os.environ | settings, stdout=log, stderr=log)
    front.process = process
    try:
        wait_until(lambda: is_open(front.port) or process.poll() is not None, STARTED)
        assert process.poll() is None, front.log.read_text()
        yield front
    finally:
        process.terminate()
        process.wait(STARTED)


def is_open(port: int) -> bool:
    """Return whether the port is open."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
