"""The file model: errors, types, ranges and names. Pure."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import filetype

from chat.shared.appearance import is_hidden, is_printable, is_visible
from chat.shared.errors import ApiError

TUS_VERSION = "1.0.0"


class EmptyFile(ApiError):
    """This file is empty."""

    status, code = 422, "empty_file"


class FileTooLarge(ApiError):
    """This file is larger than this server allows."""

    status, code = 413, "file_too_large"


class QuotaFull(ApiError):
    """Your files have reached the storage limit. Delete messages with files that are no longer needed."""

    status, code = 413, "quota_full"


class StorageFull(ApiError):
    """The server has no space left for files; nothing was stored. Tell its operator, and try again later."""

    status, code = 507, "storage_full"


class StorageAway(ApiError):
    """Files can be neither stored nor read right now. Try again after Retry-After."""

    status, code = 503, "storage_away"


class WrongOffset(ApiError):
    """The upload has another offset. Ask for it with HEAD, and continue from there."""

    status, code = 409, "wrong_offset"


class TooManyPieces(ApiError):
    """This upload came in too many small pieces. Start it again with pieces of at least 256 KiB."""

    status, code = 409, "too_many_pieces"


class LengthRequired(ApiError):
    """Send the file's length as Content-Length, or start a resumable upload with Upload-Length."""

    status, code = 411, "length_required"


class NoFileSent(ApiError):
    """This form contains no file."""

    status, code = 422, "no_file"


class OtherTusVersion(ApiError):
    """This server supports version 1.0.0 of the tus protocol."""

    status, code = 412, "other_tus_version"
    headers: ClassVar[Mapping[str, str]] = {"Tus-Version": TUS_VERSION}


class NotPiece(ApiError):
    """Send each piece of an upload as application/offset+octet-stream."""

    status, code = 415, "not_a_piece"


class TooManyPixels(ApiError):
    """This picture has too many pixels to be shown. Make it smaller, or send it in an archive."""

    status, code = 422, "too_many_pixels"


class AnimationTooLong(ApiError):
    """This animation is too large. Use one with fewer frames, at most 100, or a still picture."""

    status, code = 422, "animation_too_long"


class NoPicture(ApiError):
    """This is not a picture that can be shown. Choose a JPEG, PNG, GIF, WebP or AVIF."""

    status, code = 422, "no_picture"


@dataclass(frozen=True, slots=True)
class File:
    """A file. The fields are the columns of the queries that read files.

    `width` and `height` are those of a picture as it is displayed.
    """

    id: int
    owner_id: int
    name: str
    size: int
    received: int
    type: str
    width: int | None
    height: int | None
    previewed: bool
    ready: bool

    @property
    def whole(self) -> bool:
        """Return whether all bytes have been received."""
        return self.received == self.size

    @property
    def shown(self) -> bool:
        """Return whether a browser may show the file inline."""
        return is_inline(self.type, self.width is not None)

    def to_json(self) -> dict[str, object]:
        """Return the file's known fields as in messages, in the order in which `jsonb` returns them."""
        fields: dict[str, object] = {"id": self.id, "name": self.name, "size": self.size, "type": self.type}
        if self.width is not None:
            fields |= {"width": self.width, "height": self.height}
        return fields | ({"preview": True} if self.previewed else {})


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file, and its key in the storage."""

    start: int
    size: int
    key: str


def folder_of(file_id: int) -> str:
    """Return the file's folder in the storage; folders are spread so that none has too many others in it."""
    return f"{file_id % 1000:03}/{file_id}"


def preview_key(file_id: int, size: str) -> str:
    """Return the key of the preview of this size."""
    return f"{folder_of(file_id)}/{size}.webp"


# Types, recognized by `filetype` from the first bytes; deploy/decisions/0031-file-storage.md explains the choice.

