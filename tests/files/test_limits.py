"""Limits: each has a setting and an error code; a refused file leaves nothing behind."""

import asyncio
import io
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from chat.files.endpoints import UPLOADS
from tests.cast import Person, casting
from tests.files.sending import asks_offset, begins_upload, opens_file, picture, posts, sends, sends_piece
from tests.nodes import Node, running_node
from tests.verbs import tries

Stage = tuple[Person, Person, Node]


@asynccontextmanager
async def at_a_node(database_url: str, redis_url: str, **settings: object) -> AsyncIterator[Stage]:
    """Ana and Ben, at a node with these settings."""
    async with running_node(database_url, redis_url, **settings) as node, casting(database_url, node.url) as cast:
        ana, ben = await cast.enters("ana", "ben")
        yield ana, ben, node


async def tries_to_send(person: Person, data: bytes, name: str = "x") -> tuple[int, str]:
    """Try to upload; return the status and the error code."""
    status, said = await person.call("POST", f"/api/files?name={name}", data=io.BytesIO(data))
    return status, said.get("code", "")


async def tries_to_begin(person: Person, size: int) -> tuple[int, str]:
    """Try to create an upload of this size."""
    status, said = await person.call("POST", "/api/files", headers={"Upload-Length": str(size)})
    return status, said.get("code", "")


async def kept(node: Node) -> int:
    """Return the number of files that exist."""
    async with node.app[UPLOADS]._pool.connection() as connection:
        row = await (await connection.execute("select count(*) from files where removed_at is null")).fetchone()
    assert row
    return int(row[0])


async def test_the_size_of_a_file_is_limited(database_url: str, redis_url: str) -> None:
    """MAX_FILE_BYTES is checked before a byte is sent, and the error names the limit."""
    async with at_a_node(database_url, redis_url, max_file_bytes=2_000_000) as (ana, _, node):
        assert await tries_to_begin(ana, 2_000_001) == (413, "file_too_large")
        assert await tries_to_send(ana, bytes(2_000_001)) == (413, "file_too_large")
        _, said = await ana.call("POST", "/api/files", headers={"Upload-Length": "2000001"})
        assert "2 MB" in said["detail"]
        assert await kept(node) == 0
        assert (await tries_to_send(ana, bytes(2_000_000)))[0] == 201


async def test_the_files_of_a_user_are_limited(database_url: str, redis_url: str) -> None:
    """FILES_QUOTA counts files that are posted, waiting or begun; deleting one frees its bytes."""
    async with at_a_node(database_url, redis_url, files_quota=1000) as (ana, ben, _):
        room = (await ana.call("POST", "/api/chat/conversations", {"kind": "group", "members": [ben.id]}))[1]["id"]
        message = await posts(ana, room, await sends(ana, bytes(400)))
        place = await begins_upload(ana, 400)
        assert await tries_to_send(ana, bytes(300)) == (413, "quota_full")
        assert (await tries_to_send(ben, bytes(900)))[0] == 201
        assert await tries(ana, "DELETE", place) == (204, "")
        assert (await tries_to_send(ana, bytes(300)))[0] == 201
        assert await tries_to_send(ana, bytes(400)) == (413, "quota_full")
        path = f"/api/chat/conversations/{room}/messages/{message['seq']}"
        assert await tries(ana, "DELETE", path) == (204, "")
        assert (await tries_to_send(ana, bytes(400)))[0] == 201


async def test_two_uploads_at_once_do_not_exceed_the_quota(database_url: str, redis_url: str) -> None:
    """Of two uploads at once that fit only singly, one is refused."""
    async with at_a_node(database_url, redis_url, files_quota=1000) as (ana, _, _node):
        tried = await asyncio.gather(*[tries_to_begin(ana, 600) for _ in range(6)])
        assert sorted(tried) == [(201, ""), *[(413, "quota_full")] * 5]


CALLS = {
    "rate_upload": ("POST", "/api/files?name=x"),
    "rate_piece": ("PATCH", "/api/files/1"),
    "rate_download": ("GET", "/api/files/1/x"),
}


