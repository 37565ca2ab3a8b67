"""Pictures: previews are small, upright and without metadata; broken pictures break nothing."""

import asyncio
import io
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from chat.files import images as pictures
from chat.files.endpoints import UPLOADS
from chat.files.images import IMAGE_WORKER, Pictures
from chat.files.models import preview_key
from chat.files.uploads import one_piece
from tests.cast import Person
from tests.files.sending import address, developed, opens_file, picture, sends
from tests.nodes import Node

ORIENTATION, GPS, MAKER = 0x0112, 0x8825, 0x010F


def taken(turned: int) -> bytes:
    """Return a picture as a phone takes it, with its location."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKER] = turned, "SECRETMAKER"
    exif.get_ifd(GPS).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    return picture((640, 320), "JPEG", exif=exif, comment=b"SECRETCOMMENT")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF"])
async def test_two_sizes(ana: Person, kind: str) -> None:
    """Previews fit 480 and 1600 pixels in the same shape; the file states its size, so that a place can be kept."""
    file = await sends(ana, picture((2400, 1200), kind), "big")
    assert (file["type"], file["width"], file["height"]) == (f"image/{kind.lower()}", 2400, 1200)
    for name, size in (("small", (480, 240)), ("large", (1600, 800))):
        status, data, headers = await opens_file(ana, address(file, f"?preview={name}"))
        assert (status, headers["Content-Type"], developed(data).size) == (200, "image/webp", size)
        left, right = (developed(data).convert("RGB").getpixel((x, 50)) for x in (10, size[0] - 10))
        assert left[0] > 200 > left[2]
        assert right[2] > 200 > right[0]


async def test_previews_left_by_another_history_are_replaced(node: Node, ana: Person) -> None:
    """The database was restored to an earlier moment: ids are given again, and bytes of later files lie there."""
    before = await sends(ana, picture(), "before.png")
    storage = node.app[UPLOADS].storage
    for name in ("small", "large"):
        await storage.put(preview_key(before["id"] + 1, name), one_piece(b"another picture"))
    file = await sends(ana, picture(), "after.png")
    assert file["id"] == before["id"] + 1
    for name in ("small", "large"):
        _, data, _ = await opens_file(ana, address(file, f"?preview={name}"))
        assert developed(data).size == (64, 48)


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


async def test_transparency_is_kept(ana: Person) -> None:
    """Transparent pixels stay transparent."""
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
async def test_a_broken_picture_is_an_ordinary_file(ana: Person, how: str) -> None:
    """A broken picture is kept as a file, and is only ever a download."""
    file = await sends(ana, BROKEN[how], "broken.png")
    assert (file["type"], "preview" in file) == ("application/octet-stream", False)
    assert (await opens_file(ana, address(file, "?preview=small")))[0] == 404
    _, data, headers = await opens_file(ana, address(file))
    assert data == BROKEN[how]
    assert headers["Content-Disposition"].startswith("attachment")


def test_the_image_worker_is_limited() -> None:
    """Even without its sandbox the worker has little memory and time, and cannot write."""
    probe = (
        "import os, resource, runpy, sys\n"
        "main = runpy.run_path(sys.argv[1])\n"
        "main['confine'].__globals__['enter'] = list\n"
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
        [sys.executable, "-I", "-c", ignoring, str(IMAGE_WORKER)], capture_output=True, text=True, check=True
    )
    memory, seconds, written, files, core, said = done.stdout.split("\n")[:6]
    assert int(memory) <= 2**31
    assert int(seconds) <= 10
    assert (written, core, said) == ("0", "0", "cannot write")
    assert int(files) <= 64


async def one(data: bytes) -> AsyncIterator[bytes]:
    """Yield one body."""
    yield data


async def test_a_worker_that_never_ends_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """The worker is killed after its time, and the next picture is processed."""
    stuck = tmp_path / "stuck.py"  # type: ignore[operator]
    stuck.write_text("import sys, threading\nsys.stdin.buffer.read()\nthreading.Event().wait()\n")
    looker = Pictures(1_000_000)
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "IMAGE_WORKER", stuck)
        patch.setattr(pictures, "SECONDS", 0.5)
        assert await asyncio.gather(*[looker.process("previews", one(picture()), 1) for _ in range(4)]) == [None] * 4
        assert looker.failed == 4
    look = await looker.process("previews", one(picture()), 1)
    assert look
    assert (look.width, look.height) == (64, 48)
