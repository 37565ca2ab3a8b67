"""The image worker: a program that opens untrusted pictures with little memory and time, in a sandbox.

It has no files, network, secrets or identity of the node (`sandbox.py`), so a malicious picture harms only this
process.

    image_worker.py previews|avatar|emoji PIXELS_MOST <picture >previews
    image_worker.py layers

It writes one line of JSON, `{width, height, pixels, sizes: [bytes, …], metadata}` or
`{refused: "pixels"|"animation"|"unreadable"}`, then the WebPs. The line also has the `layers` of the sandbox that are
in effect; in the mode `layers` it has nothing else. An animated emoji has two WebPs, of which the second one is still.

The WebPs contain no metadata and are upright. `metadata` lists the parts of the original that reveal when, where and
with what it was taken: `[start, length, hex]`, to be overwritten with these bytes and then zeros. No other byte of the
picture changes or moves. Of Exif only the orientation stays.
"""

import importlib
import io
import json
import os
import re
import sys
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from chat.files.sandbox import enter, limit

if TYPE_CHECKING:
    from PIL import Image

BOXES = {"previews": (480, 1600), "avatar": (256,), "emoji": (128,)}
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")

# All modules that Pillow may import for these formats, because the sandbox can read no module.
MODULES = (
    *(f"PIL.{kind}ImagePlugin" for kind in ("Jpeg", "Mpo", "Png", "Gif", "WebP", "Avif", "Tiff", "Bmp", "Ppm")),
    *(f"PIL.Image{part}" for part in ("Ops", "Cms", "Chops", "Color", "Palette", "Sequence", "Filter")),
    *(f"encodings.{name}" for name in ("latin_1", "ascii", "utf_8", "utf_16")),
    *("copy", "colorsys"),
)
QUALITY = 82
MOVING = ("GIF", "PNG", "WEBP", "AVIF")  # not MPO, whose pictures are not an animation
FRAMES_MOST = 100
ANIMATION_MOST = 128 * 1024  # bytes
ANIMATION_STEPS = ((128, 75), (96, 50), (64, 40))  # box and quality, until the animation is small enough
FRAME_MS, FRAME_MS_LEAST = 100, 20  # of a frame without a duration, as browsers show it, and of the shortest one
MEMORY = 1536 * 1024 * 1024
SECONDS = 10
ORIENTATION = 0x0112

