"""Malformed frames on a real socket: each gets a problem, never a traceback, and the server keeps running."""

import asyncio
import random
from typing import Any

import pytest
import structlog

from chat.shared.transport.ws_frames import encode_frame
from tests.cast import Cast, Person
from tests.nodes import Node
from tests.presence.presence_client import open_presence
from tests.raw_socket import handshake, masked

TURNS = 150
PIECES = [
    b"{",
    b"}",
    b'"type"',
    b":",
    b'"watch"',
    b'"users"',
    b"[",
    b"]",
    b"1e999",
    b"null",
    b"\xff",
    b'"\\ud800"',
    b",",
]


async def shakes_hands(person: Person, node: Node) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a socket without a library in between."""
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    writer.write(handshake(person, "/api/presence/socket"))
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def mess(chance: random.Random) -> bytes:
    """A frame with a malformed text, head, or both."""
    text = b"".join(chance.choices(PIECES, k=chance.randrange(12)))
    frame = masked(text, chance.choice([0, 1, 1, 1, 2, 3, 8, 9, 10, 15]), final=chance.random() < 0.8)
    return chance.choice([frame, frame, frame, chance.randbytes(20), frame[: chance.randrange(len(frame))]])


@pytest.fixture
def logged() -> Any:
    """Return what the node logs."""
    with structlog.testing.capture_logs() as lines:
        yield lines


async def test_malformed_frames(node: Node, cast: Cast, logged: list[dict[str, Any]]) -> None:
    """Whatever mallory sends, other users are served, and no failure is logged."""
    chance = random.Random(7)
    mallory, ben = await cast.enters("mallory", "ben")
    async with open_presence(ben) as watcher:
        for _ in range(TURNS):
            reader, writer = await shakes_hands(mallory, node)
            writer.write(b"".join(mess(chance) for _ in range(chance.randrange(1, 6))))
            writer.write(encode_frame(b"not masked: the end"))
            writer.write_eof()
            assert b"Traceback" not in await reader.read()
            writer.close()
        (record,) = await watcher.knows(ben)
        assert record["status"] == "online"
    assert [line for line in logged if line["log_level"] in ("error", "critical")] == []
