"""A bot is labeled where users read its name; people are not."""

from playwright.async_api import expect

from tests.accounts.systems import makes_key
from tests.cast import Cast
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT
from tests.promises.conftest import StartNode
from tests.verbs import begins


async def test_a_bot_is_labeled(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """Beside its messages, and in its profile."""
    node = await start_node("a1")
    (ada,) = await stage.enters("ada", role="admin")
    ada.at = node.url
    shop = await makes_key(ada, stage)
    room = await begins(ada, "channel", "orders", shop)
    await shop.says(room, "Order 4711 is packed")
    await ada.says(room, "Thanks!")
    window = await open_window(node, ada)
    await window.is_live()
    await window.reads("orders")
    articles = window.page.get_by_role("article")
    packed, thanks = articles.filter(has_text="is packed"), articles.filter(has_text="Thanks!")
    await expect(packed.get_by_text("Bot", exact=True)).to_be_visible(timeout=LIMIT)
    await expect(thanks).to_be_visible()
    await expect(thanks.get_by_text("Bot", exact=True)).to_have_count(0)
    await packed.get_by_role("button", name="Shop").click()
    profile = window.page.get_by_role("dialog")
    await expect(profile.get_by_text("Bot", exact=True)).to_be_visible(timeout=LIMIT)
    await expect(profile.get_by_text("Owned by Ada")).to_be_visible()
    await profile.get_by_role("button", name="Ada").click()
    await expect(profile.get_by_text("@ada")).to_be_visible(timeout=LIMIT)
