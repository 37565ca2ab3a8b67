"""Multipart forms (RFC 7578), parsed as they arrive. Pure, and linear in the bytes that are fed.

The parser is bounded: all that is not the content of a file (preamble, part headers, other fields) counts as overhead.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from chat.shared.errors import ApiError, TooLarge

OVERHEAD_MOST = 64 * 1024
PARTS_MOST = 32
PART_HEAD_MOST = 8 * 1024
FIELDS_MOST = 16  # headers of one part
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
PARAMETER = re.compile(r';[ \t]*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)"|([^;"\s]*))[ \t]*')
FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)")
PADDING = b" \t"


class BadForm(ApiError):
    """This multipart form is malformed."""

    status, code = 400, "bad_form"


@dataclass(frozen=True, slots=True)
class Part:
    """The beginning of a part; the bytes that follow are its content. `filename` is None for an ordinary field."""

    filename: str | None


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The end of a part."""


Event = Part | PartEnd | bytes


def find_boundary(content_type: str) -> bytes:
    """Return the boundary that a Content-Type names; raise `BadForm` if there is none of 1 to 70 legal characters."""
    boundary = parse_parameters(content_type).get("boundary", "")
    if not BOUNDARY.fullmatch(boundary):
        raise BadForm("Content-Type must name a boundary of 1 to 70 characters.")
    return boundary.encode()


def parse_parameters(value: str) -> dict[str, str]:
    """Parse `form-data; name="x"` into `{"name": "x"}`; raise `BadForm` on anything that is no parameter."""
    found: dict[str, str] = {}
    at = value.find(";")
    while 0 <= at < len(value):
        match = PARAMETER.match(value, at)
        if match is None:
            if value[at:].strip("; \t"):
                raise BadForm("A header parameter is malformed.")
            break
        name, quoted, plain = match.groups()
        found.setdefault(name.lower(), plain if quoted is None else re.sub(r'\\(["\\])', r"\1", quoted))
        at = match.end()
    return found


class FormParser:
    """Returns events for the bytes it is fed. `done` is true after the closing boundary; later bytes are ignored."""

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"\r\n--" + boundary
        # The first boundary needs no line break before it, so one is put there.
        self._rest = bytearray(b"\r\n")
        self._state: Callable[[list[Event]], bool] = self._take_preamble
        self._overhead = self._parts = 0
        self._in_file = self.done = False

    def feed(self, data: bytes) -> list[Event]:
        """Return what these bytes complete; raise `BadForm`, or `TooLarge` if there is more overhead than fits."""
        self._rest += data
        events: list[Event] = []
        while not self.done and self._state(events):
            pass
        return events

    def _take_preamble(self, _: list[Event]) -> bool:
        content, found = self._take_content()
        self._spend(len(content))
        if found:
            self._state = self._take_delimiter
        return found

    def _take_data(self, events: list[Event]) -> bool:
        content, found = self._take_content()
        if not self._in_file:
            self._spend(len(content))
        if content:
            events.append(content)
        if found:
            events.append(PartEnd())
            self._state = self._take_delimiter
        return found

    def _take_content(self) -> tuple[bytes, bool]:
        """Take the bytes that are certainly before the next delimiter, and the delimiter if it has arrived."""
        at = self._rest.find(self._delimiter)
        end = at if at >= 0 else max(0, len(self._rest) - len(self._delimiter) + 1)
        content = bytes(self._rest[:end])
        del self._rest[: end + (len(self._delimiter) if at >= 0 else 0)]
        return content, at >= 0

    def _take_delimiter(self, _: list[Event]) -> bool:
        """Take the rest of a boundary's line: `--` ends the form, nothing but padding begins a part."""
        if self._rest[:2] == b"--":
            self.done = True
            return False
        padding = len(self._rest) - len(self._rest.lstrip(PADDING))
        line_end = self._rest[padding : padding + 2]
        if self._rest == b"-" or (len(line_end) < 2 and b"\r\n".startswith(line_end)):
            if padding > PART_HEAD_MOST:
                raise TooLarge
            return False
        if line_end != b"\r\n":
            raise BadForm("A boundary is not followed by a line break.")
        del self._rest[:padding]  # the line break stays: an empty head is two of them in a row
        self._parts += 1
        if self._parts > PARTS_MOST:
            raise TooLarge(f"A form can have {PARTS_MOST} parts at most.")
        self._state = self._take_head
        return True

    def _take_head(self, events: list[Event]) -> bool:
        at = self._rest.find(b"\r\n\r\n", 0, PART_HEAD_MOST + 4)
        if at < 0:
            if len(self._rest) > PART_HEAD_MOST:
                raise TooLarge(f"The headers of a part can have {PART_HEAD_MOST} bytes at most.")
            return False
        self._spend(at)
        filename = parse_head(bytes(self._rest[2:at]))
        # One line break stays, so that the content may start with a delimiter (an empty part).
        del self._rest[: at + 2]
        self._in_file = filename is not None
        events.append(Part(filename))
        self._state = self._take_first
        return True

    def _take_first(self, _: list[Event]) -> bool:
        """Drop the line break that was kept, unless it belongs to the delimiter of an empty part."""
        if len(self._rest) < len(self._delimiter) and self._delimiter.startswith(self._rest):
            return False
        if not self._rest.startswith(self._delimiter):
            del self._rest[:2]
        self._state = self._take_data
        return True

    def _spend(self, size: int) -> None:
        self._overhead += size
        if self._overhead > OVERHEAD_MOST:
            raise TooLarge(f"A form can have {OVERHEAD_MOST} bytes at most beside its file.")


def parse_head(head: bytes) -> str | None:
    """Return the file name in a part's headers, None for a field; raise `BadForm` if they are malformed."""
    try:
        lines = head.decode().split("\r\n") if head else []
    except UnicodeDecodeError:
        raise BadForm("The headers of a part are not UTF-8.") from None
    fields = [FIELD.fullmatch(line) for line in lines]
    if len(fields) > FIELDS_MOST or not all(fields) or any("\0" in line or "\n" in line for line in lines):
        raise BadForm("The headers of a part are malformed.")
    named = {field[1].lower(): field[2] for field in fields if field}
    parameters = parse_parameters(named.get("content-disposition", ""))
    if (extended := parameters.get("filename*")) is not None:
        return parse_extended(extended)
    return parameters.get("filename")


def parse_extended(value: str) -> str:
    """Decode `UTF-8''na%C3%AFve.txt` (RFC 8187); raise `BadForm` on any other character set."""
    charset, _, encoded = value.partition("'")
    try:
        if charset.lower() == "utf-8":
            return unquote(encoded.partition("'")[2], errors="strict")
    except UnicodeDecodeError:
        pass
    raise BadForm("The name of a file is not encoded as UTF-8.")
