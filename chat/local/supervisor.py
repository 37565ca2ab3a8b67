"""The order of things: check, engines, schema, nodes, ready; then watch until asked to stop."""

import asyncio
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from chat.accounts.demo_accounts import demo_warning, is_reachable, read_demo_accounts
from chat.client.node_process import NodeProcess
from chat.local.address import check_address, url_of
from chat.local.control import Control
from chat.local.data_dir import Home
from chat.local.databases import Urls, apply_migrations, given_urls, start_engines
from chat.local.demo import fill_empty
from chat.local.errors import DemoOutside
from chat.local.fleet import Fleet
from chat.local.haproxy import Balancer, find_places, folder_of
from chat.local.progress import complain, step, tell
from chat.local.watch import ProcessWatch
from chat.shared.settings import Settings, hide_secrets, read_settings

GLANCE = 0.2  # seconds between two looks at the children
MARGIN = 10.0  # seconds that a node may need beyond its drain window
QUIET_BEATS = 3  # missed in a row, then a connection is dead
LOOPBACK = "127.0.0.1"
Look = Callable[[], None]


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What `tandem up` was asked for."""

    host: str
    port: int
    data: Path
    nodes: int
    demo: bool
    demo_anyway: bool = False


def up(options: UpOptions) -> None:
    """Serve until Ctrl-C or SIGTERM, then stop all that was started; the data stays."""
    given = given_urls()
    settings = read_settings(**given.settings())
    hide_secrets()
    check_address(options.host, options.port)
    check_demo(options, settings)
    stop_when_asked()
    with ExitStack() as stack:
        stack.push(tell_the_end)
        engines, urls = start_engines(stack, options.data, given)
        bring_schema_up_to_date(urls)
        if options.demo:
            play_demo(read_settings(**urls.settings()))
        warn_of_demo(options, read_settings(**urls.settings()))
        if options.nodes == 1:
            looks = start_alone(stack, options, urls, settings)
        else:
            looks = start_fleet(stack, options, urls, settings)
        print(f"ready on {url_of(options.host, options.port)}", flush=True)
        stack.callback(tell, f"Stopping; open streams are closed over {settings.drain_seconds:g} s …")
        keep_alive([*(ProcessWatch(engine).look for engine in engines), *looks])


def bring_schema_up_to_date(urls: Urls) -> None:
    """Apply the migrations that are missing."""
    with step("Bringing the database's schema up to date …", "Schema") as under_way:
        applied = apply_migrations(urls.database, urls.owner)
        under_way.said = f": applied {', '.join(applied)}" if applied else " is up to date"


def play_demo(settings: Settings) -> None:
    """Fill an empty database with people and talk."""
    with step("Filling the empty database …", "Demo") as under_way:
        filled = asyncio.run(fill_empty(settings))
        under_way.said = f": {filled}" if filled else ": the database is not empty, and stays as it is"


def check_demo(options: UpOptions, settings: Settings) -> None:
    """Raise `DemoOutside` when others could reach the demo's accounts, unless the operator allowed that."""
    if options.demo and not options.demo_anyway and is_reachable(options.host, settings):
        raise DemoOutside(options.host)


def warn_of_demo(options: UpOptions, settings: Settings) -> None:
    """Tell when demo accounts exist where others may reach them, also after a start without `--demo`."""
    if is_reachable(options.host, settings) and (count := asyncio.run(read_demo_accounts(settings.database_url))):
        complain(demo_warning(count))


def start_alone(stack: ExitStack, options: UpOptions, urls: Urls, settings: Settings) -> list[Look]:
    """One node, on the public address itself."""
    node = make_node("n1", options.host, options.port, urls.environment(), settings)
    stack.callback(node.stop)
    node.start()
    await_node(node)
    return [ProcessWatch(node).look]


def start_fleet(stack: ExitStack, options: UpOptions, urls: Urls, settings: Settings) -> list[Look]:
    """Several, behind a balancer that is told of changes while people talk."""
    home = Home(folder_of(options.data))
    home.take()
    stack.callback(home.leave)
    quiet = round(QUIET_BEATS * max(settings.stream_beat, settings.socket_beat))
    balancer = Balancer(home, options.host, options.port, quiet, find_places(), find_places())
    stack.callback(balancer.stop)
    environment = urls.environment() | {"TRUSTED_PROXIES": ",".join([*map(str, settings.trusted_proxies), LOOPBACK])}
    fleet = Fleet(balancer, lambda name, *ports: make_node(name, LOOPBACK, ports[0], environment, settings, ports[1]))
    stack.callback(fleet.stop)
    for name in [fleet.add() for _ in range(options.nodes)]:
        await_node(fleet.nodes[name])
        fleet.welcome(name)
    with step("Starting HAProxy …", balancer.name) as under_way:
        balancer.start()
        balancer.await_trust()
        under_way.said = f" before {options.nodes} nodes, its files in {home.folder}"
    control = Control(home.folder / "control", {"scale": fleet.scale, "restart": fleet.restart})
    stack.callback(control.close)
    return [fleet.look, ProcessWatch(balancer).look, control.look]


def make_node(
    name: str, host: str, port: int, environment: Mapping[str, str], settings: Settings, operations_port: int = 0
) -> NodeProcess:
    """Return a node that is not started yet; its log goes to our standard error."""
    limit = settings.drain_seconds + MARGIN
    node = NodeProcess(name, port, environment, host=host, operations_port=operations_port, drain_limit=limit)
    node.name = f"node {name}"
    return node


def await_node(node: NodeProcess) -> None:
    """Wait until the node is ready, and print a line about it."""
    with step(f"Starting {node.name} …", node.name.capitalize()):
        node.wait_until_ready()


def tell_the_end(why: type[BaseException] | None, *_: object) -> None:
    """Say that all is stopped, when that was asked for; trouble speaks for itself."""
    if why is SystemExit:
        tell("Stopped.")


def keep_alive(looks: list[Look]) -> None:
    """Look after everything, for ever; a signal ends this by SystemExit."""
    while True:
        for look in looks:
            look()
        time.sleep(GLANCE)


# Being asked to stop: Ctrl-C, SIGTERM and a closed terminal end the main thread in order, once.

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def stop_when_asked() -> None:
    """From now on the first of these signals raises SystemExit(0), which unwinds what is open, once.

    Whoever cannot wait sends SIGKILL: the children die with us, and the data is safe. A hang-up that `nohup` told us
    to ignore stays ignored.
    """
    for each in STOPPING:
        if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN:
            signal.signal(each, leave)


def leave(_number: int, _frame: FrameType | None) -> None:
    """The handler."""
    for each in STOPPING:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(0)
