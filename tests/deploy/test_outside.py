"""Outside callers reach no metrics, no health checks and no weak cipher through the shipped proxies."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from chat.client.node_process import NodeProcess
from chat.local.data_dir import free_port
from tests.cast import Cast
from tests.deploy.proxies import Front, proxy, trust
from tests.promises.conftest import StartNode, stage, start_node
from tests.waiting import eventually

__all__ = ["stage", "start_node"]
BEHIND = {"TRUSTED_PROXIES": "127.0.0.1", "COOKIE_SECURE": "true", "METRICS_PUBLIC": "true"}

# Spellings of the same paths, which a proxy may compare before it decodes them.
SPELLINGS = (
    *("/metrics", "/%6detrics", "/%6Detric%73", "//metrics", "/metrics?x=1", "/metrics%3F", "/metrics/"),
    *("/health/ready", "/%68ealth/ready", "/health%2Fready", "/%68%65alth/%72eady", "//health/ready", "/health//ready"),
    *("/x/../metrics", "/./health/ready", "/x/%2e%2e/health/ready", "/api/../health/live", "/health/./ready"),
)
WEAK = ("AES128-SHA", "AES256-SHA", "AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES128-SHA256")
STRONG = ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305")


@pytest.fixture(params=["one port", "two ports"])
async def node(request: pytest.FixtureRequest, start_node: StartNode) -> NodeProcess:
    """A node as `deploy/` starts it, or with everything on one port."""
    apart = {"OPERATIONS_PORT": str(free_port())} if request.param == "two ports" else {}
    return await start_node("a1", **BEHIND, **apart)


@pytest.fixture(params=["haproxy", "nginx"])
async def front(request: pytest.FixtureRequest, node: NodeProcess, tmp_path: Path) -> AsyncIterator[Front]:
    """Each proxy in front of the node."""
    with proxy(request.param, [node], tmp_path) as one:
        yield one


def ask(front: Front, path: str, folder: Path) -> tuple[int, str]:
    """Send a request with curl, which keeps the path as it is; return the status and the body."""
    command = ["curl", "--silent", "--path-as-is", "--cacert", str(folder / "tls.crt"), "--write-out", "\n%{http_code}"]
    told = subprocess.run([*command, front.url + path], capture_output=True, text=True, check=True).stdout
    body, _, status = told.rpartition("\n")
    return int(status), body


def handshake(front: Front, cipher: str) -> bool:
    """Return whether TLS 1.2 with this cipher is accepted."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{front.port}", "-tls1_2", "-cipher", cipher]
    done = subprocess.run([*command, "-brief"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.returncode == 0 and f"Ciphersuite: {cipher}" in done.stderr + done.stdout


async def test_health_and_metrics_stay_inside(front: Front, node: NodeProcess, tmp_path: Path) -> None:
    """Health and metrics are hidden however the path is spelled; the balancer and Prometheus reach them."""
    await eventually(lambda: asyncio.to_thread(is_open, front, tmp_path))
    for path in SPELLINGS:
        status, body = await asyncio.to_thread(ask, front, path, tmp_path)
        assert status in (400, 404) or "<!doctype html>" in body.lower(), (path, status, body[:200])
        assert '"status":' not in body or '"status":404' in body or '"status":400' in body, (path, body[:200])
        assert "tandem_" not in body, path
    async with aiohttp.ClientSession() as http:
        for path in ("/metrics", "/health/ready", "/health/live"):
            async with http.get(f"http://127.0.0.1:{node.health_port}{path}") as answer:
                assert answer.status == 200


def is_open(front: Front, folder: Path) -> bool:
    """Return whether the proxy sends requests to the node."""
    return ask(front, "/api/users/me", folder)[0] == 401


async def test_a_node_with_two_ports_shares_nothing_between_them(start_node: StartNode, stage: Cast) -> None:
    """The public port has no health checks, not even for loopback; the operations port has nothing else."""
    node = await start_node("b2", OPERATIONS_PORT=str(free_port()))
    inner = f"http://127.0.0.1:{node.health_port}"
    for path in ("/metrics", "/health/ready", "/health/live"):
        async with stage.http.get(node.url + path) as answer:
            assert (answer.status, (await answer.json())["code"]) == (404, "not_found")
    for path in ("/", "/api/users/me", "/api/chat/stream", "/api/openapi.json"):
        async with stage.http.get(inner + path) as answer:
            assert answer.status == 404
    async with stage.http.get(inner + "/health/live") as answer:
        assert (answer.status, answer.headers["X-Content-Type-Options"]) == (200, "nosniff")


@pytest.mark.parametrize("node", ["two ports"], indirect=True)
def test_only_ciphers_with_forward_secrecy(front: Front, tmp_path: Path) -> None:
    """Static RSA and CBC are refused; TLS 1.2 with an AEAD and TLS 1.3 are accepted."""
    assert {cipher: handshake(front, cipher) for cipher in (*WEAK, *STRONG)} == {
        **dict.fromkeys(WEAK, False),
        **dict.fromkeys(STRONG, True),
    }
    with open_tls(front, tmp_path) as secure:
        assert secure.version() == "TLSv1.3"


def open_tls(front: Front, folder: Path) -> ssl.SSLSocket:
    """Open a connection with all ciphers of Python."""
    plain = socket.create_connection(("127.0.0.1", front.port), 5)
    return trust(folder).wrap_socket(plain, server_hostname="localhost")


async def test_both_sockets_are_upgraded(front: Front, stage: Cast, tmp_path: Path) -> None:
    """The stream over a WebSocket and the presence socket are upgraded."""
    (ana,) = await stage.enters("ana")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust(tmp_path))) as http:
        for path in ("/api/chat/socket", "/api/presence/socket"):
            headers = {"Authorization": f"Bearer {ana.token}", "Origin": front.url}
            async with http.ws_connect(front.url + path, headers=headers) as opened:
                assert await opened.receive_json(timeout=5)
