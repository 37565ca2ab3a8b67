"""Structured logs: one event a line, user text escaped, no secrets, and at most one line a minute for each cause.

Libraries' logs pass through here too: psycopg's pool writes several lines for each attempt to reach a server that is
unavailable.
"""

import logging
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from traceback import walk_tb
from typing import TextIO, cast

import structlog

# C0, DEL, C1, invisible and bidirectional controls, separators of lines.
CONTROLS = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]")


class NoBadRequests(logging.Filter):
    """Drops aiohttp's errors about malformed requests: they may quote a token, and any client can cause a flood."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return False for aiohttp's own HTTP errors."""
        kind = record.exc_info[0] if record.exc_info else None
        return kind is None or kind.__module__ != "aiohttp.http_exceptions"


class LibraryLogs(logging.Handler):
    """Forwards the logs of libraries to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record as one event."""
        log = structlog.get_logger(record.name)
        write = log.error if record.levelno >= logging.ERROR else log.warning
        write("library reported a problem", library=record.name, error=record.getMessage(), exc_info=record.exc_info)


class DropRepeats:
    """Drops warnings and errors whose cause was logged less than a minute ago, so that no client can flood the log."""

    def __init__(self) -> None:
        self._throttle = LogThrottle(time.monotonic)

    def __call__(self, _logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        """Return the event, with how many like it were dropped before; raise `DropEvent` to drop it."""
        cause = cause_of(event) if method in ("warning", "error") else None
        if cause is None:
            return event
        kept = self._throttle.count(event["event"], cause)
        if kept is None:
            raise structlog.DropEvent
        if kept:
            event["kept_back"] = kept
        return event


def cause_of(event: structlog.typing.EventDict) -> str | None:
    """Return the cause of an event: the exception's type and the line that raised it, else the error's text.

    Return None if the event has no error; it is never dropped.
    """
    given = event.get("exc_info")
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        frames = list(walk_tb(error.__traceback__))[-1:]
        places = [f"{frame.f_code.co_filename}:{line}" for frame, line in frames]
        return " ".join([type(error).__qualname__, *places])
    return event.get("error")


class EscapeControls:
    """Replaces what could steer a terminal, or reorder a line, with its escaped form: `\\x1b`, `\\u202e`."""

    def __call__(self, _logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        """Return the event with all texts escaped."""
        return {name: escape_within(value) for name, value in event.items()}


def escape_within(value: object) -> object:
    """Return a value with the texts in it escaped; exceptions are formatted later."""
    if isinstance(value, str):
        return escape_controls(value)
    if isinstance(value, dict):
        return {escape_within(name): escape_within(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [escape_within(one) for one in value]
    return value


def escape_controls(text: str) -> str:
    """Escape control characters, line breaks and bidirectional controls in a text."""
    return CONTROLS.sub(lambda one: one[0].encode("unicode_escape").decode(), text)


def write_traceback(out: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    """Write a traceback. Escape control characters but its line breaks, because the message may quote a client."""
    text = StringIO()
    structlog.dev.plain_traceback(text, exc_info)
    out.write("\n".join(map(escape_controls, text.getvalue().split("\n"))))


class BestEffortOutput:
    """The output. A full disk must not turn an error that reports it into another failure."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> None:
        """Write text; ignore errors."""
        with suppress(OSError):
            self._out.write(text)

    def flush(self) -> None:
        """Flush the output; ignore errors."""
        with suppress(OSError):
            self._out.flush()


def set_up_logs(form: str) -> None:
    """Configure logging in the form `console` or `json`."""
    logging.getLogger("aiohttp.server").addFilter(NoBadRequests())
    logging.getLogger().addHandler(LibraryLogs())
    # plain_traceback: the default shows local variables, and with them tokens and passwords
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(exception_formatter=write_traceback)
    )
    # JSON escapes them by itself
    shown: list[structlog.typing.Processor] = [] if form == "json" else [EscapeControls()]
    structlog.configure(
        processors=[
            DropRepeats(),
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *shown,
            structlog.processors.format_exc_info if form == "json" else structlog.processors.StackInfoRenderer(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, BestEffortOutput(sys.stdout))),
        cache_logger_on_first_use=True,
    )


# The throttle: a cause that is logged again and again is logged once a minute, with the number of dropped lines. A node
# without PostgreSQL refuses a thousand posts a second. A thousand lines a second would hide everything else, and fill
# the disk that is perhaps the cause.

PERIOD_SECONDS = 60.0
MOST = 1_000  # causes kept; with more they do not repeat
WORDS = 3  # of an error that identify it; addresses and numbers follow


@dataclass(slots=True)
class Cause:
    """The time a cause was last logged, and how many lines were dropped since."""

    logged: float
    dropped: int = 0


class LogThrottle:
    """Allows one line a minute for each cause. `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._causes: dict[str, Cause] = {}

    def count(self, event: str, error: str) -> int | None:
        """Return how many lines were dropped since the last one; None if this one must be dropped too."""
        now, name = self._clock(), " ".join([event, *error.split()[:WORDS]])
        known = self._causes.get(name)
        if known and now - known.logged < PERIOD_SECONDS:
            known.dropped += 1
            return None
        if len(self._causes) >= MOST:
            self._causes.clear()
        self._causes[name] = Cause(now)
        return known.dropped if known else 0
