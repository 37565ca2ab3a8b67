"""Structured logs: one event a line, user text always escaped as a value, never a secret."""

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog


class NoBadRequests(logging.Filter):
    """What is no HTTP is answered with 400 and not logged: it may hold a token, and anybody can send a flood of it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let through all but aiohttp's own refusals."""
        kind = record.exc_info[0] if record.exc_info else None
        return kind is None or kind.__module__ != "aiohttp.http_exceptions"


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
    # plain_traceback: the default shows local variables, and with them tokens and passwords
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
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
