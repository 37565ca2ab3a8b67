"""A message of an application that the app does not know is a card with its type and its fields."""

from playwright.async_api import expect

from tests.cast import Cast
from tests.journeys.axe import is_sound
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT
from tests.promises.conftest import StartNode
from tests.verbs import CONVERSATIONS, begins, deletes, edits, tries

HOSTILE = "<img src=x onerror=\"document.title='pwned'\">\u202e\u0301\u0301\u0301\u0301\u0301\u0301\u0301"


async def test_a_card_shows_the_fields(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """The first fields at once, the others when it is unfolded; an edit changes them, and nothing in them runs."""
    node = await start_node("a1")
    ana, ben = await stage.enters("ana", "ben")
    ana.at = ben.at = node.url
    room = await begins(ana, "channel", "orders", ben)
    data = {
        "order": 4711,
        "customer": {"name": HOSTILE, HOSTILE: [1, 2]},
        "paid": True,
        "note": None,
        "rest": "x" * 7000,
    }
    draft = {"client_id": "1", "type": "order.shipped", "data": data}
    assert await tries(ana, "POST", f"{CONVERSATIONS}/{room}/messages", draft) == (201, "")
    window = await open_window(node, ben, f"/c/{room}")
    card = window.page.get_by_test_id("data")
    await expect(card).to_contain_text("order.shipped", timeout=LIMIT)
    await expect(card.get_by_role("term")).to_have_count(4)
    await expect(card).to_contain_text("customer.name")
    await is_sound(window.page, "card")
    await card.get_by_role("button", name="Show 2 more fields").click()
    await expect(card.get_by_role("term")).to_have_count(6)
    await is_sound(window.page, "card")
    assert await card.locator("img").count() == 0
    assert "pwned" not in await window.page.title()
    for width in (360, 1280):
        await window.page.set_viewport_size({"width": width, "height": 800})
        box = await card.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    await edits(ana, room, 1, "On its way", data={"order": 4712})
    await expect(card).to_contain_text("4712")
    await expect(card.get_by_role("term")).to_have_count(1)
    await deletes(ana, room, 1)
    await expect(card).to_have_count(0)
    assert window.errors == []
