"""A node as a process: it listens, serves until it is told to stop, drains, and ends."""

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

from chat.accounts.demo_accounts import count_demo_accounts, demo_warning, is_reachable
from chat.app import DRAINING, REACH, TASKS, make_app, make_operations_app
from chat.http_server import ServerRunner
from chat.shared.logging import set_up_logs
from chat.shared.postgres import UNAVAILABLE
from chat.shared.settings import Settings
from chat.shared.tasks import Tasks, first_of
from chat.shared.web import POOL, SETTINGS

COLLECTED = 10_000, 20, 20  # new objects; rounds of the young, and of the middle ones, before older ones are looked at
log = structlog.get_logger(__name__)


def run(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a second signal stops at once. Raises `OSError` on a taken port."""
    set_up_logs(settings.log_format)
    take_descriptors()
    uvloop.run(serve(settings, host, port))


def take_descriptors() -> None:
    """As many connections as the system allows: most shells begin with 1,024 descriptors, and may have far more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def serve(settings: Settings, host: str, port: int) -> None:
    """As `run`, within a loop."""
    app = make_app(settings)
    app[REACH] = app[REACH] or reach_of(host, port)
    runner = ServerRunner(app, keepalive_timeout=settings.keep_alive_seconds, shutdown_timeout=5)
    await runner.setup()
    try:
        for listener in open_listeners(host, port):
            await web.SockSite(runner, listener, backlog=BACKLOG).start()
        async with serving_operations(app, host, settings.operations_port):
            await warn_of_demo(app, host)
            spare_collector()
            log.info("serving", node=settings.node, host=host, port=port)
            await wait_for_end(app)
            await first_of(app[DRAINING].drain(), signalled())
    finally:
        await runner.cleanup()


async def warn_of_demo(app: web.Application, host: str) -> None:
    """Log a warning when demo accounts exist where others may reach them."""
    if not is_reachable(host, app[SETTINGS]):
        return
    # Without its migrations, or PostgreSQL, a node is not ready, and says so itself.
    with suppress(psycopg.errors.UndefinedTable, *UNAVAILABLE):
        async with app[POOL].connection() as connection:
            count = await count_demo_accounts(connection)
        if count:
            log.warning("demo accounts are reachable", what=demo_warning(count))


@asynccontextmanager
async def serving_operations(app: web.Application, host: str, port: int) -> AsyncIterator[None]:
    """Serve health and metrics on a port of their own for as long as the block lasts; port 0: not at all."""
    if not port:
        yield
        return
    runner = ServerRunner(make_operations_app(app), shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()


def spare_collector() -> None:
    """What a node begins with stays: the garbage collector need not look at it, and comes seldomer, for requests leave
    no cycles behind. It took a tenth of a busy node's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED)


async def wait_for_end(app: web.Application) -> None:
    """Until a signal asks for it, or a background task has died."""
    await first_of(signalled(), died(app[TASKS]))


async def died(tasks: Tasks) -> None:
    """Raises when a background task has died: a node that does half its work is worse than none."""
    raise SystemExit(f"background task died: {await tasks.failed}")


async def signalled() -> None:
    """The next SIGTERM or SIGINT."""
    loop, came = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, came.set)
    await came.wait()


# Listeners: the sockets at which a node takes connections. uvloop takes one connection from a listening socket in
# each turn of the loop. On a busy node, whose turns are long, that was 550 a second while 1,000 came, and some waited
# for 5 s. So each socket is listened at many times over: one in a hundred then waited for more than 0.3 s.

BACKLOG = 4096
COPIES = 16


def open_listeners(host: str, port: int) -> list[socket.socket]:
    """All that wait for connections to this port, on every address of `host`; raises `OSError` when it is taken."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    listeners = []
    for family, address in dict.fromkeys((info[0], info[4][:2]) for info in found):
        first = socket.create_server(address, family=family, backlog=BACKLOG)
        listeners += [first, *(first.dup() for _ in range(COPIES - 1))]
    return listeners


def reach_of(host: str, port: int) -> str:
    """Where neighbours reach who listens here: the machine's own address where that is all of them."""
    if host in ("0.0.0.0", "::", ""):
        try:
            host = socket.gethostbyname(socket.gethostname())
        except OSError:
            return ""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