HEAD_BYTES = 8192  # read to find the type
UNKNOWN = "application/octet-stream"
PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
MEDIA = frozenset(
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

# The names that browsers use.
BROWSER_NAMES = {"audio/x-wav": "audio/wav", "audio/x-flac": "audio/flac", "video/x-m4v": "video/mp4"}
MARKUP = (b"<!doctype", b"<html", b"<svg", b"<?xml", b"<script", b"<head", b"<body", b"<iframe")


def find_type(head: bytes) -> str:
    """Return the media type of a file with this beginning: `text/html` for any markup, `text/plain` for other text."""
    head = head[:HEAD_BYTES]
    if (guess := filetype.guess(head)) is not None:
        return BROWSER_NAMES.get(guess.mime, str(guess.mime))
    if not is_text(head):
        return UNKNOWN
    lowered = head.lower()
    return "text/html" if any(tag in lowered for tag in MARKUP) else "text/plain"


def is_text(head: bytes) -> bool:
    """Return whether this is readable UTF-8; the last character may be cut."""
    if any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head):
        return False
    text = head.decode(errors="replace")
    return "\ufffd" not in text[:-1]


def is_inline(media_type: str, is_picture: bool) -> bool:
    """Return whether a browser may show the file inline. `is_picture`: it could be decoded as a picture."""
    return media_type in MEDIA or (is_picture and media_type in PICTURES)


# Ranges.


class Unsatisfiable(ValueError):
    """The range contains no byte of the file."""


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from `start` up to, not including, `end`."""

    start: int
    end: int


def parse_range(text: str, size: int) -> Span | None:
    """Return the span of `bytes=0-499`, `bytes=500-` or `bytes=-500`; raise `Unsatisfiable`.

    Return None if the complete file is to be sent, also for a malformed range or several ranges, which RFC 9110, 14.2
    allows.
    """
    unit, equals, asked = text.strip().partition("=")
    first, dash, last = asked.strip().partition("-")
    if unit.strip().lower() != "bytes" or not equals or not dash or not is_numbers(first + last):
        return None
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < start:
            return None
    if start >= end:
        raise Unsatisfiable
    return Span(start, end)


def is_numbers(text: str) -> bool:
    """Return whether the text is digits, and not too many for a position in a file."""
    return text.isascii() and text.isdigit() and len(text) < 33


def piece_spans(pieces: Sequence[Piece], span: Span) -> Iterator[tuple[str, Span]]:
    """Yield the key of each piece that overlaps the span, with the overlapping part."""
    for piece in pieces:
        start, end = max(span.start, piece.start), min(span.end, piece.start + piece.size)
        if start < end:
            yield piece.key, Span(start - piece.start, end - piece.start)


# Names.

LONGEST = 200
RAW_MOST = 4 * LONGEST
SEPARATORS = str.maketrans({"\\": "/", ":": "_"})


def clean_name(text: str) -> str:
    """Return a safe file name: no folders, printable, at most 200 characters; `file` if nothing is left.

    It cannot break a header or change the direction of the text around it. The ending is kept.
    """
    last = text.translate(SEPARATORS).rpartition("/")[2]
    if len(last) > RAW_MOST:
        last = last[: RAW_MOST // 2] + last[-RAW_MOST // 2 :]  # normalizing is quadratic in a run of combining marks
    plain = "".join(one for one in unicodedata.normalize("NFC", last) if is_printable(one) and not is_hidden(one))
    return shorten(strip_edges(plain)) or "file"


def strip_edges(name: str) -> str:
    """Return the name without spaces around it and dots after it. One dot before it stays, as in `.env`.

    A name that has nothing to see, or only dots, becomes empty.
    """
    name = name.strip(" ").rstrip(" .")
    bare = name.lstrip(" .")
    return ("." + bare if name.startswith(".") else bare) if is_visible(bare) else ""


def shorten(name: str) -> str:
    """Return at most 200 characters, cut before the ending."""
    stem, dot, ending = name.rpartition(".")
    if len(name) <= LONGEST or not stem or len(ending) > LONGEST // 4:
        return name[:LONGEST]
    return stem[: LONGEST - len(ending) - 1] + dot + ending
