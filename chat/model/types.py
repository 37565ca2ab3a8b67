"""A message, as everybody sees it: nothing in it depends on the reader, so it is encoded once. Pure."""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(1024)
def format_time(moment: datetime) -> str:
    """RFC 3339, UTC, milliseconds. Remembered, for all messages of one commit have the same."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
