"""A node: the only file that knows every part. It opens them in order and closes them in reverse."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import structlog
import uvloop
from aiohttp import web

from chat import routes
from chat.accounts.accounts import Accounts
from chat.accounts.endpoints import ACCOUNTS, SESSIONS
from chat.accounts.sessions import Sessions
from chat.conversations.endpoints import READ_MARKS
from chat.conversations.read_marks import ReadMarks
from chat.log.announce import Announcer
from chat.log.append import Log
from chat.log.endpoints import LOG
from chat.log.retention import Retention
from chat.messages.endpoints import POSTS
from chat.messages.post import Posts
from chat.middleware import add_headers, answer_problems
from chat.shared.endpoints import IDENTITIES, POOL, RATES, SETTINGS
from chat.shared.identity import Identities
from chat.shared.logs import set_up_logs
from chat.shared.postgres import make_pool
from chat.shared.rates import Rates
from chat.shared.redis import connect_redis
from chat.shared.settings import Settings
from chat.shared.tasks import Tasks, first_of
from chat.stream.endpoints import STREAMS
from chat.stream.streams import Streams

TASKS = web.AppKey("tasks", Tasks)
LINGER_SECONDS = 2.0  # for the rest of a body that was refused, so that the refusal is heard
log = structlog.get_logger(__name__)


def make_app(settings: Settings) -> web.Application:
    """A node that is not started yet: `web.AppRunner` or a test server starts it."""
    app = web.Application(middlewares=[answer_problems], client_max_size=settings.max_batch_bytes)
    app[SETTINGS] = settings
    app.on_response_prepare.append(add_headers)
    app.cleanup_ctx.append(open_parts)
    app.add_routes([*routes.OPERATIONS, *routes.ACCOUNTS, *routes.CHAT, *routes.SITE])
    return app


async def open_parts(app: web.Application) -> AsyncIterator[None]:
    """PostgreSQL, Redis, the log, the streams; then the tasks that keep them going."""
    settings = app[SETTINGS]
    redis = connect_redis(settings.redis_url)
    async with make_pool(settings.database_url) as pool:
        await pool.wait(timeout=10)
        tasks = app[TASKS] = Tasks()
        identities = app[IDENTITIES] = Identities(pool, settings.session_idle_days)
        streams = app[STREAMS] = Streams(settings, pool, redis, identities)
        announcer = Announcer(redis, streams.tail.hear)
        journal = app[LOG] = Log(pool, announcer.announce)
        posts = app[POSTS] = Posts(journal, settings.append_queue)
        read_marks = app[READ_MARKS] = ReadMarks(journal, settings.append_queue)
        retention = Retention(pool, settings.log_partition_entries, settings.log_retention_days)
        sessions = app[SESSIONS] = Sessions(pool, journal, settings.session_days, settings.session_idle_days)
        accounts = app[ACCOUNTS] = Accounts(pool, journal, sessions, settings.signup)
        app[POOL], app[RATES] = pool, Rates(settings, redis)
        await retention.keep()
        await streams.tail.begin()
        works: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "hear announcements": streams.tail.listen,
            "follow the log": streams.tail.follow,
            "publish announcements": announcer.run,
            "commit posts": posts.run,
            "move read marks": read_marks.run,
            "look up identities": identities.run,
            "note used logins": identities.keep_touching,
            "look up memberships": streams.stays.run,
            "look up the log's end": streams.heads.run,
            "keep the log's partitions": retention.run,
            "beat": lambda: streams.roster.beat(streams.hub),
        }
        for name, work in works.items():
            tasks.start(name, work())
        yield
        streams.roster.end_all("drain")
        await tasks.stop()
        accounts.hasher.close()
    await redis.aclose()


def run(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a second signal stops at once. Raises `OSError` on a taken port."""
    set_up_logs(settings.log_format)
    uvloop.run(serve(settings, host, port))


async def serve(settings: Settings, host: str, port: int) -> None:
    """As `run`, within a loop."""
    app = make_app(settings)
    runner = web.AppRunner(
        app,
        access_log=None,
        keepalive_timeout=settings.keep_alive_seconds,
        lingering_time=LINGER_SECONDS,
        shutdown_timeout=5,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=4096).start()
        log.info("serving", node=settings.node, host=host, port=port)
        await wait_for_end(app)
        log.info("draining", streams=len(app[STREAMS].roster), seconds=settings.drain_seconds)
        await first_of(app[STREAMS].roster.drain(settings.drain_seconds), signalled())
    finally:
        await runner.cleanup()


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
