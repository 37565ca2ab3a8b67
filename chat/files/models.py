"""What uploads refuse. Pure."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import filetype

from chat.shared.errors import ApiError


class EmptyFile(ApiError):
    """This file is empty: there is nothing in it to send."""

    status, code = 422, "empty_file"


class FileTooLarge(ApiError):
    """This file is larger than a file may be here."""

    status, code = 413, "file_too_large"


class QuotaFull(ApiError):
    """Your files take up all the room that one person has here: delete messages whose files nobody needs any more."""

    status, code = 413, "quota_full"


class StorageFull(ApiError):
    """The server has no room left for files; nothing of this was kept. Tell those who run it, and try again later."""

    status, code = 507, "storage_full"


class StorageAway(ApiError):
    """Files can neither be stored nor read right now; try again after Retry-After."""

    status, code = 503, "storage_away"


class WrongOffset(ApiError):
    """The upload stands elsewhere: ask where (HEAD), and go on from there."""

    status, code = 409, "wrong_offset"


class TooManyPieces(ApiError):
    """This upload came in too many small pieces. Begin it again, with pieces of at least 256 KiB."""

    status, code = 409, "too_many_pieces"


class LengthRequired(ApiError):
    """Say with Content-Length how long the file is, or begin an upload that can be resumed, with Upload-Length."""

    status, code = 411, "length_required"


class NoFileSent(ApiError):
    """This form has no file in it."""

    status, code = 422, "no_file"


class TooManyPixels(ApiError):
    """This picture has more pixels than can be shown here: make it smaller, or send it within an archive."""

    status, code = 422, "too_many_pixels"


class NoPicture(ApiError):
    """This cannot be shown as a picture: choose a JPEG, PNG, GIF, WebP or AVIF."""

    status, code = 422, "no_picture"


# A file, as its owner and as everybody else sees it. Pure.


@dataclass(frozen=True, slots=True)
class File:
    """The fields are the columns of the queries that read files. `width` and `height`: of a picture as it is seen."""

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
        """All its bytes are there."""
        return self.received == self.size

    @property
    def shown(self) -> bool:
        """A browser may show it in place."""
        return may_show(self.type, self.width is not None)

    def to_json(self) -> dict[str, object]:
        """As messages carry it: nothing stands that is unknown; in the order in which `jsonb` gives it back."""
        fields: dict[str, object] = {"id": self.id, "name": self.name, "size": self.size, "type": self.type}
        if self.width is not None:
            fields |= {"width": self.width, "height": self.height}
        return fields | ({"preview": True} if self.previewed else {})


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a file, and where it lies."""

    start: int
    size: int
    key: str


def folder_of(file_id: int) -> str:
    """Where all of a file lies in the storage; no folder has too many others in it."""
    return f"{file_id % 1000:03}/{file_id}"


def preview_key(file_id: int, size: str) -> str:
    """Where the preview of this size lies."""
    return f"{folder_of(file_id)}/{size}.webp"


# What kind of file it is, by its content alone; and which kinds a browser may show. Pure. `filetype` tells the kinds
# that matter here apart by their first bytes; why this one: deploy/decisions/0031-file-storage.md.

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


# A span of bytes that is asked for, and the stretches of pieces that make it. Pure.


class Unsatisfiable(ValueError):
    """There is nothing in this range."""


@dataclass(frozen=True, slots=True)
class Span:
    """From byte `start` up to, not including, byte `end`."""

    start: int
    end: int


def parse_range(text: str, size: int) -> Span | None:
    """`bytes=0-499`, `bytes=500-`, `bytes=-500`; None where all is to be sent, as for what is malformed or several
    ranges at once (RFC 9110, 14.2 lets a server answer so). Raises `Unsatisfiable`."""
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
    """Digits, and not so many that they are no position in any file."""
    return text.isascii() and text.isdigit() and len(text) < 33


def stretches(pieces: Sequence[Piece], span: Span) -> Iterator[tuple[str, Span]]:
    """The key of each piece that has a part in the span, and which part of it."""
    for piece in pieces:
        start, end = max(span.start, piece.start), min(span.end, piece.start + piece.size)
        if start < end:
            yield piece.key, Span(start - piece.start, end - piece.start)


# A file's name: what is left of it once it can neither climb folders, nor break a header, nor turn the text around
# it. Pure.

LONGEST = 200
RAW_MOST = 4 * LONGEST
UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
JOINERS = "\u200c\u200d"  # Cf as well, but part of how emoji and some scripts are written
SEPARATORS = str.maketrans({"\\": "/", ":": "_"})


def clean_name(text: str) -> str:
    """Return the last part of a path, printable, at most 200 characters, with its ending; `file` if nothing is left."""
    last = text.translate(SEPARATORS).rpartition("/")[2]
    if len(last) > RAW_MOST:
        last = last[: RAW_MOST // 2] + last[-RAW_MOST // 2 :]  # normalizing is quadratic in a run of combining marks
    plain = "".join(letter for letter in unicodedata.normalize("NFC", last) if is_printable(letter)).strip(" .")
    return shorten(plain) or "file"


def is_printable(letter: str) -> bool:
    """Neither a control character nor one that turns or hides its neighbours."""
    return letter in JOINERS or unicodedata.category(letter) not in UNPRINTABLE


def shorten(name: str) -> str:
    """At most 200 characters, taken from before the ending."""
    stem, dot, ending = name.rpartition(".")
    if len(name) <= LONGEST or not stem or len(ending) > LONGEST // 4:
        return name[:LONGEST]
    return stem[: LONGEST - len(ending) - 1] + dot + ending
