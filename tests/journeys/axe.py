"""Accessibility problems of a page, found by axe."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

SOURCE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
SETTLED = "() => Promise.all(document.getAnimations().map(one => one.finished.catch(() => null)))"
FOUND = """async rules => (await axe.run(document, {
    resultTypes: ['violations'], preload: false, ...(rules && {runOnly: {type: 'rule', values: rules}}),
})).violations.flatMap(one => one.nodes.map(node =>
    `${one.impact}: ${one.id}: ${node.target.join(' ')}: ${node.any[0]?.message ?? one.help}`))"""
CHOOSE = "look => { dispatchEvent(new CustomEvent('look', {detail: {...look, motion: 'less'}})); }"
Look = dict[str, str]
LIGHT: Look = {"theme": "light"}
DARK: Look = {"theme": "dark"}
EVERY_LOOK = (LIGHT, DARK, {"theme": "light", "contrast": "more"}, {"theme": "dark", "contrast": "more"})
COLORS = ["color-contrast", "link-in-text-block"]  # what can differ between two looks of a page


@cache
def source() -> str:
    """Return the source of axe, from the web app's packages."""
    return SOURCE.read_text()


async def troubles(page: Page, rules: list[str] | None = None) -> list[str]:
    """Return a line for each element and rule that it breaks: of these rules, or of all."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(source())
    found: list[Any] = await page.evaluate(FOUND, rules)
    return [str(one) for one in found]


async def is_clean_in_both_themes(page: Page) -> None:
    """Assert that axe finds nothing in the light theme, and nothing about colors in the dark one."""
    for scheme, rules in (("dark", COLORS), ("light", None)):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        await page.evaluate(SETTLED)  # colours change in transitions, short ones too
        found = await troubles(page, rules)
        assert not found, "\n".join([scheme, *found])


async def is_sound(page: Page, where: str, looks: Sequence[Look] = (LIGHT, DARK)) -> None:
    """Assert that axe finds nothing serious or critical in the first of these looks, and nothing about colors in the
    others."""
    for look in looks:
        await page.evaluate(CHOOSE, look)
        await page.evaluate(SETTLED)
        rules = None if look is looks[0] else COLORS
        found = [line for line in await troubles(page, rules) if line.startswith(("serious", "critical"))]
        assert not found, "\n".join([where, str(look), *found])
