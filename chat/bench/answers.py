"""Answers over HTTP, put together from what has come so far. Pure."""

import re

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def take_answer(data: bytes) -> tuple[bytes, bytes] | None:
    """`(head, body)`, once it is whole."""
    head, end, body = data.partition(b"\r\n\r\n")
    return (head, body) if end and is_whole(head, body) else None


def is_whole(head: bytes, body: bytes) -> bool:
    """By its length, or by its last chunk; an answer with neither has no body."""
    if length := LENGTH.search(head):
        return len(body) >= int(length[1])
    return body.endswith(b"0\r\n\r\n") if b"chunked" in head.lower() else True
