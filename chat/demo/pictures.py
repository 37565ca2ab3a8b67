"""The demo's files, drawn when they are needed."""

import io
import math
from collections.abc import Callable

from PIL import Image, ImageDraw

WEEKS = (610, 640, 702, 690, 748, 811, 799, 865, 930, 1012, 987, 1204)
SKY, GLOW, SEA, DARK = (64, 84, 168), (255, 178, 102), (38, 62, 110), (24, 30, 52)
Colour = tuple[int, int, int]


def draw(name: str) -> bytes:
    """The file of this name."""
    return DRAWN[name]()


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Between two colours."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def draw_harbour() -> bytes:
    """An evening by the water, as a photograph would be."""
    width, height, horizon = 1600, 1067, 640
    image = Image.new("RGB", (width, height), SEA)
    pen = ImageDraw.Draw(image)
    for y in range(horizon):
        pen.line([(0, y), (width, y)], fill=mix(SKY, GLOW, (y / horizon) ** 1.6))
    pen.ellipse([1010, 470, 1170, 630], fill=(255, 236, 190))
    for y in range(horizon, height):
        wave = 24 * math.sin(y / 5) * (y - horizon) / (height - horizon)
        pen.line([(1090 - 70 - wave, y), (1090 + 70 + wave, y)], fill=mix(SEA, GLOW, 0.55 * horizon / y))
    for x, size in ((180, 1.0), (420, 0.7), (690, 0.45)):
        draw_boat(pen, x, horizon + 190 * size, 150 * size)
    pen.polygon([(0, height), (0, 930), (520, 985), (900, height)], fill=DARK)
    return save(image, "JPEG", quality=86)


def draw_boat(pen: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
    """With its sail down."""
    pen.polygon(
        [(x - size, y), (x + size, y), (x + 0.7 * size, y + 0.35 * size), (x - 0.7 * size, y + 0.35 * size)], DARK
    )
    pen.line([(x, y), (x, y - 1.9 * size)], fill=DARK, width=max(2, round(size / 22)))
    pen.line([(x, y - 1.9 * size), (x + 0.9 * size, y)], fill=DARK, width=2)


def draw_numbers() -> bytes:
    """A bar for each week."""
    width, height, ground = 1200, 640, 560
    image = Image.new("RGB", (width, height), (250, 250, 248))
    pen = ImageDraw.Draw(image)
    for step in range(0, 1300, 200):
        y = ground - step * 0.36
        pen.line([(70, y), (width - 40, y)], fill=(225, 225, 222))
        pen.text((20, y - 9), f"{step:>4}", fill=(110, 110, 118), font_size=16)
    for week, number in enumerate(WEEKS):
        x, best = 95 + week * 90, number == max(WEEKS)
        bar = [x, ground - number * 0.36, x + 56, ground]
        pen.rounded_rectangle(bar, 6, fill=(66, 86, 216) if best else (174, 183, 240))
        pen.text((x + 10, ground + 14), f"W{week + 36}", fill=(90, 90, 98), font_size=16)
    pen.text((70, 24), "New teams a week", fill=(28, 29, 33), font_size=30)
    return save(image, "PNG", optimize=True)


def write_numbers() -> bytes:
    """The same for a spreadsheet."""
    rows = [f"{week + 36},{number}" for week, number in enumerate(WEEKS)]
    return "\n".join(["week,new teams", *rows, ""]).encode()


def save(image: Image.Image, kind: str, **options: int | bool) -> bytes:
    """The file's bytes."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


DRAWN: dict[str, Callable[[], bytes]] = {
    "boules-au-port.jpg": draw_harbour,
    "weekly-numbers.png": draw_numbers,
    "weekly-numbers.csv": write_numbers,
}
