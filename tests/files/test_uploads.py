"""Uploads: in one request or in pieces; after any cut the received bytes stay, and the rest follows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from chat.files.endpoints import PIECE_TYPE, UPLOADS
from tests.cast import Person
from tests.files.sending import (
    address,
    asks_offset,
    bearer,
    begins_upload,
    fetching,
    may_read,
    opens_file,
    picture,
    sends,
    sends_piece,
)
from tests.nodes import Node
from tests.verbs import tries
from tests.waiting import eventually

DATA = bytes(range(251)) * 2_000


async def test_all_at_once(ana: Person) -> None:
    """A raw body and a form are read back byte for byte."""
    raw = await sends(ana, DATA, "data.bin")
    assert raw == {"id": raw["id"], "name": "data.bin", "size": len(DATA), "type": "application/octet-stream"}
    assert (await opens_file(ana, address(raw)))[1] == DATA
    form = await sends_form(ana, DATA, "a form.bin")
    assert (form["name"], form["size"]) == ("a form.bin", len(DATA))
    assert (await opens_file(ana, address(form)))[1] == DATA


@pytest.mark.parametrize(
    ("name", "shown"),
    [(".env", ".env"), ("..", "file"), ("../.bashrc", ".bashrc"), ("...a.txt.", ".a.txt"), ("\u200b", "file")],
)
async def test_a_dot_before_a_name_stays(ana: Person, name: str, shown: str) -> None:
    """Names such as `.env` keep their dot; folders, further dots and names of nothing do not."""
    assert (await sends_form(ana, b"A=1", name))["name"] == shown


async def sends_form(person: Person, data: bytes, name: str) -> dict:  # type: ignore[type-arg]
    """Send a form, as a page without scripts would."""
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("note", "something beside it")
    form.add_field("file", data, filename=name)
    status, said = await person.call("POST", "/api/files", data=form)
    assert status == 201, said
    return dict(said["file"])


async def test_in_pieces(ana: Person, ben: Person) -> None:
    """An upload as in tus is created, continued and queried; once complete its type is known. Other users see nothing
    of it."""
    place = await begins_upload(ana, 12, "Grüße.txt")
    assert await asks_offset(ana, place) == 0
    status, _, heard = await sends_piece(ana, place, 0, b"hello")
    assert (status, heard["Upload-Offset"], heard["Tus-Resumable"]) == (204, "5", "1.0.0")
    assert await asks_offset(ana, place) == 5
    assert (await sends_piece(ana, place, 5, b", world"))[0] == 204
    _, said = await ana.call("GET", place)
    assert said["ready"]
    assert (said["file"]["name"], said["file"]["type"]) == ("Grüße.txt", "text/plain")
    assert (await opens_file(ana, address(said["file"])))[1] == b"hello, world"
    for method in ("GET", "HEAD", "PATCH", "DELETE"):
        assert (await ben.asks(method, place, headers={"Upload-Offset": "0"}))[0] == 404


async def test_a_cut_upload_keeps_received_bytes(ana: Person, node: Node) -> None:
    """The connection breaks in the middle of a piece: the next piece continues from there."""
    place = await begins_upload(ana, len(DATA))
    folder = node.app[UPLOADS].storage._folder
    await sends_and_breaks_off(ana, place, DATA[:300_000], lambda: has_bytes(folder))
    offset = await eventually(lambda: asks_offset(ana, place))
    assert 0 < offset <= 300_000
    assert (await sends_piece(ana, place, offset, DATA[offset:]))[0] == 204
    _, said = await ana.call("GET", place)
    assert (await opens_file(ana, address(said["file"])))[1] == DATA


def has_bytes(folder: Path) -> bool:
    """Return whether any bytes are stored."""
    return any(path.stat().st_size for path in folder.glob("*/*/*"))


async def sends_and_breaks_off(person: Person, place: str, data: bytes, under_way: Callable[[], bool]) -> None:
    """Announce the whole file, send a part, and disconnect as soon as some of it is on the disk."""
    at = urlsplit(person.at)
    _, writer = await asyncio.open_connection(at.hostname, at.port)
    lines = [f"PATCH {place} HTTP/1.1", f"Host: {at.netloc}", f"Content-Length: {len(DATA)}", "Upload-Offset: 0"]
    lines += [f"{name}: {value}" for name, value in (bearer(person) | {"Content-Type": PIECE_TYPE}).items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
    await writer.drain()
    await eventually(under_way)
    writer.close()


async def test_a_cut_upload_in_one_request_is_deleted(ana: Person, node: Node) -> None:
    """A cut upload in one request cannot be continued, so it is deleted."""

    async def breaks_off() -> AsyncIterator[bytes]:
        yield DATA[:1000]
        raise ConnectionResetError

    with pytest.raises(Exception):  # noqa: B017, PT011 (whatever the client calls it)
        await ana.call("POST", "/api/files", data=breaks_off(), headers={"Content-Length": "5000"})
    pool = node.app[UPLOADS]._pool

    async def waits() -> bool:
        async with pool.connection() as connection:
            rows = await (await connection.execute("select removed_at is null from files")).fetchall()
        return rows == [(False,)]

    await eventually(waits)


async def test_only_the_current_offset_is_accepted(ana: Person) -> None:
    """A piece at another offset, or too long, is refused; of two at the same offset one counts."""
    place = await begins_upload(ana, 10)
    assert (await sends_piece(ana, place, 3, b"abc"))[:2] == (409, "wrong_offset")
    assert (await sends_piece(ana, place, 0, b"x" * 11))[:2] == (413, "too_large")
    assert await asks_offset(ana, place) == 0
    both = await asyncio.gather(*[sends_piece(ana, place, 0, letter * 5) for letter in (b"a", b"b")])
    assert sorted(status for status, *_ in both) == [204, 409]
    assert await asks_offset(ana, place) == 5


async def test_an_interrupted_finish_is_repeated(ana: Person, node: Node) -> None:
    """The node died after the last piece: an empty piece completes the file."""
    place = await begins_upload(ana, 5)
    assert (await sends_piece(ana, place, 0, b"hello"))[0] == 204
    async with node.app[UPLOADS]._pool.connection() as connection:
        await connection.execute("update files set ready_at = null, type = ''")
    _, said = await ana.call("GET", place)
    assert not said["ready"]
    assert (await sends_piece(ana, place, 5, b""))[0] == 204
    _, said = await ana.call("GET", place)
    assert (said["ready"], said["file"]["type"]) == (True, "text/plain")


async def test_a_canceled_upload_is_gone(ana: Person) -> None:
    """A canceled upload can neither be continued nor read."""
    place = await begins_upload(ana, 10)
    await sends_piece(ana, place, 0, b"abc")
    assert await tries(ana, "DELETE", place) == (204, "")
    assert (await sends_piece(ana, place, 3, b"abc"))[0] == 404
    whole = await sends(ana, b"whole")
    assert await tries(ana, "DELETE", f"/api/files/{whole['id']}") == (204, "")
    assert not await may_read(ana, whole)


async def test_metrics_count_files(ana: Person) -> None:
    """Metrics count received, sent and processed files and bytes."""
    shown = await sends(ana, picture(), "a.png")
    await sends(ana, b"words")
    await opens_file(ana, address(shown))
    _, told, _ = await opens_file(ana, "/metrics")
    lines = dict(line.rsplit(" ", 1) for line in told.decode().splitlines() if line.startswith("tandem_"))
    assert float(lines["tandem_files_total"]) == 2
    assert float(lines["tandem_files_received_bytes_total"]) == shown["size"] + 5
    assert float(lines["tandem_files_sent_bytes_total"]) == shown["size"]
    assert float(lines['tandem_pictures_total{outcome="shown"}']) == 1


async def test_memory_does_not_grow_with_the_file(ana: Person, node: Node) -> None:
    """The node has only a few blocks of a file in memory, in both directions."""
    size, seen = 8 * 1024 * 1024, 0
    held: list[int] = []
    storage = node.app[UPLOADS].storage
    put = storage.put

    async def watched(key, body):  # type: ignore[no-untyped-def]
        async def pieces() -> AsyncIterator[bytes]:
            async for piece in body:
                held.append(len(piece))
                yield piece

        return await put(key, pieces())

    storage.put = watched  # type: ignore[method-assign]
    file = await sends(ana, bytes(size), "zeros.bin")
    assert sum(held) == size
    assert max(held) <= 1024 * 1024
    async with fetching(ana, address(file)) as answer:
        async for piece in answer.content.iter_any():
            seen += len(piece)
    assert seen == size