@pytest.mark.parametrize("name", CALLS)
async def test_each_way_has_its_rate(database_url: str, redis_url: str, name: str) -> None:
    """After two calls an hour comes 429; Ben is not limited by Ana."""
    method, path = CALLS[name]
    async with at_a_node(database_url, redis_url, rate_limits=True, **{name: "2/hour"}) as (ana, ben, _):
        said = [(await ana.call(method, path, data=b"x"))[0] for _ in range(3)]
        assert said[2] == 429
        assert 429 not in said[:2]
        assert (await ben.call(method, path, data=b"x"))[0] != 429


async def test_invalid_uploads_are_refused(ana: Person, node: Node) -> None:
    """An empty body, no length, an invalid length, and a form without a file are refused."""
    assert await tries_to_send(ana, b"") == (422, "empty_file")
    assert await tries_to_begin(ana, 0) == (422, "empty_file")

    async def unknown_length() -> AsyncIterator[bytes]:
        yield b"x"

    status, said = await ana.call("POST", "/api/files", data=unknown_length())
    assert (status, said["code"]) == (411, "length_required")
    for headers in ({"Upload-Length": "-1"}, {"Upload-Length": "9" * 30}, {"Upload-Length": "²"}):
        assert (await ana.call("POST", "/api/files", headers=headers))[0] == 422
    headers = {"Upload-Length": "1", "Upload-Metadata": "filename %%%"}
    assert (await ana.call("POST", "/api/files", headers=headers))[0] == 422
    form = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nhello\r\n--b--\r\n'
    status, said = await ana.call(
        "POST", "/api/files", data=form, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert (status, said["code"]) == (422, "no_file")
    assert (await ana.call("PATCH", "/api/files/1", data=b"x"))[0] == 404
    assert await kept(node) == 0


async def test_a_full_disk(ana: Person, node: Node) -> None:
    """The answer is 507; a file sent in one request is gone, an upload in pieces continues once there is space."""
    place = await begins_upload(ana, 600_000)
    assert (await sends_piece(ana, place, 0, bytes(100_000)))[0] == 204
    with no_room_beyond(300_000):
        assert await tries_to_send(ana, bytes(600_000)) == (507, "storage_full")
        assert (await sends_piece(ana, place, 100_000, bytes(500_000)))[:2] == (507, "storage_full")
        assert await asks_offset(ana, place) == 100_000
        assert await kept(node) == 1
    folder = node.app[UPLOADS].storage._folder
    assert [path.stat().st_size for path in folder.glob("*/*/*")] == [100_000]
    assert (await sends_piece(ana, place, 100_000, bytes(500_000)))[0] == 204


@contextmanager
def no_room_beyond(size: int) -> Iterator[None]:
    """Let the kernel limit the size of this process's files, so that writes fail half-way."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_body_too_slow(database_url: str, redis_url: str) -> None:
    """A client that is too slow is cut; the bytes that arrived are kept."""
    async with at_a_node(database_url, redis_url, body_seconds=0.2) as (ana, _, _node):
        place = await begins_upload(ana, 100)
        never = asyncio.Event()

        async def trickle() -> AsyncIterator[bytes]:
            yield b"hello"
            await never.wait()

        assert (await sends_piece(ana, place, 0, trickle()))[:2] == (408, "too_slow")
        assert await asks_offset(ana, place) == 5


async def test_a_bomb_of_pixels(database_url: str, redis_url: str) -> None:
    """A picture that claims more pixels than PICTURE_PIXELS is neither decoded nor kept."""
    async with at_a_node(database_url, redis_url, picture_pixels=1_000_000) as (ana, _, node):
        assert await tries_to_send(ana, picture((1001, 1000))) == (422, "too_many_pixels")
        place = await begins_upload(ana, len(picture((2000, 1000))))
        assert (await sends_piece(ana, place, 0, picture((2000, 1000))))[:2] == (422, "too_many_pixels")
        assert (await opens_file(ana, place))[0] == 404
        assert await kept(node) == 0
        assert (await tries_to_send(ana, picture((1000, 1000))))[0] == 201
