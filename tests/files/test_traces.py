"""Metadata: originals of pictures do not reveal when, where and with what they were taken."""

import io
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo

from chat.files.images import overwrite
from tests.cast import Person, casting
from tests.files.sending import address, asks_offset, begins_upload, opens_file, picture, posts, sends, sends_piece
from tests.nodes import running_node
from tests.verbs import begins

ORIENTATION, GPS, MAKER = 0x0112, 0x8825, 0x010F


def taken(turned: int, kind: str = "JPEG") -> bytes:
    """Return a picture as a phone takes it, with its location and a color profile."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKER] = turned, "SECRETMAKER"
    exif.get_ifd(GPS).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    texts = PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", "SECRETXMP")
    more = {"JPEG": {"comment": b"SECRETCOMMENT"}, "PNG": {"pnginfo": texts}}.get(kind, {"xmp": b"<x>SECRETXMP</x>"})
    colours = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return picture((640, 320), kind, exif=exif, icc_profile=colours, **more)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_originals_have_no_metadata(ana: Person, ben: Person, kind: str) -> None:
    """No byte of the picture changes, size and orientation are the same, and all metadata is gone."""
    room = await begins(ana, "channel", "room", ben)
    data = taken(6, kind)
    assert b"SECRET" in data
    file = await sends(ana, data, "photo")
    await posts(ana, room, file)
    _, seen, _ = await opens_file(ben, address(file))
    assert len(seen) == len(data) == file["size"]
    assert b"SECRET" not in seen
    before, after = (Image.open(io.BytesIO(one)) for one in (data, seen))
    assert ImageOps.exif_transpose(after).tobytes() == ImageOps.exif_transpose(before).tobytes()
    assert set(after.getexif()) <= {ORIENTATION}
    assert not after.getexif().get_ifd(GPS)
    assert after.getexif()[ORIENTATION] == 6
    assert ImageCms.getProfileName(ImageCms.ImageCmsProfile(io.BytesIO(after.info["icc_profile"])))


async def test_bytes_after_the_picture_are_removed(ana: Person) -> None:
    """A second exposure with its own location, sent in two pieces, is removed, and one piece is left."""
    data = taken(1, "JPEG")
    data += data
    place = await begins_upload(ana, len(data), "two.jpg")
    assert (await sends_piece(ana, place, 0, data[:100]))[0] == 204
    assert (await sends_piece(ana, place, 100, data[100:]))[0] == 204
    assert await asks_offset(ana, place) == len(data)
    _, said = await ana.call("GET", place)
    _, seen, _ = await opens_file(ana, address(said["file"]))
    assert (len(seen), b"SECRET" in seen, seen.count(b"Exif")) == (len(data), False, 0)


async def test_originals_stay_unchanged_if_set(database_url: str, redis_url: str) -> None:
    """STRIP_PICTURES=off keeps originals unchanged."""
    async with (
        running_node(database_url, redis_url, strip_pictures=False) as node,
        casting(database_url, node.url) as cast,
    ):
        (ana,) = await cast.enters("ana")
        photo = taken(6, "JPEG")
        _, seen, _ = await opens_file(ana, address(await sends(ana, photo, "photo.jpg")))
        assert seen == photo


@given(
    data=st.binary(max_size=60),
    cuts=st.lists(st.integers(0, 60)),
    traces=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9), st.binary(max_size=9))),
)
async def test_metadata_is_overwritten_across_pieces(
    data: bytes, cuts: list[int], traces: list[tuple[int, int, bytes]]
) -> None:
    """Metadata is overwritten wherever pieces are cut, as in one piece."""
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    placed, at, expected = [], 0, bytearray(data)
    for gap, length, new in traces:
        placed.append((at + gap, length, new[:length]))
        expected[at + gap : at + gap + length] = new[:length].ljust(length, b"\0")[: max(0, len(data) - at - gap)]
        at += gap + length

    async def pieces() -> AsyncIterator[bytes]:
        for low, high in pairwise(edges):
            yield data[low:high]

    assert b"".join([piece async for piece in overwrite(pieces(), placed)]) == bytes(expected)
