"""A node as a process: listen, serve until told to stop, drain, and exit."""

import asyncio
import gc
import resource
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import psycopg
import structlog
import uvloop
from aiohttp import web

from chat.accounts.accounts import count_demo_accounts, demo_warning, is_reachable
from chat.app import DRAINING, NODE_URL, TASKS, make_app, make_operations_app
from chat.http_server import ServerRunner
from chat.shared.logging import set_up_logs
from chat.shared.postgres import UNAVAILABLE
from chat.shared.settings import Settings
from chat.shared.tasks import Tasks, first_of
from chat.shared.web import POOL, SETTINGS

LEFT_SECONDS = 1.0  # in which a proxy may still use a connection that it has kept
COLLECTED = 10_000, 20, 20  # thresholds of the garbage collector's three generations
log = structlog.get_logger(__name__)


def run(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a second signal stops at once. Raise `OSError` if the port is
    taken."""
    set_up_logs(settings.log_format)
    raise_descriptor_limit()
    uvloop.run(serve(settings, host, port))


def raise_descriptor_limit() -> None:
    """Allow as many connections as the system does; most shells start with a limit of 1,024 descriptors."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def serve(settings: Settings, host: str, port: int) -> None:
    """Serve like `run`, within a loop."""
    app = make_app(settings)
    app[NODE_URL] = app[NODE_URL] or url_of(host, port)
    runner = ServerRunner(app, keepalive_timeout=settings.keep_alive_seconds, shutdown_timeout=5)
    await runner.setup()
    try:
        for listener in open_listeners(host, port):
            await web.SockSite(runner, listener, backlog=BACKLOG).start()
        async with serving_operations(app, host, settings.operations_port):
            await warn_of_demo(app, host)
            freeze_garbage()
            log.info("serving", node=settings.node, host=host, port=port)
            await wait_for_end(app)
            await first_of(leave(app, runner, min(settings.drain_seconds, LEFT_SECONDS)), wait_for_signal())
    finally:
        await runner.cleanup()


async def leave(app: web.Application, runner: ServerRunner, seconds: float) -> None:
    """Drain, then refuse new connections and wait for requests on kept ones, so that no request is lost."""
    runner.retire()
    await app[DRAINING].drain()
    await runner.stop_listening(seconds)


async def warn_of_demo(app: web.Application, host: str) -> None:
    """Log a warning if demo accounts exist and others can reach this node."""
    if not is_reachable(host, app[SETTINGS]):
        return
    # Without its migrations or PostgreSQL a node is not ready, and readiness reports that.
    with suppress(psycopg.errors.UndefinedTable, *UNAVAILABLE):
        async with app[POOL].connection() as connection:
            count = await count_demo_accounts(connection)
        if count:
            log.warning("demo accounts are reachable", what=demo_warning(count))


@asynccontextmanager
async def serving_operations(app: web.Application, host: str, port: int) -> AsyncIterator[None]:
    """Serve health and metrics on their own port while the block runs; port 0 disables them."""
    if not port:
        yield
        return
    runner = ServerRunner(make_operations_app(app), shutdown_timeout=1)
    await runner.setup()
    try:
        for listener in open_listeners(host, port):
            await web.SockSite(runner, listener, backlog=BACKLOG).start()
        yield
    finally:
        await runner.cleanup()


def freeze_garbage() -> None:
    """Exempt the objects of startup from garbage collection, and collect less often, as requests leave no cycles.

    Collection took a tenth of a busy node's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED)


async def wait_for_end(app: web.Application) -> None:
    """Wait for a signal, or raise when a background task has failed."""
    await first_of(wait_for_signal(), raise_on_failure(app[TASKS]))


async def raise_on_failure(tasks: Tasks) -> None:
    """Raise when a background task has failed, because a node that does half its work is worse than none."""
    raise SystemExit(f"background task raise_on_failure: {await tasks.failed}")


async def wait_for_signal() -> None:
    """Return at the next SIGTERM or SIGINT."""
    loop, came = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, came.set)
    await came.wait()


# uvloop accepts one connection from a listening socket in each iteration of the loop. A busy node, whose iterations are
# long, accepted 550 a second while 1,000 arrived, and some waited for 5 s. So each socket is duplicated and listened on
# several times; one in a hundred then waited for more than 0.3 s.

BACKLOG = 4096
LISTENERS = 16


def open_listeners(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen on this port, on every address of `host`; raise `OSError` if it is taken.

    `::` alone is all addresses, IPv4 included, as in nginx and HAProxy.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses = dict.fromkeys((info[0], info[4][:2]) for info in found)
    dual = [address[0] for _, address in addresses] == ["::"] and socket.has_dualstack_ipv6()
    listeners = []
    for family, address in addresses:
        first = socket.create_server(address, family=family, backlog=BACKLOG, dualstack_ipv6=dual)
        listeners += [first, *(first.dup() for _ in range(LISTENERS - 1))]
    return listeners


def url_of(host: str, port: int) -> str:
    """Return the URL at which peer nodes reach a server that listens here; empty if unknown."""
    if host in ("0.0.0.0", "::", ""):
        family = socket.AF_INET if host == "0.0.0.0" else socket.AF_UNSPEC
        try:
            found = socket.getaddrinfo(socket.gethostname(), port, family, socket.SOCK_STREAM)
        except OSError:
            return ""
        # A link-local address means nothing to another machine.
        host = next((str(info[4][0]) for info in found if not str(info[4][0]).startswith("fe80:")), "")
        if not host:
            return ""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
