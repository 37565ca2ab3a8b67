"""Error documents: at most ten errors, whatever was sent, so that a client can flood neither its connection nor the
log."""

import asyncio
import io
import socket
import struct
from collections.abc import Iterator

import orjson
import psycopg
import pytest
import structlog

from chat.shared.logging import DropRepeats
from tests.cast import Person
from tests.nodes import Node
from tests.raw_socket import SOCKETS, handshake
from tests.waiting import breathe

ROOM = "/api/chat/conversations/1/messages"


def fields(count: int, size: int = 1) -> bytes:
    """Return an object with so many unknown fields."""
    return b"{%b}" % b",".join(b'"%b%d":1' % (b"f" * size, n) for n in range(count))


async def refused(person: Person, path: str, body: bytes) -> bytes:
    """Return the raw problem document."""
    status, problem = await person.call("POST", path, data=body)
    assert status == 422
    assert problem["code"] == "invalid"
    return orjson.dumps(problem)


BODIES = {
    "11 unknown fields": fields(11),
    "6,000 unknown fields": fields(6_000),
    "long unknown fields": fields(12, 5_000),
    "one unknown field of 60 KB": fields(1, 60_000),
    "a long list of nonsense": b'{"kind": "group", "members": [%b]}' % b",".join([b'"x"'] * 15_000),
    "a long text": b'{"name": "%b"}' % (b"x" * 60_000),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_an_error_document_is_small(ana: Person, body: bytes) -> None:
    """A document has at most ten errors and about 4 KB, without a session too."""
    for path in ("/api/sessions", "/api/accounts", "/api/chat/conversations", ROOM):
        said = await refused(ana, path, body)
        assert len(orjson.loads(said)["errors"]) <= 10
        assert len(said) < 5_000


async def test_thousands_of_errors_are_counted_and_not_named(ana: Person) -> None:
    """At most fifty errors are collected; naming thousands took seven times as long as finding them."""
    few, many = [orjson.loads(await refused(ana, ROOM, fields(count)))["errors"] for count in (40, 6_000)]
    assert len(few) == 10
    assert many == [{"field": "body", "detail": "6001 values are missing, unknown or wrong"}]


async def test_a_batch_of_wrong_messages_is_answered_briefly(ana: Person) -> None:
    """A batch of 500 items with 900, then 50 unknown fields each gets a problem for each item, and a hundred fields in
    all."""
    for count in (900, 50):
        items = b",".join([fields(count)] * (400 if count > 100 else 500))
        batch = io.BytesIO(b'{"messages": [%b]}' % items)
        status, said = await ana.call("POST", "/api/chat/messages", data=batch)
        assert status == 200
        assert {one["status"] for one in said["results"]} == {422}
        assert sum(len(one["problem"].get("errors", ())) for one in said["results"]) <= 109
        assert len(orjson.dumps(said)) < 500 * 300


@pytest.fixture
def log() -> Iterator[list[structlog.typing.EventDict]]:
    """The log of a node, without repeats, as in production."""
    with structlog.testing.capture_logs([DropRepeats()]) as lines:
        yield lines


@pytest.mark.parametrize("path", [ROOM, *SOCKETS])
async def test_clients_that_leave_are_no_failures(
    node: Node, ana: Person, path: str, log: list[structlog.typing.EventDict]
) -> None:
    """Fifty clients reset their connection while posting or opening a socket, at every stage; none of it is logged as a
    failure."""
    body = b'{"body": "x", "client_id": "1"}'
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ana.token}\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    for n in range(50):
        _, writer = await asyncio.open_connection("127.0.0.1", node.port)
        post = head.encode() + body[: len(body) if n % 2 else 5]
        writer.write(handshake(ana, path) if path in SOCKETS else post)
        await breathe(n / 5_000)
        reset(writer)
        await ana.call("GET", "/health/live")
    assert [line for line in log if line["log_level"] == "error"] == []


def reset(writer: asyncio.StreamWriter) -> None:
    """Reset the connection."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def test_a_failure_is_logged_once_a_minute(
    database_url: str, ana: Person, log: list[structlog.typing.EventDict]
) -> None:
    """A hundred requests that fail at the same line log one traceback."""
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute("alter table conversations rename to gone")
    for _ in range(100):
        assert (await ana.call("GET", "/api/chat/conversations"))[0] == 500
    assert len([line for line in log if line["event"] == "request failed"]) == 1
