"""The form parser: the same events however the bytes are cut, in linear time."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.shared.errors import TooLarge
from chat.shared.multipart import BadForm, Event, FormParser, Part, PartEnd, find_boundary, parse_parameters

HEAD = b'Content-Disposition: form-data; name="f"; filename="x"\r\n\r\n'
PIECES = st.lists(st.sampled_from([b"\r", b"\n", b"-", b"--", b"--b", b"b", b"x", b"\r\n--", b"\r\n--c"]), max_size=30)


def parse(data: bytes, *sizes: int) -> list[Event]:
    """Return the events of a form that arrives in pieces of these sizes; adjacent content is joined."""
    parser, events = FormParser(b"b"), list[Event]()
    cuts = [sum(sizes[:n]) for n in range(len(sizes) + 1)]
    for start, end in zip(cuts, [*cuts[1:], len(data)], strict=True):
        events += parser.feed(data[start:end])
    return join(events)


def join(events: list[Event]) -> list[Event]:
    """Join content that comes in several pieces."""
    joined: list[Event] = []
    for event in events:
        if isinstance(event, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += event
        else:
            joined.append(event)
    return joined


@given(st.lists(PIECES.map(b"".join), max_size=3), st.lists(st.integers(0, 20), max_size=12))
def test_content_survives_any_cut(contents: list[bytes], sizes: list[int]) -> None:
    """Every part is read back, unless it contains the delimiter itself."""
    contents = [one for one in contents if b"\r\n--b" not in b"\r\n" + one + b"\r\n"]
    form = b"".join(b"--b\r\n" + HEAD + one + b"\r\n" for one in contents) + b"--b--\r\nepilogue"
    expected: list[Event] = []
    for one in contents:
        expected += [Part("x"), *([one] if one else []), PartEnd()]
    assert parse(form, *sizes) == expected


SCRAPS = [b"\r\n", b"--b", b"--", HEAD, b"x", b" ", b":", b"\r\n\r\n", b"\0", b"\xff"]


@given(st.lists(st.sampled_from(SCRAPS), max_size=20))
def test_any_bytes_are_accepted_or_refused_alike(pieces: list[bytes]) -> None:
    """Any bytes give the same events, or are refused, in one piece and byte by byte."""
    data = b"".join(pieces)
    assert outcome(data) == outcome(data, *[1] * len(data))


def outcome(data: bytes, *sizes: int) -> list[Event] | str:
    """Return the events, or the name of the error."""
    try:
        return parse(data, *sizes)
    except (BadForm, TooLarge) as refusal:
        return type(refusal).__name__


HOSTILE = [b"\r\n--", b"\r\n--\r\n--", b"\r", b"\n", b"-", b"\r\n--c", b"x"]


@pytest.mark.parametrize("unit", HOSTILE)
def test_the_work_grows_with_the_bytes(unit: bytes) -> None:
    """Sixteen times the bytes take less than a hundred times as long; quadratic work would take 256 times."""

    def seconds(count: int) -> float:
        data = b"--b\r\n" + HEAD + unit * count
        began = time.perf_counter()
        parser = FormParser(b"b")
        for start in range(0, len(data), 4096):
            parser.feed(data[start : start + 4096])
        return time.perf_counter() - began

    few, many = (min(seconds(count) for _ in range(5)) for count in (100_000, 1_600_000))
    assert many < 100 * few


@pytest.mark.parametrize("unit", ["\\", ";a=b", '; a="', ";", "; a= ", '"', '\\"'])
def test_the_work_of_parameters_grows_with_the_text(unit: str) -> None:
    """Any header is parsed or refused in linear time."""

    def seconds(count: int) -> float:
        began = time.perf_counter()
        with suppress(BadForm):
            parse_parameters('form-data; x="' + unit * count)
            parse_parameters("form-data;" + unit * count)
        return time.perf_counter() - began

    few, many = (min(seconds(count) for _ in range(5)) for count in (10_000, 160_000))
    assert many < 100 * few


def test_boundaries() -> None:
    """Boundaries of browsers and libraries are accepted; others raise `BadForm`."""
    for fine in ("----WebKitFormBoundaryAbC123", "a'()+_,-./:=? b", "x" * 70):
        assert find_boundary(f'multipart/form-data; charset=utf-8; boundary="{fine}"') == fine.encode()
    for wrong in ("", "x" * 71, "x ", "ü", "a\tb"):
        with pytest.raises(BadForm):
            find_boundary(f'multipart/form-data; boundary="{wrong}"')
