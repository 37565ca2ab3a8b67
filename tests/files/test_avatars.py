"""Avatars: a picture instead of initials, everywhere at once."""

import io
from typing import Any

import pytest
from PIL import Image

from tests.cast import Person
from tests.files.sending import developed, opens_file, picture
from tests.nodes import running_node

MINE = "/api/users/me/avatar"


async def test_every_user_sees_it_at_once(ana: Person, ben: Person, mallory: Person) -> None:
    """A square from the middle is in the entry and in every look-up, for all logged-in users."""
    reader = await ben.listens()
    status, me = await ana.call("PUT", MINE, data=picture((640, 320), "JPEG"))
    assert status == 200
    assert me["avatar"].startswith("/api/avatars/")
    assert (await reader.hears_event("user")).json() == me
    assert (await ben.call("GET", f"/api/users/{ana.id}"))[1] == me
    assert (await ana.call("GET", "/api/users/me"))[1]["avatar"] == me["avatar"]
    for person in (ana, ben, mallory):
        status, data, headers = await opens_file(person, me["avatar"])
        assert (status, headers["Content-Type"], developed(data).size) == (200, "image/webp", (256, 256))
        assert "immutable" in headers["Cache-Control"]
    mallory.token = "nobodys"
    assert (await opens_file(mallory, me["avatar"]))[0] == 401


async def test_a_replaced_and_a_removed_picture(ana: Person, ben: Person) -> None:
    """The former picture is gone for good, and without one initials are shown. No change records no entry."""
    _, first = await ana.call("PUT", MINE, data=picture())
    _, second = await ana.call("PUT", MINE, data=picture((80, 80)))
    assert first["avatar"] != second["avatar"]
    assert (await opens_file(ben, first["avatar"]))[0] == 404
    reader = await ben.listens()
    assert (await ana.call("DELETE", MINE))[1]["avatar"] == ""
    assert (await ana.call("DELETE", MINE))[0] == 200
    assert (await opens_file(ben, second["avatar"]))[0] == 404
    assert (await ana.call("PATCH", "/api/users/me", {"about": "x"}))[1]["avatar"] == ""
    await reader.hears_event("user")
    room = (await ana.call("POST", "/api/chat/conversations", {"kind": "group", "members": [ben.id]}))[1]["id"]
    await ana.says(room, "last")
    await reader.hears("last")
    assert [event.json()["about"] for event in reader.named("user")] == ["", "x"]


async def test_a_profile_change_keeps_the_picture(ana: Person) -> None:
    """Changing a profile keeps the picture."""
    _, me = await ana.call("PUT", MINE, data=picture())
    assert (await ana.call("PATCH", "/api/users/me", {"about": "x"}))[1]["avatar"] == me["avatar"]


NONE: dict[str, tuple[Any, int, str]] = {
    "nothing": (b"", 422, "no_picture"),
    "words": (b"hello", 422, "no_picture"),
    "an SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "no_picture"),
    "too many bytes": (bytes(10 * 1024 * 1024 + 1), 413, "too_large"),
}


@pytest.mark.parametrize("what", NONE)
async def test_an_invalid_picture_is_refused(ana: Person, what: str) -> None:
    """Anything but a picture is refused, and nothing changes."""
    data, status, code = NONE[what]
    heard, said = await ana.call("PUT", MINE, data=io.BytesIO(data))
    assert (heard, said["code"]) == (status, code)
    assert (await ana.call("GET", "/api/users/me"))[1]["avatar"] == ""


async def test_a_bomb(database_url: str, redis_url: str, ana: Person) -> None:
    """A picture with too many pixels is refused before it is decoded."""
    async with running_node(database_url, redis_url, node="b1", picture_pixels=10_000) as small:
        ana.at = small.url
        status, said = await ana.call("PUT", MINE, data=picture((101, 100)))
    assert (status, said["code"]) == (422, "too_many_pixels")


async def test_the_avatar_has_no_metadata(ana: Person) -> None:
    """The avatar is upright, without metadata."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "SECRETMAKER"
    _, me = await ana.call("PUT", MINE, data=picture((300, 200), "JPEG", exif=exif))
    _, data, _ = await opens_file(ana, me["avatar"])
    seen = Image.open(io.BytesIO(data)).convert("RGB")
    assert b"SECRET" not in data
    assert seen.getpixel((100, 10))[0] > 200  # type: ignore[index]
    assert seen.getpixel((100, 190))[2] > 200  # type: ignore[index]
