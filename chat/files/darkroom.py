"""The darkroom: a program of its own that opens pictures from strangers, with little memory, little time, no files to
write and no secrets to know. Whatever a picture breaks in here, it breaks in here alone.

    darkroom.py previews|avatar PIXELS_MOST <picture >previews

It writes one line of JSON, `{width, height, sizes: [bytes, …]}` or `{refused: "pixels"|"unreadable"}`, then the WebPs.
Nothing of the original's metadata is in them; they stand the way the camera was held.
"""

import io
import json
import os
import resource
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

BOXES = {"previews": (480, 1600), "avatar": (256,)}
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
QUALITY = 82
MEMORY = 1536 * 1024 * 1024
SECONDS = 10


def confine() -> None:
    """Before anything that a stranger has sent is looked at."""
    os.nice(10)
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
    ):
        resource.setrlimit(what, (most, most))


def develop(mode: str, pixels_most: int) -> tuple[dict[str, object], list[bytes]]:
    """What to say of the picture on standard input, and its previews."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # counted here, before anything is decoded
    with Image.open(io.BytesIO(sys.stdin.buffer.read()), formats=FORMATS) as picture:
        if picture.width * picture.height > pixels_most:
            return {"refused": "pixels"}, []
        width, height = picture.size
        if picture.getexif().get(0x0112, 1) in (5, 6, 7, 8):
            width, height = height, width
        largest = max(BOXES[mode])
        picture.draft("RGB", (largest, largest))
        upright = to_srgb(ImageOps.exif_transpose(picture))
    if mode == "avatar":
        upright = ImageOps.fit(upright, (min(largest, width, height),) * 2)
    previews = [shrink(upright, box) for box in BOXES[mode]]
    return {"width": width, "height": height, "sizes": [len(one) for one in previews]}, previews


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
    confine()
    try:
        said, previews = develop(sys.argv[1], int(sys.argv[2]))
    except Exception:  # whatever a decoder may think of
        said, previews = {"refused": "unreadable"}, []
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n" + b"".join(previews))


if __name__ == "__main__":
    main()
