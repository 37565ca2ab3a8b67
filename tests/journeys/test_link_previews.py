"""A link in a message has a card with the title of its page, which its author can remove."""

import os
from pathlib import Path

from playwright.async_api import expect

from tests.cast import Cast
from tests.journeys.axe import is_sound
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT
from tests.messages.sites import serving_pages
from tests.promises.conftest import StartNode
from tests.verbs import begins

PICTURES = os.environ.get("PREVIEW_PICTURES")  # a folder for pictures of the card


async def test_a_card_below_the_message(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """It appears without a reload, on a phone and in both directions; what its page says is text and nothing else."""
    node = await start_node("a1", LINK_PREVIEWS="on", LINK_PREVIEWS_ALLOW="127.0.0.1")
    ana, ben = await stage.enters("ana", "ben")
    ana.at = ben.at = node.url
    room = await begins(ana, "channel", "garden", ben)
    window = await open_window(node, ana, f"/c/{room}")
    page = window.page
    async with serving_pages() as site:
        await window.says(f"Look at {site.url}/article")
        card = page.get_by_test_id("preview")
        await expect(card).to_contain_text("How to grow tomatoes", timeout=LIMIT)
        await expect(card).to_contain_text("The Garden · 127.0.0.1:")
        link = card.get_by_role("link")
        assert await link.get_attribute("href") == f"{site.url}/article"
        assert (await link.get_attribute("rel") or "").split()[:2] == ["noopener", "noreferrer"]
        await ana.says(room, f"{site.url}/hostile {site.url}/arabic")
        await expect(card).to_have_count(3, timeout=LIMIT)
        await expect(card.nth(1)).to_contain_text("<img src=x")
        assert await card.locator("img").count() == 0
        await is_sound(page, "preview")
        for width, direction in ((1280, "ltr"), (360, "ltr"), (360, "rtl")):
            await page.set_viewport_size({"width": width, "height": 800})
            await page.evaluate("(direction) => (document.documentElement.dir = direction)", direction)
            for number in range(3):
                box = await card.nth(number).bounding_box()
                assert box
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= width
            if PICTURES:
                await page.screenshot(path=Path(PICTURES) / f"preview-{width}-{direction}.png")
        await page.set_viewport_size({"width": 1280, "height": 800})
        await card.first.get_by_role("button", name="Remove preview of How to grow tomatoes").click()
        await expect(card).to_have_count(2, timeout=LIMIT)
        await page.reload()
        await expect(card).to_have_count(2, timeout=LIMIT)
    other = await open_window(node, ben, f"/c/{room}")
    await expect(other.page.get_by_test_id("preview")).to_have_count(2, timeout=LIMIT)
    await expect(other.page.get_by_test_id("preview").get_by_role("button")).to_have_count(0)
    assert window.errors == []
