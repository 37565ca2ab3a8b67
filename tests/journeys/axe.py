"""Accessibility problems of a page, found by axe."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

SOURCE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
SETTLED = "() => Promise.all(document.getAnimations().map(one => one.finished.catch(() => null)))"
FOUND = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.flatMap(
    one => one.nodes.map(node =>
        `${one.impact}: ${one.id}: ${node.target.join(' ')}: ${node.any[0]?.message ?? one.help}`))"""
CHOOSE = "look => { dispatchEvent(new CustomEvent('look', {detail: {...look, motion: 'less'}})); }"
LOOKS = (
    {"theme": "light"},
    {"theme": "dark"},
    {"theme": "light", "contrast": "more"},
    {"theme": "dark", "contrast": "more"},
)


@cache
def source() -> str:
    """Return the source of axe, from the web app's packages."""
    return SOURCE.read_text()


async def troubles(page: Page) -> list[str]:
    """Return a line for each element and rule that it breaks."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(source())
    found: list[Any] = await page.evaluate(FOUND)
    return [str(one) for one in found]


async def is_clean_in_both_themes(page: Page) -> None:
    """Assert that axe finds nothing, light or dark."""
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        await page.evaluate(SETTLED)  # colours change in transitions, short ones too
        found = await troubles(page)
        assert not found, "\n".join([scheme, *found])
    await page.emulate_media(color_scheme="light")


async def is_sound(page: Page, where: str) -> None:
    """Assert that axe finds nothing serious or critical, in any look that can be chosen."""
    for look in LOOKS:
        await page.evaluate(CHOOSE, look)
        await page.evaluate(SETTLED)
        found = [line for line in await troubles(page) if line.startswith(("serious", "critical"))]
        assert not found, "\n".join([where, str(look), *found])
