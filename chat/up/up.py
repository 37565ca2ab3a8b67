"""The order of things: check, engines, schema, node, ready; then watch until asked to stop."""

import asyncio
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from chat.demo.fill import fill_empty
from chat.shared.settings import Settings, read_settings
from chat.up.address import check_address, url_of
from chat.up.engines import start_engines
from chat.up.node import Node
from chat.up.progress import step, tell
from chat.up.schema import apply_migrations
from chat.up.stop import stop_when_asked
from chat.up.urls import given_urls
from chat.up.watch import Charge, Watch

GLANCE = 0.2  # seconds between two looks at the children
MARGIN = 10.0  # seconds that a node may need beyond its drain window


@dataclass(frozen=True, slots=True)
class Options:
    """What `tandem up` was asked for."""

    host: str
    port: int
    data: Path
    demo: bool


def up(options: Options) -> None:
    """Serve until Ctrl-C or SIGTERM, then stop all that was started; the data stays."""
    given = given_urls()
    settings = read_settings(**given.settings())
    check_address(options.host, options.port)
    stop_when_asked()
    with ExitStack() as stack:
        stack.push(tell_the_end)
        engines, urls = start_engines(stack, options.data, given)
        bring_schema_up_to_date(urls.database)
        if options.demo:
            play_demo(read_settings(**urls.settings()))
        node = Node("n1", options.host, options.port, urls, settings.drain_seconds + MARGIN)
        stack.callback(node.stop)
        start_node(node)
        print(f"ready on {url_of(options.host, options.port)}", flush=True)
        stack.callback(tell, f"Stopping; open streams are closed over {settings.drain_seconds:g} s …")
        keep_alive([*engines, node])


def bring_schema_up_to_date(database_url: str) -> None:
    """Apply the migrations that are missing."""
    with step("Bringing the database's schema up to date …", "Schema") as under_way:
        applied = apply_migrations(database_url)
        under_way.said = f": applied {', '.join(applied)}" if applied else " is up to date"


def play_demo(settings: Settings) -> None:
    """Fill an empty database with people and talk."""
    with step("Filling the empty database …", "Demo") as under_way:
        filled = asyncio.run(fill_empty(settings))
        under_way.said = f": {filled}" if filled else ": the database is not empty, and stays as it is"


def start_node(node: Node) -> None:
    """Start the node and wait until it serves."""
    with step(f"Starting {node.name} …", node.name.capitalize()):
        node.start()
        node.await_ready()


def tell_the_end(why: type[BaseException] | None, *_: object) -> None:
    """Say that all is stopped, when that was asked for; trouble speaks for itself."""
    if why is SystemExit:
        tell("Stopped.")


def keep_alive(charges: list[Charge]) -> None:
    """Start again what dies, for ever; a signal ends this by SystemExit."""
    watches = [Watch(charge) for charge in charges]
    while True:
        for watch in watches:
            watch.look()
        time.sleep(GLANCE)
