"""What kind of file it is, by its content alone; and which kinds a browser may show. Pure.

`filetype` tells the kinds that matter here apart by their first bytes; why this one: deploy/decisions/files.md.
"""

import filetype

HEAD_BYTES = 8192  # as many are looked at
UNKNOWN = "application/octet-stream"
PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
SOUND_AND_VISION = frozenset(
    {
        "audio/aac",
        "audio/flac",
        "audio/mp4",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "video/mp4",
        "video/quicktime",
        "video/webm",
    }
)
# By what browsers call them.
USUAL = {"audio/x-wav": "audio/wav", "audio/x-flac": "audio/flac", "video/x-m4v": "video/mp4"}
MARKUP = (b"<!doctype", b"<html", b"<svg", b"<?xml", b"<script", b"<head", b"<body", b"<iframe")


def find_type(head: bytes) -> str:
    """The media type of a file that begins so; words are `text/plain`, and markup is `text/html`, whatever it is."""
    head = head[:HEAD_BYTES]
    if (guess := filetype.guess(head)) is not None:
        return USUAL.get(guess.mime, str(guess.mime))
    if not is_text(head):
        return UNKNOWN
    lowered = head.lower()
    return "text/html" if any(tag in lowered for tag in MARKUP) else "text/plain"


def is_text(head: bytes) -> bool:
    """UTF-8 that somebody can read; the last character may be cut."""
    if any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head):
        return False
    text = head.decode(errors="replace")
    return "\ufffd" not in text[:-1]


def may_show(media_type: str, is_picture: bool) -> bool:
    """Whether a browser may show it in place; all else is only ever saved. `is_picture`: it could be decoded as one."""
    return media_type in SOUND_AND_VISION or (is_picture and media_type in PICTURES)
