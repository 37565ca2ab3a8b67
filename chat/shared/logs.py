"""Structured logs: one event a line, user text always escaped as a value, never a secret; one line a minute and cause.

What libraries say goes the same way: psycopg's pool has several lines for every attempt to reach a server that is away.
"""

import logging
import sys
import time
from contextlib import suppress
from typing import TextIO, cast

import structlog

from chat.shared.repeats import Repeats


class NoBadRequests(logging.Filter):
    """What is no HTTP is answered with 400 and not logged: it may hold a token, and anybody can send a flood of it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let through all but aiohttp's own refusals."""
        kind = record.exc_info[0] if record.exc_info else None
        return kind is None or kind.__module__ != "aiohttp.http_exceptions"


class Passing(logging.Handler):
    """Passes on what libraries say."""

    def emit(self, record: logging.LogRecord) -> None:
        """One event, in one line."""
        log = structlog.get_logger(record.name)
        say = log.error if record.levelno >= logging.ERROR else log.warning
        say("a library complains", library=record.name, error=record.getMessage(), exc_info=record.exc_info)


class Seldom:
    """Keeps back warnings of an `error` that was told of less than a minute ago."""

    def __init__(self) -> None:
        self._repeats = Repeats(time.monotonic)

    def __call__(self, _logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        """The event, with how often it was kept back before; raises `DropEvent`."""
        if method != "warning" or "error" not in event:
            return event
        kept = self._repeats.judge(event["event"], event["error"])
        if kept is None:
            raise structlog.DropEvent
        if kept:
            event["kept_back"] = kept
        return event


class Steadfast:
    """Where the lines go: a disk that is full must not turn a refusal that says so into a failure."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> None:
        """As far as that is possible."""
        with suppress(OSError):
            self._out.write(text)

    def flush(self) -> None:
        """As far as that is possible."""
        with suppress(OSError):
            self._out.flush()


def set_up_logs(form: str) -> None:
    """`console` for people, `json` for machines."""
    logging.getLogger("aiohttp.server").addFilter(NoBadRequests())
    logging.getLogger().addHandler(Passing())
    # plain_traceback: the default shows local variables, and with them tokens and passwords
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            Seldom(),
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if form == "json" else structlog.processors.StackInfoRenderer(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, Steadfast(sys.stdout))),
        cache_logger_on_first_use=True,
    )
