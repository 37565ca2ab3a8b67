"""Pictures: seen small, the right way up, without saying where they were taken; and broken ones break nothing."""

import asyncio
import io
import subprocess
import sys
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo

from chat.files import picture as pictures
from chat.files.picture import DARKROOM, Pictures, overwrite
from tests.cast import Person, casting
from tests.files.sending import (
    address,
    asks_offset,
    begins_upload,
    developed,
    opens_file,
    picture,
    posts,
    sends,
    sends_piece,
)
from tests.nodes import running_node
from tests.verbs import begins

ORIENTATION, GPS, MAKER = 0x0112, 0x8825, 0x010F


def taken(turned: int, kind: str = "JPEG") -> bytes:
    """As a phone takes it, with where it was, in its own colours."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKER] = turned, "SECRETMAKER"
    exif.get_ifd(GPS).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    texts = PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", "SECRETXMP")
    more = {"JPEG": {"comment": b"SECRETCOMMENT"}, "PNG": {"pnginfo": texts}}.get(kind, {"xmp": b"<x>SECRETXMP</x>"})
    colours = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return picture((640, 320), kind, exif=exif, icc_profile=colours, **more)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF"])
async def test_two_sizes(ana: Person, kind: str) -> None:
    """Within 480 and 1600, in shape; how large it is stands in the file, so that its place can be kept."""
    file = await sends(ana, picture((2400, 1200), kind), "big")
    assert (file["type"], file["width"], file["height"]) == (f"image/{kind.lower()}", 2400, 1200)
    for name, size in (("small", (480, 240)), ("large", (1600, 800))):
        status, data, headers = await opens_file(ana, address(file, f"?preview={name}"))
        assert (status, headers["Content-Type"], developed(data).size) == (200, "image/webp", size)
        left, right = (developed(data).convert("RGB").getpixel((x, 50)) for x in (10, size[0] - 10))
        assert left[0] > 200 > left[2]
        assert right[2] > 200 > right[0]


async def test_the_right_way_up_and_nothing_told(ana: Person) -> None:
    """Held on its side, it stands upright; maker, comment and place are left behind."""
    for turned, corner in ((1, "left"), (3, "right"), (6, "top"), (8, "bottom")):
        file = await sends(ana, taken(turned), "photo.jpg")
        upright = (640, 320) if turned in (1, 3) else (320, 640)
        assert (file["width"], file["height"]) == upright
        for name in ("small", "large"):
            _, data, _ = await opens_file(ana, address(file, f"?preview={name}"))
            seen = developed(data)
            spots = {"left": (5, seen.height // 2), "right": (seen.width - 5, seen.height // 2)}
            spots |= {"top": (seen.width // 2, 5), "bottom": (seen.width // 2, seen.height - 5)}
            assert seen.convert("RGB").getpixel(spots[corner])[0] > 200, (turned, corner)
            assert not seen.getexif()
            assert not {"exif", "icc_profile", "xmp"} & set(seen.info)
            assert b"SECRET" not in data


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
async def test_originals_do_not_tell_either(ana: Person, ben: Person, kind: str) -> None:
    """Not one byte of the picture changes, it has the same size and stands the same way up; all else is gone."""
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
    if kind != "AVIF":
        assert after.getexif()[ORIENTATION] == 6
    assert ImageCms.getProfileName(ImageCms.ImageCmsProfile(io.BytesIO(after.info["icc_profile"])))


async def test_what_comes_after_the_picture_is_gone_too(ana: Person) -> None:
    """A second exposure with its own place; sent in two pieces, which become one."""
    data = taken(1, "JPEG")
    data += data
    place = await begins_upload(ana, len(data), "two.jpg")
    assert (await sends_piece(ana, place, 0, data[:100]))[0] == 204
    assert (await sends_piece(ana, place, 100, data[100:]))[0] == 204
    assert await asks_offset(ana, place) == len(data)
    _, said = await ana.call("GET", place)
    _, seen, _ = await opens_file(ana, address(said["file"]))
    assert (len(seen), b"SECRET" in seen, seen.count(b"Exif")) == (len(data), False, 0)


async def test_originals_stay_as_they_are_where_that_is_wished(database_url: str, redis_url: str) -> None:
    """By the setting."""
    async with (
        running_node(database_url, redis_url, strip_pictures=False) as node,
        casting(database_url, node.url) as cast,
    ):
        (ana,) = await cast.enters("ana")
        _, seen, _ = await opens_file(ana, address(await sends(ana, taken(6, "JPEG"), "photo.jpg")))
        assert seen == taken(6, "JPEG")


@given(
    data=st.binary(max_size=60),
    cuts=st.lists(st.integers(0, 60)),
    traces=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9), st.binary(max_size=9))),
)
async def test_traces_are_overwritten_wherever_pieces_are_cut(
    data: bytes, cuts: list[int], traces: list[tuple[int, int, bytes]]
) -> None:
    """As if all of it came at once."""
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


async def test_a_clear_picture_stays_clear(ana: Person) -> None:
    """Where nothing is, nothing is put."""
    out = io.BytesIO()
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(out, "PNG")
    file = await sends(ana, out.getvalue(), "clear.png")
    _, data, _ = await opens_file(ana, address(file, "?preview=small"))
    assert developed(data).convert("RGBA").getpixel((25, 25))[3] == 0


BROKEN = {
    "cut": picture((640, 480))[:900],
    "only a head": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "no JPEG": b"\xff\xd8\xff" + bytes(500),
    "no GIF": b"GIF89a\x10\x00\x10\x00" + bytes(20),
    "no WebP": b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(40),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_a_broken_one_is_a_file_like_any_other(ana: Person, how: str) -> None:
    """It is kept, cannot be looked at, and is only ever saved."""
    file = await sends(ana, BROKEN[how], "broken.png")
    assert (file["type"], "preview" in file) == ("application/octet-stream", False)
    assert (await opens_file(ana, address(file, "?preview=small")))[0] == 404
    _, data, headers = await opens_file(ana, address(file))
    assert data == BROKEN[how]
    assert headers["Content-Disposition"].startswith("attachment")


def test_the_darkroom_is_locked() -> None:
    """In there: little memory, little time, nothing can be written, and no secret is in the environment."""
    probe = (
        "import os, resource, runpy, sys\n"
        "main = runpy.run_path(sys.argv[1])\n"
        "main['confine']()\n"
        "for what in ('AS', 'CPU', 'FSIZE', 'NOFILE', 'CORE'):\n"
        "    print(resource.getrlimit(getattr(resource, 'RLIMIT_' + what))[1])\n"
        "try:\n"
        "    os.write(os.open('/tmp/never', os.O_CREAT | os.O_WRONLY), b'x')\n"
        "except OSError:\n"
        "    print('cannot write')\n"
    )
    ignoring = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n" + probe
    done = subprocess.run(
        [sys.executable, "-I", "-c", ignoring, str(DARKROOM)], capture_output=True, text=True, check=True
    )
    memory, seconds, written, files, core, said = done.stdout.split("\n")[:6]
    assert int(memory) <= 2**31
    assert int(seconds) <= 10
    assert (written, core, said) == ("0", "0", "cannot write")
    assert int(files) <= 64


async def one(data: bytes) -> AsyncIterator[bytes]:
    """A body."""
    yield data


async def test_one_that_never_ends_is_let_go(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """The program is killed after its time, and the next picture has its turn."""
    stuck = tmp_path / "stuck.py"  # type: ignore[operator]
    stuck.write_text("import sys, threading\nsys.stdin.buffer.read()\nthreading.Event().wait()\n")
    looker = Pictures(1_000_000)
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "DARKROOM", stuck)
        patch.setattr(pictures, "SECONDS", 0.5)
        assert await asyncio.gather(*[looker.look("previews", one(picture())) for _ in range(4)]) == [None] * 4
        assert looker.failed == 4
    look = await looker.look("previews", one(picture()))
    assert look
    assert (look.width, look.height) == (64, 48)
