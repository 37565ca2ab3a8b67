"""The image worker: a program of its own that opens pictures from strangers, with little memory, little time, and no
files, network, secrets or identity of the node (`sandbox.py`). What a picture breaks in here, it breaks in here alone.

    image_worker.py previews|avatar PIXELS_MOST <picture >previews
    image_worker.py layers

It writes one line of JSON, `{width, height, sizes: [bytes, …], traces}` or `{refused: "pixels"|"unreadable"}`, then the
WebPs. The line names the `layers` of the sandbox that hold; in the mode `layers` it says nothing else.

Nothing of the original's metadata is in the WebPs; they stand the way the camera was held. `traces` is where the
original tells when, where and with what it was taken: `[start, length, hex]`, to be overwritten with these bytes and
then zeros, so that no byte of the picture changes or moves. Of what Exif says only the way up stays.
"""

import importlib
import io
import json
import os
import re
import resource
import sys
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from chat.files.sandbox import enter

if TYPE_CHECKING:
    from PIL import Image

BOXES = {"previews": (480, 1600), "avatar": (256,)}
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")

# Everything that Pillow may import for these formats: in the sandbox no module can be read.
MODULES = (
    *(f"PIL.{kind}ImagePlugin" for kind in ("Jpeg", "Mpo", "Png", "Gif", "WebP", "Avif", "Tiff", "Bmp", "Ppm")),
    *(f"PIL.Image{part}" for part in ("Ops", "Cms", "Chops", "Color", "Palette", "Sequence", "Filter")),
    *(f"encodings.{name}" for name in ("latin_1", "ascii", "utf_8", "utf_16")),
    *("copy", "colorsys"),
)
QUALITY = 82
MEMORY = 1536 * 1024 * 1024
SECONDS = 10
ORIENTATION = 0x0112

# A JPEG's next segment: in the picture itself every FF is followed by 00 or by the number of a restart.
SEGMENT = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
NEEDED = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
END, ALONE = 0xD9, (0x01, 0xD8)
PNG_TEXTS = (b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME")
Trace = tuple[int, int, bytes]


def confine() -> list[str]:
    """Confine this process before it reads a stranger's bytes; return the layers of the sandbox that hold."""
    os.nice(10)
    for name in MODULES:
        importlib.import_module(name)
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
    ):
        resource.setrlimit(what, (most, most))
    return enter()


def develop(mode: str, pixels_most: int) -> tuple[dict[str, object], list[bytes]]:
    """What to say of the picture on standard input, and its previews."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # counted here, before anything is decoded
    data = sys.stdin.buffer.read()
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        if picture.width * picture.height > pixels_most:
            return {"refused": "pixels"}, []
        width, height = picture.size
        turned = picture.getexif().get(ORIENTATION, 1)
        if turned in (5, 6, 7, 8):
            width, height = height, width
        largest = max(BOXES[mode])
        picture.draft("RGB", (largest, largest))
        upright = to_srgb(ImageOps.exif_transpose(picture))
    if mode == "avatar":
        upright = ImageOps.fit(upright, (min(largest, width, height),) * 2)
    previews = [shrink(upright, box) for box in BOXES[mode]]
    traces = [(start, length, new.hex()) for start, length, new in find_traces(data, way_up(turned)) if length > 0]
    return {"width": width, "height": height, "sizes": [len(one) for one in previews], "traces": traces}, previews


def way_up(turned: int) -> bytes:
    """An Exif that says nothing else; empty when the picture stands as it is stored."""
    if turned not in range(2, 9):
        return b""
    return b"MM\0*\0\0\0\x08\0\x01" + b"\x01\x12\0\x03\0\0\0\x01\0" + bytes([turned]) + b"\0\0" + b"\0\0\0\0"


def find_traces(data: bytes, exif: bytes) -> Iterator[Trace]:
    """`(start, length, what to begin with instead)`; `exif`: what is to stay of it. Other formats are left alone."""
    if data.startswith(b"\xff\xd8"):
        yield from traces_of_jpeg(data, exif)
    elif data.startswith(b"\x89PNG"):
        yield from traces_of_png(data, exif)
    elif data.startswith(b"RIFF"):
        yield from traces_of_webp(data, exif)


def traces_of_jpeg(data: bytes, exif: bytes) -> Iterator[Trace]:
    """All segments of applications but for shape and colours, comments, and what comes after the end."""
    at = 2
    while found := SEGMENT.search(data, at):
        marker, begin = data[found.start() + 1], found.start() + 4
        if marker == END:
            yield found.end(), len(data) - found.end(), b""
            return
        at = found.end()
        if marker in ALONE:
            continue
        at += int.from_bytes(data[at:begin])
        if marker in NEEDED and data.startswith(NEEDED[marker], begin):
            continue
        if 0xE0 <= marker <= 0xEF or marker == 0xFE:
            turned = exif and data.startswith(b"Exif\0\0", begin)
            yield begin, at - begin, b"Exif\0\0" + exif if turned else b""
            exif = b"" if turned else exif


def traces_of_png(data: bytes, exif: bytes) -> Iterator[Trace]:
    """Chunks of text become a private chunk of nothing, whose sum is right."""
    at = 8
    while at + 12 <= len(data):
        length, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if name in PNG_TEXTS:
            chunk = name + exif if exif and name == b"eXIf" else b"noTe"
            yield at + 4, length + 4, chunk
            yield at + 8 + length, 4, zlib.crc32(chunk.ljust(length + 4, b"\0")).to_bytes(4)
        at += 12 + length
        if name == b"IEND":
            yield at, len(data) - at, b""


def traces_of_webp(data: bytes, exif: bytes) -> Iterator[Trace]:
    """Chunks of metadata become chunks that nobody knows, and the header says that there are none."""
    at = 12
    while at + 8 <= len(data):
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"VP8X":
            yield at + 8, 1, bytes([data[at + 8] & ~0x0C | (0x08 if exif else 0)])
        elif name in (b"EXIF", b"XMP "):
            turned = exif and name == b"EXIF"
            yield at, 4, name if turned else b"JUNK"
            yield at + 8, length, exif if turned else b""
        at += 8 + length + length % 2


def to_srgb(picture: "Image.Image") -> "Image.Image":
    """In the colours that every screen knows, for the profile is left behind with the rest of the metadata."""
    from PIL import ImageCms

    profile = picture.info.get("icc_profile")
    clear = picture.has_transparency_data
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(picture, source, target, outputMode="RGB") or picture
        except (ImageCms.PyCMSError, OSError):
            pass
    return picture.convert("RGBA" if clear else "RGB")


def shrink(picture: "Image.Image", box: int) -> bytes:
    """As a WebP that fits into a square of `box`; never larger than it was."""
    small = picture.copy()
    small.thumbnail((box, box), reducing_gap=2.0)
    small.info = {}
    out = io.BytesIO()
    small.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue()


def main() -> None:
    """See the heading of this file."""
    layers, said, previews = confine(), dict[str, object](), list[bytes]()
    if sys.argv[1] != "layers":
        try:
            said, previews = develop(sys.argv[1], int(sys.argv[2]))
        except Exception:  # whatever a decoder may raise
            said = {"refused": "unreadable"}
    said["layers"] = layers
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n" + b"".join(previews))


if __name__ == "__main__":
    main()
