"""Structured logs: one event a line, user text always escaped as a value, never a secret."""

import logging

import structlog


class NoBadRequests(logging.Filter):
    """What is no HTTP is answered with 400 and not logged: it may hold a token, and anybody can send a flood of it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let through all but aiohttp's own refusals."""
        kind = record.exc_info[0] if record.exc_info else None
        return kind is None or kind.__module__ != "aiohttp.http_exceptions"


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
        cache_logger_on_first_use=True,
    )
