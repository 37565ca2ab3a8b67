"""Makes the app's icons of its logo: `python -m tests.journeys.icons web/public`. Chromium paints them."""

import asyncio
import struct
import sys
from pathlib import Path

from playwright.async_api import Browser

from tests.journeys.browsers import launching

LOGO = (Path(__file__).parents[2] / "web" / "app" / "icon.svg").read_text()
CIRCLES = "".join(f"<circle{part}" for part in LOGO.removesuffix("</svg>").split("<circle")[1:])
FILL = LOGO.partition('fill="')[2].partition('"')[0]
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
# Launchers cut a maskable icon to a shape of their own, and leave the middle four fifths.
GROUND = f'<rect width="32" height="32" fill="{FILL}"/>'
SQUARE = f'{SVG}{GROUND}<g transform="translate(3.2 3.2) scale(.8)">{CIRCLES}</g></svg>'
BADGE = f'{SVG}<g transform="translate(-4 -4) scale(1.25)">{CIRCLES}</g></svg>'  # of which systems use the shape alone
ICONS = {
    "icon-192.png": (LOGO, 192),
    "icon-512.png": (LOGO, 512),
    "icon-maskable-512.png": (SQUARE, 512),
    "apple-touch-icon.png": (SQUARE, 180),
    "badge-96.png": (BADGE, 96),
}


async def paint(browser: Browser, svg: str, size: int) -> bytes:
    """Return the picture as PNG, without a background of its own."""
    page = await browser.new_page(viewport={"width": size, "height": size})
    await page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block; width: {size}px }}</style>{svg}")
    png = await page.screenshot(omit_background=True)
    await page.close()
    return png


def to_ico(png: bytes, size: int) -> bytes:
    """Return an ICO file with one PNG."""
    head = struct.pack("<HHH", 0, 1, 1)
    return head + struct.pack("<BBBBHHII", size, size, 0, 0, 1, 32, len(png), len(head) + 16) + png


async def make(folder: Path) -> None:
    """Write all icons to the folder."""
    async with launching() as browser:
        for name, (svg, size) in ICONS.items():
            (folder / name).write_bytes(await paint(browser, svg, size))
        (folder / "favicon.ico").write_bytes(to_ico(await paint(browser, LOGO, 32), 32))


if __name__ == "__main__":
    asyncio.run(make(Path(sys.argv[1])))
