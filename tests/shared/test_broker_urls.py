"""BUS_URL, POSTS_FROM and POSTS_TO: TLS to real brokers, and URLs that cannot work."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chat.local.data_dir import free_port
from chat.local.databases import given_urls
from chat.local.engine import RabbitEngine, find_program
from chat.shared.bus import Bus, NatsBus, RabbitBus, check_broker_url, split_brokers, split_queue
from chat.shared.child_process import leashed
from chat.shared.message_queue import open_inbox
from chat.shared.settings import BadSettings, is_secret, read_settings
from tests.registry.servers import make_certificate
from tests.waiting import eventually

REFUSED = {
    "localhost:5672": "unknown scheme",
    "http://localhost": "unknown scheme",
    "kafka://localhost": "unknown scheme",
    "amqp://:sword/fish@localhost": "%2F",
    "amqp://ana:sword#fish@localhost": "%23",
    "amqp://localhost:port": "told apart",
    "amqp:///vhost": "told apart",
    "nats://localhost,": "told apart",
    "amqps://localhost/?colour=red": "unknown option: colour",
    "amqp://localhost/?cafile=/etc/ssl/ca.pem": "amqps instead of amqp",
    "tls://localhost?cafile=/nowhere.pem": "certificates or keys cannot be read",
}


@pytest.mark.parametrize("url", REFUSED)
@pytest.mark.parametrize("setting", ["bus_url", "posts_from", "posts_to"])
def test_a_url_that_cannot_work_is_refused_at_the_start(url: str, setting: str) -> None:
    """With the name of the setting and the reason, and without any part of a password."""
    parts = urlsplit(url)
    named = url if setting == "bus_url" else parts._replace(path=f"{parts.path.rstrip('/')}/orders").geturl()
    with pytest.raises(BadSettings) as refused:
        read_settings(database_url="postgresql://", redis_url="redis://localhost", **{setting: named})
    said = str(refused.value)
    assert said.startswith(setting.upper())
    if setting == "bus_url":
        assert REFUSED[url] in said
    assert "sword" not in said.replace("password", "")


@pytest.mark.parametrize(
    "url", ["amqp://localhost", "nats://localhost/", "redis://localhost/0/", "amqp://localhost/a b"]
)
def test_a_queue_needs_a_name(url: str) -> None:
    """The path of a queue's URL ends in its name."""
    with pytest.raises(BadSettings, match=r"POSTS_FROM.*name of a queue"):
        read_settings(database_url="postgresql://", redis_url="redis://localhost", posts_from=url)


def test_parts_of_a_url() -> None:
    """The name of the queue comes last, after the virtual host; credentials belong to every server of a list."""
    assert split_queue("amqp://ana:pw@host/vhost/orders") == ("amqp://ana:pw@host/vhost", "orders")
    assert split_queue("redis://host/3/orders") == ("redis://host/3", "orders")
    servers = split_brokers(check_broker_url("nats://ana:pw@a:1,b:2"))
    assert servers == ["nats://ana:pw@a:1", "nats://ana:pw@b:2"]


def test_these_settings_are_secrets() -> None:
    """They contain passwords, so they are removed from the environment that other processes can read."""
    assert all(is_secret(name) for name in ("BUS_URL", "POSTS_FROM", "POSTS_TO"))


def test_nodes_of_one_machine_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """`tandem up` hides its settings with passwords, and hands them to its nodes."""
    given = {"BUS_URL": "nats://a", "POSTS_FROM": "nats://a/orders", "POSTS_TO": "nats://a/entries"}
    for name, url in given.items():
        monkeypatch.setenv(name, url)
    assert given.items() <= given_urls().environment().items()


@asynccontextmanager
async def receiving(bus: Bus) -> AsyncIterator[asyncio.Event]:
    """Receive from a bus; yield an event that is set when it is ready."""
    ready = asyncio.Event()
    task = asyncio.create_task(bus.receive(ready.set, lambda _: None))
    try:
        yield ready
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, ConnectionError):
            await task


@pytest.fixture
def nats_with_tls(tmp_path: Path) -> Iterator[str]:
    """The address of a NATS that speaks TLS alone; its certificate is `tls.crt` in the test's folder."""
    certificate, port = make_certificate(tmp_path), free_port()
    file = tmp_path / "nats.conf"
    file.write_text(f'listen: 127.0.0.1:{port}\ntls {{ cert_file: "{certificate}", key_file: "{tmp_path}/tls.key" }}\n')
    command = leashed([find_program("nats-server", "NATS", "nats-server"), "-c", str(file)], signal.SIGKILL)
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    yield f"127.0.0.1:{port}"
    process.kill()
    process.wait()


async def test_nats_with_tls(nats_with_tls: str, tmp_path: Path) -> None:
    """A certificate that is named is trusted; another one is not."""
    bus = NatsBus(f"tls://{nats_with_tls}?cafile={tmp_path}/tls.crt")

    async def is_ready() -> bool:
        async with receiving(bus) as ready:
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await ready.wait()
            return ready.is_set()

    await eventually(is_ready)
    with pytest.raises(ConnectionError, match=r"(?i)certificate"):
        await NatsBus(f"tls://{nats_with_tls}").receive(lambda: None, lambda _: None)


async def test_rabbit_with_tls(rabbit: RabbitEngine, tmp_path: Path) -> None:
    """The same for RabbitMQ, which gets a port for TLS while it runs."""
    certificate, port = make_certificate(tmp_path), free_port()
    options = f'[{{certfile,"{certificate}"}},{{keyfile,"{tmp_path}/tls.key"}}]'
    start = (
        f"application:set_env(rabbit,ssl_options,{options}),rabbit_networking:start_ssl_listener({port},{options},4)."
    )
    assert await asyncio.to_thread(rabbit.control, "eval", start)
    access = urlsplit(rabbit.url).netloc.rpartition(":")[0]
    async with receiving(RabbitBus(f"amqps://{access}:{port}?cafile={certificate}")) as ready, asyncio.timeout(20):
        await ready.wait()
    with pytest.raises(ConnectionError, match=r"(?i)certificate"):
        await RabbitBus(f"amqps://{access}:{port}").receive(lambda: None, lambda _: None)


async def test_wrong_passwords_are_not_repeated(rabbit: RabbitEngine) -> None:
    """The error of a refused log-in has no part of the URL's password."""
    url = rabbit.url.replace(rabbit.data_dir.secret(), "swordfish")
    with pytest.raises(ConnectionError) as refused:
        await RabbitBus(url).receive(lambda: None, lambda _: None)
    assert "swordfish" not in str(refused.value)
    with pytest.raises(ConnectionError) as refused:
        async with open_inbox(f"{url}/orders", "a1"):
            pass
    assert "swordfish" not in str(refused.value)


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x01\x00\x00\xff\xff\xff\xff"])
@pytest.mark.parametrize("bus", [RabbitBus, NatsBus])
async def test_a_server_that_speaks_something_else(bus: type[RabbitBus | NatsBus], greeting: bytes) -> None:
    """A server that closes at once, such as a proxy without a broker, or that is none, is an unavailable bus."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        scheme = "amqp" if bus is RabbitBus else "nats"
        with pytest.raises((ConnectionError, TimeoutError)):
            await bus(f"{scheme}://127.0.0.1:{port}").receive(lambda: None, lambda _: None)
