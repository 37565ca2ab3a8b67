"""Forms: a malformed one is refused, a slow one is cut, and neither uses its owner's quota."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chat.files.endpoints import UPLOADS
from tests.cast import Person, casting
from tests.files.sending import address, opens_file
from tests.nodes import Node, running_node
from tests.waiting import breathe

DISPOSITION = b'Content-Disposition: form-data; name="f"; filename="x.txt"\r\n'
NAMED = b"--b\r\n" + DISPOSITION
END = b"\r\n--b--\r\n"
FINE = NAMED + b"\r\nhello" + END
B = "multipart/form-data; boundary=b"
MALFORMED: dict[str, tuple[int, str, bytes]] = {
    "no boundary": (400, "multipart/form-data", FINE),
    "an empty boundary": (400, "multipart/form-data; boundary=", FINE),
    "an empty quoted boundary": (400, 'multipart/form-data; boundary=""', FINE),
    "a boundary of 71": (400, f"multipart/form-data; boundary={'b' * 71}", FINE),
    "a boundary with a comma and a semicolon": (400, 'multipart/form-data; boundary="a;"b', FINE),
    "a boundary that is not ASCII": (400, 'multipart/form-data; boundary="bü"', FINE),
    "another boundary": (400, "multipart/form-data; boundary=c", FINE),
    "no boundary in the body": (400, B, b"hello"),
    "a boundary with something behind it": (400, B, b"--bad\r\n" + DISPOSITION + b"\r\nhello" + END),
    "a head without an end": (400, B, NAMED),
    "a head that is no header": (400, B, b"--b\r\nhello\r\n\r\nhello" + END),
    "a head with a space in its name": (400, B, b"--b\r\nContent Disposition: x\r\n\r\nhello" + END),
    "a head that is folded": (400, B, b"--b\r\nContent-Disposition: form-data;\r\n name=f\r\n\r\nhello" + END),
    "a head with a NUL": (400, B, b"--b\r\nContent-Disposition: form-data; name=\0\r\n\r\nhello" + END),
    "a head that is not UTF-8": (400, B, b'--b\r\nContent-Disposition: a; filename="\xff"\r\n\r\nhello' + END),
    "an unfinished quote": (400, B, b'--b\r\nContent-Disposition: form-data; filename="x\r\n\r\nhello' + END),
    "another character set": (400, B, b"--b\r\nContent-Disposition: a; filename*=latin1''%FF\r\n\r\nhello" + END),
    "bytes that are not UTF-8": (400, B, b"--b\r\nContent-Disposition: a; filename*=utf-8''%FF\r\n\r\nhello" + END),
    "a long head": (413, B, b"--b\r\nX: " + b"x" * 9_000 + b"\r\n\r\nhello" + END),
    "many heads": (400, B, b"--b\r\n" + b"X: 1\r\n" * 20 + b"\r\nhello" + END),
    "a long preamble": (413, B, b"x" * 70_000 + FINE),
    "a long field": (413, B, b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n' + b"x" * 70_000 + END),
    "many fields": (413, B, b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n1\r\n' * 40 + FINE),
    "a form in a form": (422, B, b"--b\r\nContent-Type: multipart/mixed\r\n\r\n--c\r\n" + END),
    "no file": (422, B, b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\nhello' + END),
    "nothing": (422, B, b"--b--\r\n"),
    "an empty file": (422, B, NAMED + b"\r\n" + END),
    "a file without an end": (400, B, NAMED + b"\r\nhello"),
    "half an end": (400, B, NAMED + b"\r\nhello\r\n--"),
}


async def sends_raw(person: Person, kind: str, data: bytes) -> tuple[int, str]:
    """Send raw bytes; return the status and the error code."""
    status, said = await person.call("POST", "/api/files", data=data, headers={"Content-Type": kind})
    return status, said.get("code", "")


async def quota_of(person: Person, node: Node) -> int:
    """Return the bytes that count for the user's quota."""
    async with node.app[UPLOADS]._pool.connection() as connection:
        asked = "select coalesce(sum(size), 0) from files where owner_id = %s and removed_at is null"
        row = await (await connection.execute(asked, [person.id])).fetchone()
    assert row
    return int(row[0])