# The next segment of a JPEG. In image data every FF is followed by 00 or by the number of a restart.
SEGMENT = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
KEPT = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
END, WITHOUT_LENGTH = 0xD9, (0x01, 0xD8)
PNG_TEXTS = (b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME")
MetadataSpan = tuple[int, int, bytes]


def confine() -> list[str]:
    """Confine this process before it reads untrusted bytes; return the layers of the sandbox that are in effect."""
    os.nice(10)
    for name in MODULES:
        importlib.import_module(name)
    limit(MEMORY, SECONDS)
    return enter()


def process_image(mode: str, pixels_most: int) -> tuple[dict[str, object], list[bytes]]:
    """Return the result for the picture on standard input, and its previews."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # counted here, before anything is decoded
    data = sys.stdin.buffer.read()
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        if picture.width * picture.height > pixels_most:
            return {"refused": "pixels"}, []
        if mode == "emoji" and picture.format in MOVING and getattr(picture, "is_animated", False):
            return process_animation(picture, pixels_most)
        width, height = picture.size
        orientation = picture.getexif().get(ORIENTATION, 1)
        if orientation in (5, 6, 7, 8):
            width, height = height, width
        largest = max(BOXES[mode])
        picture.draft("RGB", (largest, largest))
        upright = to_srgb(ImageOps.exif_transpose(picture))
    if mode == "avatar":
        upright = ImageOps.fit(upright, (min(largest, width, height),) * 2)
    previews = [shrink(upright, box) for box in BOXES[mode]]
    metadata = [
        (start, length, new.hex())
        for start, length, new in find_metadata(data, orientation_exif(orientation))
        if length > 0
    ]
    return describe(width, height, width * height, previews) | {"metadata": metadata}, previews


def describe(width: int, height: int, pixels: int, webps: list[bytes]) -> dict[str, object]:
    """Return the result for a picture. `pixels` were decoded."""
    sizes = [len(one) for one in webps]
    return {"width": width, "height": height, "pixels": pixels, "sizes": sizes, "metadata": []}


def process_animation(picture: "Image.Image", pixels_most: int) -> tuple[dict[str, object], list[bytes]]:
    """Return the result for an animation, a small WebP of it, and a still one of its first frame."""
    count: int = getattr(picture, "n_frames", 1)
    pixels = picture.width * picture.height * count
    if pixels > pixels_most or count > FRAMES_MOST:
        return {"refused": "pixels" if pixels > pixels_most else "animation"}, []
    frames, durations = list["Image.Image"](), list[int]()
    for number in range(count):
        picture.seek(number)
        frame = to_srgb(picture)
        frame.thumbnail(ANIMATION_STEPS[0][:1] * 2, reducing_gap=2.0)
        frames.append(frame)
        durations.append(max(FRAME_MS_LEAST, int(picture.info.get("duration") or FRAME_MS)))
    for box, quality in ANIMATION_STEPS:
        animated = animate(frames, durations, box, quality)
        if len(animated) <= ANIMATION_MOST:
            webps = [animated, shrink(frames[0], box)]
            return describe(picture.width, picture.height, pixels, webps), webps
    return {"refused": "animation"}, []


def animate(frames: list["Image.Image"], durations: list[int], box: int, quality: int) -> bytes:
    """Return an endless animation as WebP that fits into a square of `box`."""
    small = []
    for frame in frames:
        one = frame.copy()
        one.thumbnail((box, box))
        one.info = {}
        small.append(one)
    out = io.BytesIO()
    small[0].save(
        out, "WEBP", save_all=True, append_images=small[1:], duration=durations, loop=0, quality=quality, method=2
    )
    return out.getvalue()


def orientation_exif(orientation: int) -> bytes:
    """Return an Exif block with only the orientation; empty if the picture is stored upright."""
    if orientation not in range(2, 9):
        return b""
    return b"MM\0*\0\0\0\x08\0\x01" + b"\x01\x12\0\x03\0\0\0\x01\0" + bytes([orientation]) + b"\0\0" + b"\0\0\0\0"


def find_metadata(data: bytes, exif: bytes) -> Iterator[MetadataSpan]:
    """Yield the metadata of a JPEG, PNG or WebP; other formats are not changed. `exif` is the block to keep."""
    if data.startswith(b"\xff\xd8"):
        yield from jpeg_metadata(data, exif)
    elif data.startswith(b"\x89PNG"):
        yield from png_metadata(data, exif)
    elif data.startswith(b"RIFF"):
        yield from webp_metadata(data, exif)


def jpeg_metadata(data: bytes, exif: bytes) -> Iterator[MetadataSpan]:
    """Yield the application segments except shape and color, the comments, and the bytes after the end."""
    at = 2
    while found := SEGMENT.search(data, at):
        marker, begin = data[found.start() + 1], found.start() + 4
        if marker == END:
            yield found.end(), len(data) - found.end(), b""
            return
        at = found.end()
        if marker in WITHOUT_LENGTH:
            continue
        at += int.from_bytes(data[at:begin])
        if marker in KEPT and data.startswith(KEPT[marker], begin):
            continue
        if 0xE0 <= marker <= 0xEF or marker == 0xFE:
            keep = exif and data.startswith(b"Exif\0\0", begin)
            yield begin, at - begin, b"Exif\0\0" + exif if keep else b""
            exif = b"" if keep else exif


def png_metadata(data: bytes, exif: bytes) -> Iterator[MetadataSpan]:
    """Yield the text chunks, which become private chunks with a correct checksum."""
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


def webp_metadata(data: bytes, exif: bytes) -> Iterator[MetadataSpan]:
    """Yield the metadata chunks, which become unknown chunks, and the header's flags for them."""
    at = 12
    while at + 8 <= len(data):
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"VP8X":
            yield at + 8, 1, bytes([data[at + 8] & ~0x0C | (0x08 if exif else 0)])
        elif name in (b"EXIF", b"XMP "):
            keep = exif and name == b"EXIF"
            yield at, 4, name if keep else b"JUNK"
            yield at + 8, length, exif if keep else b""
        at += 8 + length + length % 2


def to_srgb(picture: "Image.Image") -> "Image.Image":
    """Return the picture in sRGB, because its color profile is removed with the other metadata."""
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
    """Return a WebP that fits into a square of `box`, never larger than the picture."""
    small = picture.copy()
    small.thumbnail((box, box), reducing_gap=2.0)
    small.info = {}
    out = io.BytesIO()
    small.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue()


def main() -> None:
    """Run the worker."""
    layers, result, previews = confine(), dict[str, object](), list[bytes]()
    if sys.argv[1] != "layers":
        try:
            result, previews = process_image(sys.argv[1], int(sys.argv[2]))
        except Exception:  # whatever a decoder may raise
            result = {"refused": "unreadable"}
    result["layers"] = layers
    sys.stdout.buffer.write(json.dumps(result).encode() + b"\n" + b"".join(previews))


if __name__ == "__main__":
    main()
