"""Real nodes for the tests, in this process, each on a port of its own."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from chat.app import make_app
from chat.http_server import HttpServer, ServerRunner
from chat.shared.settings import Settings
from tests.databases import as_node


class GivenSettings(Settings):
    """Settings without those of the environment and of `.env`: a node of a test has none, and to look takes 10 ms."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 (the name is of the library)
        init_settings: PydanticBaseSettingsSource,
        **_: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the arguments as the only source."""
        return (init_settings,)


@dataclass
class Node:
    """A running node: `url` without a path, and its app for looking inside."""

    url: str
    port: int
    app: web.Application
    server: HttpServer


@asynccontextmanager
async def running_node(database_url: str, redis_url: str, **settings: object) -> AsyncIterator[Node]:
    """Start a node with these settings, and stop it at the end of the block.

    It shares the event loop with its test, so it never sheds load. Its users may add strangers without an invitation;
    `tests/conversations/test_invitations.py` has nodes that ask first.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-files-") as folder:
        own = {"node": "a1", "files_url": f"file://{folder}"}
        given = own | {"rate_limits": False, "drain_seconds": 0, "lag_most": 60, "strangers": "add"} | settings
        async with serving(GivenSettings(database_url=as_node(database_url), redis_url=redis_url, **given)) as node:
            yield node


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Node]:
    """Do what `running_node` does, with all settings given."""
    app = make_app(settings)
    runner = ServerRunner(app, lingering_time=0.5, shutdown_timeout=1, keepalive_timeout=settings.keep_alive_seconds)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        assert isinstance(runner.server, HttpServer)
        yield Node(f"http://127.0.0.1:{port}", port, app, runner.server)
    finally:
        await runner.cleanup()