async def test_a_valid_form_is_accepted(ana: Person) -> None:
    """A valid form is accepted, with names as browsers, curl and older libraries write them."""
    names = {
        b'filename="x.txt"': "x.txt",
        b"filename=x.txt": "x.txt",
        'filename="naïve 🥨.txt"'.encode(): "naïve 🥨.txt",
        b'filename="a \\"quoted\\" one"': 'a "quoted" one',
        b"filename=\"plain\"; filename*=UTF-8''na%C3%AFve": "naïve",
    }
    for field, name in names.items():
        form = b"preamble\r\n--b  \r\nContent-Disposition: form-data; " + field + b"\r\nX: 1\r\n\r\na\r\n--bc\r\n" + END
        status, said = await ana.call("POST", "/api/files", data=form, headers={"Content-Type": B})
        assert status == 400  # the boundary's first letters may not begin a line of the file
        form = b"preamble\r\n--b  \r\nContent-Disposition: form-data; " + field + b"\r\nX: 1\r\n\r\na\r\n-b\r\n" + END
        status, said = await ana.call("POST", "/api/files", data=form, headers={"Content-Type": B})
        assert (status, said["file"]["name"]) == (201, name)
        assert (await opens_file(ana, address(said["file"])))[1] == b"a\r\n-b\r\n"


async def test_malformed_forms_are_refused(ana: Person, node: Node) -> None:
    """Each malformed form gets a 4xx status, and the quota is as before."""
    said = {name: (await sends_raw(ana, kind, data))[0] for name, (_, kind, data) in MALFORMED.items()}
    assert said == {name: status for name, (status, *_) in MALFORMED.items()}
    assert await quota_of(ana, node) == 0


async def test_a_cut_file_frees_its_quota(ana: Person, node: Node) -> None:
    """The connection ends in the middle of a form, and of a raw file; the quota is as before."""
    for kind, data in ((B, NAMED + b"\r\nhel"), ("text/plain", b"hel")):
        _, writer = await asyncio.open_connection("127.0.0.1", node.port)
        head = f"POST /api/files?name=x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ana.token}\r\n"
        writer.write(f"{head}Content-Type: {kind}\r\nContent-Length: 5000\r\n\r\n".encode() + data)
        while await quota_of(ana, node) == 0:
            await breathe()
        writer.close()
        await writer.wait_closed()
        while await quota_of(ana, node):
            await breathe()


SLOW = {
    "nothing": b"",
    "a preamble": b"words before",
    "a head": b"--b\r\nContent-Dis",
    "a field": b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\nword',
    "a file": NAMED + b"\r\nword",
}


@pytest.fixture
async def impatient(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A node that waits half a second for a body."""
    async with running_node(database_url, redis_url, body_seconds=0.5) as node:
        yield node


@pytest.mark.parametrize("begun", SLOW.values(), ids=SLOW)
async def test_a_slow_form_is_cut(database_url: str, impatient: Node, begun: bytes) -> None:
    """A form that arrives byte by byte gets 408, wherever it is."""
    async with casting(database_url, impatient.url) as cast:
        (ana,) = await cast.enters("ana")
        reader, writer = await asyncio.open_connection("127.0.0.1", impatient.port)
        head = f"POST /api/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ana.token}\r\n"
        writer.write(f"{head}Content-Type: {B}\r\nContent-Length: 4000\r\n\r\n".encode() + begun)
        answered = asyncio.ensure_future(reader.readline())
        while not answered.done():
            if begun:
                writer.write(b"x")
            await breathe(0.05)
        assert await answered == b"HTTP/1.1 408 Request Timeout\r\n"
        assert await quota_of(ana, impatient) == 0
        writer.close()
