"""Structured logs: one event a line, user text always escaped as a value, never a secret; one line a minute and cause.

What libraries say goes the same way: psycopg's pool has several lines for every attempt to reach a server that is away.
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
    """Drops warnings and errors whose cause was logged less than a minute ago, so that no client can flood the log."""

    def __init__(self) -> None:
        self._repeats = Repeats(time.monotonic)

    def __call__(self, _logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        """Return the event, with how many like it were dropped before; raise `DropEvent` to drop it."""
        cause = cause_of(event) if method in ("warning", "error") else None
        if cause is None:
            return event
        kept = self._repeats.judge(event["event"], cause)
        if kept is None:
            raise structlog.DropEvent
        if kept:
            event["kept_back"] = kept
        return event


def cause_of(event: structlog.typing.EventDict) -> str | None:
    """Return what makes two events the same: the exception's type and the line that raised it, else the error's text.

    None: this event tells of no error, and is never dropped.
    """
    given = event.get("exc_info")
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        frames = list(walk_tb(error.__traceback__))[-1:]
        places = [f"{frame.f_code.co_filename}:{line}" for frame, line in frames]
        return " ".join([type(error).__qualname__, *places])
    return event.get("error")


class ShownControls:
    """Replaces what could steer a terminal, or reorder a line, with its escaped form: `\\x1b`, `\\u202e`."""

    def __call__(self, _logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        """Return the event with every text in it shown."""
        return {name: show_within(value) for name, value in event.items()}


def show_within(value: object) -> object:
    """Return a value with the texts in it shown; exceptions are formatted later."""
    if isinstance(value, str):
        return show_controls(value)
    if isinstance(value, dict):
        return {show_within(name): show_within(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [show_within(one) for one in value]
    return value


def show_controls(text: str) -> str:
    """Return text without control characters, line breaks included, and without bidirectional controls."""
    return CONTROLS.sub(lambda one: one[0].encode("unicode_escape").decode(), text)


def write_traceback(out: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    """Write a traceback whose message may quote a stranger; its own line breaks stay."""
    told = StringIO()
    structlog.dev.plain_traceback(told, exc_info)
    out.write("\n".join(map(show_controls, told.getvalue().split("\n"))))


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
        else structlog.dev.ConsoleRenderer(exception_formatter=write_traceback)
    )
    # JSON escapes them by itself
    shown: list[structlog.typing.Processor] = [] if form == "json" else [ShownControls()]
    structlog.configure(
        processors=[
            Seldom(),
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *shown,
            structlog.processors.format_exc_info if form == "json" else structlog.processors.StackInfoRenderer(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, Steadfast(sys.stdout))),
        cache_logger_on_first_use=True,
    )


# Repeats: what is logged again and again for one cause is said once a minute, with how often it was not. Pure. A node
# without PostgreSQL refuses a thousand posts a second; a thousand lines a second that say so would hide everything
# else, and fill the disk that is perhaps the cause.

PERIOD_SECONDS = 60.0
MOST = 1_000  # causes; more are none that repeat
WORDS = 3  # of an error that tell its kind; what follows are addresses and numbers


@dataclass(slots=True)
class Cause:
    """When it was last said, and how often it was kept back since then."""

    said: float
    kept: int = 0


class Repeats:
    """Of each cause one line a minute. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._causes: dict[str, Cause] = {}

    def judge(self, event: str, error: str) -> int | None:
        """How often this was kept back since it was last said; None: keep it back again."""
        now, name = self._clock(), " ".join([event, *error.split()[:WORDS]])
        known = self._causes.get(name)
        if known and now - known.said < PERIOD_SECONDS:
            known.kept += 1
            return None
        if len(self._causes) >= MOST:
            self._causes.clear()
        self._causes[name] = Cause(now)
        return known.kept if known else 0
