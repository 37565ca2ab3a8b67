"""Actions of users on files, one verb each; and pictures to do it with."""

import io
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
from PIL import Image

from tests.cast import Person
from tests.verbs import CONVERSATIONS, Json

PIECE = 64 * 1024


def bearer(person: Person) -> dict[str, str]:
    """Return the header of this user's session."""
    return {"Authorization": f"Bearer {person.token}"}


async def sends(person: Person, data: bytes, name: str = "notes.txt") -> Json:
    """Upload in one request; return the file."""
    status, said = await person.call("POST", f"/api/files?name={quote(name)}", data=io.BytesIO(data))
    assert status == 201, said
    assert said["ready"]
    return dict(said["file"])


async def begins_upload(person: Person, size: int, name: str = "notes.txt") -> str:
    """Create an upload of so many bytes; return the address for its pieces."""
    headers = {"Upload-Length": str(size), "Upload-Metadata": "filename " + b64encode(name.encode()).decode()}
    status, said, heard = await person.asks("POST", "/api/files", headers=headers)
    assert status == 201, said
    return heard["Location"]


async def sends_piece(person: Person, place: str, offset: int, data: Any) -> tuple[int, str, Mapping[str, str]]:
    """Send a piece; return the status, the error code, and the headers."""
    headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    body = io.BytesIO(data) if isinstance(data, bytes) else data
    status, said, heard = await person.asks("PATCH", place, data=body, headers=headers)
    return status, said["code"] if said else "", heard


async def asks_offset(person: Person, place: str) -> int:
    """Return the upload's offset."""
    status, _, heard = await person.asks("HEAD", place)
    assert status == 200
    return int(heard["Upload-Offset"])


def address(file: Json, query: str = "") -> str:
    """Return the address of the file's bytes."""
    return f"/api/files/{file['id']}/{quote(file['name'])}{query}"


async def opens_file(
    person: Person, path: str, method: str = "GET", **headers: str
) -> tuple[int, bytes, Mapping[str, str]]:
    """Return the file's bytes."""
    async with fetching(person, path, method, **headers) as answer:
        return answer.status, await answer.read(), answer.headers


@asynccontextmanager
async def fetching(
    person: Person, path: str, method: str = "GET", **headers: str
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Yield the unread answer."""
    async with aiohttp.ClientSession() as http:
        named = bearer(person) | {name.replace("_", "-"): value for name, value in headers.items()}
        async with http.request(method, person.at + path, headers=named) as answer:
            yield answer


async def posts(person: Person, room: int, *files: Json, body: str = "", **more: Any) -> Json:
    """Post a message with these files."""
    draft = {"body": body, "client_id": uuid.uuid4().hex, "files": [file["id"] for file in files], **more}
    status, said = await person.call("POST", f"{CONVERSATIONS}/{room}/messages", draft)
    assert status == 201, said
    return dict(said["message"])


async def may_read(person: Person, file: Json) -> bool:
    """Return whether this user can read it."""
    status = (await opens_file(person, address(file)))[0]
    assert status in (200, 404)
    return status == 200


def picture(size: tuple[int, int] = (64, 48), kind: str = "PNG", **options: Any) -> bytes:
    """Return a picture, red on the left, blue on the right."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, *size))
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def moving(frames: int, side: int = 200) -> io.BytesIO:
    """Return a GIF in which a square moves."""
    shown = [Image.new("RGBA", (side, side)) for _ in range(frames)]
    for number, frame in enumerate(shown):
        frame.paste((255, 0, number % 256, 255), (number % side, 0, number % side + 20, 20))
    out = io.BytesIO()
    shown[0].save(out, "GIF", save_all=True, append_images=shown[1:], duration=50, disposal=2)
    return io.BytesIO(out.getvalue())


def developed(webp: bytes) -> Image.Image:
    """Return the decoded preview."""
    return Image.open(io.BytesIO(webp), formats=("WEBP",))
