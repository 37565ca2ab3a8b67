"""`tandem up`: check, start the servers, migrate, start the nodes, print `ready`, then watch until asked to stop."""

import asyncio
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from chat.accounts.accounts import demo_warning, is_reachable, read_demo_accounts
from chat.accounts.joining import SETUP_HOURS, offer_setup
from chat.client.node_process import NodeProcess
from chat.local.data_dir import DataDir, check_address, url_of
from chat.local.databases import Urls, apply_migrations, given_urls, start_engines
from chat.local.demo import fill_empty
from chat.local.errors import DemoOutside, TwoBuses
from chat.local.fleet import Control, Fleet, ProcessWatch
from chat.local.haproxy import Balancer, allocate_ports, balancer_folder
from chat.local.progress import show, show_error, step
from chat.shared.settings import Settings, hide_secrets, read_settings

CHECK_INTERVAL = 0.2  # seconds
STOP_MARGIN = 10.0  # seconds that a node may need beyond its drain window
MISSED_BEATS = 3  # in a row, until a connection counts as dead
LOOPBACK = "127.0.0.1"
Check = Callable[[], None]


@dataclass(frozen=True, slots=True)
class UpOptions:
    """The options of `tandem up`."""

    host: str
    port: int
    data: Path
    nodes: int
    demo: bool
    demo_anyway: bool = False
    bus: str = ""


def up(options: UpOptions) -> None:
    """Run until Ctrl-C or SIGTERM, then stop everything that was started. The data stays."""
    given = given_urls()
    settings = read_settings(**given.settings())
    hide_secrets()
    check_address(options.host, options.port)
    check_demo(options, settings)
    if options.bus and given.bus:
        raise TwoBuses
    exit_on_signals()
    with ExitStack() as stack:
        stack.push(report_stop)
        engines, urls = start_engines(stack, options.data, given, options.bus)
        migrate_database(urls)
        if options.demo:
            load_demo(read_settings(**urls.settings()))
        warn_about_demo(options, read_settings(**urls.settings()))
        if options.nodes == 1:
            checks = start_alone(stack, options, urls, settings)
        else:
            checks = start_fleet(stack, options, urls, settings)
        # before `ready`, after which PostgreSQL may fail
        setup = describe_setup(options, read_settings(**urls.settings()))
        print(f"ready on {url_of(options.host, options.port)}{setup}", flush=True)
        stack.callback(show, f"Stopping. Open streams close over {settings.drain_seconds:g} s …")
        keep_alive([*(ProcessWatch(engine).check for engine in engines), *checks])


def migrate_database(urls: Urls) -> None:
    """Apply missing migrations, showing progress."""
    with step("Applying migrations …", "Schema") as current:
        applied = apply_migrations(urls.database, urls.owner)
        current.note = f": applied {', '.join(applied)}" if applied else " is up to date"


def load_demo(settings: Settings) -> None:
    """Fill an empty database with demo users and messages, showing progress."""
    with step("Filling the empty database …", "Demo") as current:
        filled = asyncio.run(fill_empty(settings))
        current.note = f": {filled}" if filled else ": skipped, because the database is not empty"


def check_demo(options: UpOptions, settings: Settings) -> None:
    """Raise `DemoOutside` if others could reach the demo accounts, unless the operator allowed that."""
    if options.demo and not options.demo_anyway and is_reachable(options.host, settings):
        raise DemoOutside(options.host)


def warn_about_demo(options: UpOptions, settings: Settings) -> None:
    """Warn if demo accounts exist where others may reach them, also after a start without `--demo`."""
    if is_reachable(options.host, settings) and (count := asyncio.run(read_demo_accounts(settings.database_url))):
        show_error(demo_warning(count))


def describe_setup(options: UpOptions, settings: Settings) -> str:
    """Return a line with a link for the owner; empty if the server has an admin."""
    link = asyncio.run(offer_setup(settings, url_of(options.host, options.port)))
    return f"\nset up your team on {link} (the link works once, for {SETUP_HOURS} hours)" if link else ""


def start_alone(stack: ExitStack, options: UpOptions, urls: Urls, settings: Settings) -> list[Check]:
    """Start one node on the public address. Return the checks to run."""
    node = make_node("n1", options.host, options.port, urls.environment(), settings)
    stack.callback(node.stop)
    node.start()
    wait_until_ready(node)
    return [ProcessWatch(node).check]


def start_fleet(stack: ExitStack, options: UpOptions, urls: Urls, settings: Settings) -> list[Check]:
    """Start several nodes behind a balancer. Return the checks to run."""
    data_dir = DataDir(balancer_folder(options.data))
    data_dir.lock()
    stack.callback(data_dir.unlock)
    idle_limit = round(MISSED_BEATS * max(settings.stream_beat, settings.socket_beat))
    balancer = Balancer(data_dir, options.host, options.port, idle_limit, allocate_ports(), allocate_ports())
    stack.callback(balancer.stop)
    environment = urls.environment() | {"TRUSTED_PROXIES": ",".join([*map(str, settings.trusted_proxies), LOOPBACK])}
    fleet = Fleet(balancer, lambda name, *ports: make_node(name, LOOPBACK, ports[0], environment, settings, ports[1]))
    stack.callback(fleet.stop)
    for name in [fleet.add() for _ in range(options.nodes)]:
        wait_until_ready(fleet.nodes[name])
        fleet.mark_ready(name)
    with step("Starting HAProxy …", balancer.name) as current:
        balancer.start()
        balancer.wait_until_ready()
        current.note = f" in front of {options.nodes} nodes, files in {data_dir.folder}"
    control = Control(data_dir.folder, {"scale": fleet.scale, "restart": fleet.restart})
    stack.callback(control.close)
    return [fleet.check, ProcessWatch(balancer).check, control.poll]


def make_node(
    name: str, host: str, port: int, environment: Mapping[str, str], settings: Settings, operations_port: int = 0
) -> NodeProcess:
    """Return a node that is not started yet. Its log goes to standard error."""
    limit = settings.drain_seconds + STOP_MARGIN
    node = NodeProcess(name, port, environment, host=host, operations_port=operations_port, drain_limit=limit)
    node.name = f"node {name}"
    return node


def wait_until_ready(node: NodeProcess) -> None:
    """Wait until the node is ready, showing progress."""
    with step(f"Starting {node.name} …", node.name.capitalize()):
        node.wait_until_ready()


def report_stop(why: type[BaseException] | None, *_: object) -> None:
    """Report the stop if it was requested. An error is reported elsewhere."""
    if why is SystemExit:
        show("Stopped.")


def keep_alive(checks: list[Check]) -> None:
    """Run the checks until a signal asks to stop, and raise SystemExit then."""
    while not is_stopping():
        for check in checks:
            check()
        time.sleep(CHECK_INTERVAL)
    raise SystemExit(0)  # that of the handler was lost: Python ignores exceptions in `__del__`, such as of a connection


# Stopping: Ctrl-C, SIGTERM or a closed terminal.

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def exit_on_signals() -> None:
    """From now on, raise SystemExit(0) at the first of these signals, so that everything is closed in order, once.

    SIGKILL is safe too: the child processes end with this one, and the data is consistent. A SIGHUP that `nohup` made
    this process ignore stays ignored.
    """
    for each in STOPPING:
        if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN:
            signal.signal(each, handle_signal)


def is_stopping() -> bool:
    """Return whether the first signal has come."""
    return signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def handle_signal(_number: int, _frame: FrameType | None) -> None:
    """Handle the signal."""
    for each in STOPPING:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(0)
