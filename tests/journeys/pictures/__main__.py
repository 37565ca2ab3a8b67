"""The command. It prints each picture's name, and exits with 1 if a screen could not be reached."""

import argparse
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Error
from playwright.async_api import TimeoutError as Timeout

from tests.journeys.browsers import launching
from tests.journeys.pictures.app import APP
from tests.journeys.pictures.board import BOARD
from tests.journeys.pictures.panels import PANELS
from tests.journeys.pictures.stage import Stage, setting_the_stage
from tests.journeys.pictures.view import Scene, View

SIZES: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
THEMES: dict[str, dict[str, str]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "stark": {"color_scheme": "light", "contrast": "more"},
    "starkdark": {"color_scheme": "dark", "contrast": "more"},
}
LOOKS = [f"{theme}-{size}" for theme, size in product(THEMES, SIZES)]
PATIENCE = 10_000  # ms


def main() -> None:
    """Run the command that the package's docstring describes."""
    parser = argparse.ArgumentParser(prog="python -m tests.journeys.pictures", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--only", default="", help="screens whose names begin so")
    parser.add_argument("--look", default="", choices=["", *LOOKS], help="in which look; all of them without")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    sys.exit(setting_the_stage(lambda stage: take_all(stage, asked.folder, asked.only, asked.look)))


async def take_all(stage: Stage, folder: Path, only: str, look: str) -> int:
    """Return 0 if every picture could be taken."""
    missed = 0
    async with launching() as browser:
        for scene, theme, size in chosen(only, look):
            missed += not await take(browser, stage, scene, theme, size, folder)
    return int(missed > 0)


def chosen(only: str, look: str) -> Iterator[tuple[Scene, str, str]]:
    """Return screen, theme and size of each picture."""
    for scene, theme, size in product((*APP, *PANELS, *BOARD), THEMES, SIZES):
        if scene.name.startswith(only) and look in ("", f"{theme}-{size}"):
            yield scene, theme, size


async def take(browser: Browser, stage: Stage, scene: Scene, theme: str, size: str, folder: Path) -> bool:
    """Take one picture, in a browser of its own."""
    context = await browser.new_context(**SIZES[size], **THEMES[theme], locale="en-GB", reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    await context.add_cookies(stage.cookies_of(scene.who))  # type: ignore[arg-type]
    page = await context.new_page()
    name = f"{scene.name}-{theme}-{size}"
    try:
        await scene.act(View(page, stage, size == "phone"))
        await page.evaluate("document.fonts.ready")
        await page.screenshot(path=folder / f"{name}.png", animations="disabled")
        print(f"✓ {name}", flush=True)
    except (Error, Timeout, AssertionError) as failure:
        print(f"✗ {name}: {str(failure).splitlines()[0]} (the picture shows where it stopped)", flush=True)
        await page.screenshot(path=folder / f"{name}.png")
        return False
    finally:
        await context.close()
        if scene.after:
            await scene.after(stage)
    return True


if __name__ == "__main__":
    main()
