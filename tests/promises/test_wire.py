"""Bytes that no browser would send are refused, timed out or not found, and never break anything."""

from collections.abc import AsyncIterator

import orjson
import pytest
from yarl import URL

from tests.cast import Cast, Person
from tests.nodes import Node, running_node
from tests.promises.raw_connection import RawConnection, half_a_message

ROOM = "/api/chat/conversations/1/messages"
LOG_IN = b"POST /api/sessions HTTP/1.1\r\nHost: x\r\n"
NO_REQUESTS = {
    "no HTTP": b"hello\r\n\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\nHost: x\r\nCookie: tandem=\0\r\n\r\n",
    "two lengths": LOG_IN + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "length and chunks": LOG_IN + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
    "bad chunks": LOG_IN + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nxx\r\n",
}
VALUES = ["%00", "%ED%A0%80", "%FF", "%0A", "'", "9" * 5000, "-1", "1e9", "%D9%A3", "%F0%9F%A5%A8"]
PLACES = (
    "/api/users?q={}",
    "/api/users?ids={}",
    "/api/users/{}",
    "/api/sessions/{}",
    "/api/chat/conversations/{}",
    "/api/chat/conversations/1/members?after={}",
    ROOM + "?before={}",
    "/api/chat/channels?q={}",
    "/api/chat/stream?poll=0&after={}",
    "/api/chat/stream?poll=0&conversations={}",
    "/{}",
    "/{}.png",
    "/assets/{}.js",
)


@pytest.fixture
async def node(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A node with a short deadline for bodies."""
    async with running_node(database_url, redis_url, body_seconds=0.4) as one:
        yield one


@pytest.fixture
async def ana(cast: Cast) -> Person:
    """Ana, with a conversation of her own."""
    (ana,) = await cast.enters("ana")
    assert await cast.share(ana) == 1
    return ana


async def test_a_missing_body_times_out(ana: Person, node: Node) -> None:
    """A body that does not arrive gets 408, and the connection closes."""
    wire = await RawConnection.to(node)
    await wire.send(half_a_message(ana, ROOM))
    heard = await wire.hear()
    assert heard.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"too_slow"' in heard


async def test_an_invalid_request_is_refused(node: Node) -> None:
    """Bytes that are no request get 400 or a closed connection, and nothing internal shows."""
    for kind, request in NO_REQUESTS.items():
        wire = await RawConnection.to(node)
        await wire.send(request)
        heard = await wire.hear()
        assert heard == b"" or heard.split(b" ")[1] == b"400", (kind, heard)
        assert b"Traceback" not in heard


async def test_a_client_that_disconnects_in_a_request_is_no_failure(
    ana: Person, node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    """A client that disconnects in the middle of a request is not logged as a failure, and the next request is
    served."""
    for _ in range(3):
        wire = await RawConnection.to(node)
        await wire.send(half_a_message(ana, ROOM))
        await wire.hang_up()
    await ana.says(1, "still here")
    assert "failed" not in capsys.readouterr().out


@pytest.mark.parametrize("place", PLACES)
async def test_any_address_is_handled(ana: Person, cast: Cast, place: str) -> None:
    """Any text in a path or a query is refused, ignored or not found, never 500."""
    for value in VALUES:
        url = URL(ana.at + place.format(value), encoded=True)
        async with cast.http.get(url, headers={"Authorization": f"Bearer {ana.token}"}) as answer:
            body = await answer.read()
            assert answer.status in (200, 404, 405, 422), (value, answer.status, body)
            if answer.status != 200:
                assert orjson.loads(body)["status"] == answer.status
