"""The event-stream parser gives the same events however the bytes are cut; cases as in web/client/sse.test.ts."""

import random

import pytest

from chat.client.sse import BadStream, EventParser, EventSplitter, ResponseBody, StreamEvent, find_last_id


def parse(data: str) -> list[tuple[str, str, str, int | None]]:
    """Return `(id, event, data, retry)` of each event."""
    return [fields(event) for event in EventParser().feed(data.encode())]


def fields(event: StreamEvent) -> tuple[str, str, str, int | None]:
    """Return the fields of an event that a reader uses."""
    return event.id, event.event, event.data.decode(), event.retry


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ('id: k3v9.1042\ndata: {"seq":340}\n\n', [("k3v9.1042", "message", '{"seq":340}', None)]),
        (
            ": hello\nretry: 2137\nid: a.1\nevent: ready\ndata: {}\nwhat: ever\n\n",
            [("a.1", "ready", "{}", 2137)],
        ),
        ("data: one\ndata:two\ndata:  three\ndata\n\n", [("", "message", "one\ntwo\n three\n", None)]),
        ("id: a.1\ndata: x\n\ndata: y\n\n", [("a.1", "message", "x", None), ("", "message", "y", None)]),
        ("\ufeffdata: x\n\nid: a\0b\nretry: soon\n\n\n\n", [("", "message", "x", None)]),
        (": nothing but a comment\n\n", []),
        ("data: half", []),
    ],
)
def test_events(text: str, events: list[tuple[str, str, str, int | None]]) -> None:
    """Fields, comments, unknown fields, ids, a byte order mark, and incomplete events are parsed."""
    assert parse(text) == events


def test_every_line_end_also_when_it_is_cut() -> None:
    """LF, CR and CRLF all end a line; CRLF may arrive in two pieces."""
    parser = EventParser()
    pieces = [b"data: a\r", b"\n\r", b"\ndata: b\r\rdata: c\n\n"]
    assert [event.data for piece in pieces for event in parser.feed(piece)] == [b"a", b"b", b"c"]


def test_any_cut_gives_the_same_events() -> None:
    """Three hundred ways to cut one stream."""
    text = (
        "\ufeffretry: 5\r\nid: e.1\r\nevent: ready\r\ndata: {}\r\n\r\nid: e.2\ndata: héllo 👋\ndata: مرحبا\n\n"
        ": beat\n\rid: e.3\rdata: z\r\r\n"
    )
    whole = parse(text)
    assert len(whole) == 3
    for seed in range(300):
        parser, chance, found, data = EventParser(), random.Random(seed), [], text.encode()
        while data:
            size = chance.randint(1, 9)
            found += [fields(event) for event in parser.feed(data[:size])]
            data = data[size:]
        assert found == whole, seed


def test_an_event_without_an_end_is_refused() -> None:
    """The limit counts incomplete events; a stream of small events has none."""
    splitter = EventSplitter(most=1000)
    for _ in range(100):
        assert splitter.feed(b"data: " + b"x" * 90 + b"\n\n")
    for _ in range(10):
        assert splitter.feed(b"data: " + b"x" * 90 + b"\n") == []
    with pytest.raises(BadStream):
        splitter.feed(b"data: " + b"x" * 90 + b"\n")


def test_the_last_id_of_many() -> None:
    """Also between the chunks of an HTTP body, and after events without an id."""
    assert find_last_id(b"data: x\nid: a.1\n\n\r\n2f\r\ndata: y\nid: a.2\n\nevent: beat\ndata: {}\n\n") == b"a.2"
    assert find_last_id(b"data: x\nid: a.1") == b"a.1"
    assert find_last_id(b"id: a.1\ndata: x\n\n") == b"a.1"  # entries of the time when ids came first
    assert find_last_id(b"event: beat\ndata: {}\n\n") == b""


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_response_in_chunks(size: int) -> None:
    """The head and complete chunks are read in pieces of any size."""
    body, sent = ResponseBody(), b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n3\r\nabc\r\na;x=y\r\n0123456789\r\n"
    got = b"".join(body.feed(sent[n : n + size]) for n in range(0, len(sent), size))
    assert (body.status, got) == (200, b"abc0123456789")


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n-5\r\nabcdefgh\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"0" * 2000,
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20_000,
    ],
)
def test_an_invalid_response_raises(sent: bytes) -> None:
    """An invalid response raises, instead of waiting for an end that does not come."""
    with pytest.raises(BadStream):
        ResponseBody().feed(sent)
