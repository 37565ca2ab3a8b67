"""Messages written offline are kept when the tab closes, sent once, and reported when they are refused."""

from playwright.async_api import expect

from tests.cast import Cast
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.tabs import closes, opens_tab, show_what_is_stored
from tests.promises.conftest import StartNode
from tests.verbs import CONVERSATIONS, begins


async def test_offline_messages_outlive_the_tab(
    stage: Cast, start_node: StartNode, open_window: OpenWindow, database_url: str
) -> None:
    """Messages are sent in order, each once, and a draft stays a draft."""
    node = await start_node("a1")
    ana, ben = await stage.enters("ana", "ben")
    ana.at = ben.at = node.url
    room = await stage.share(ana, ben, name="kitchen")
    other = await open_window(node, ben, f"/c/{room}")
    closing = await open_window(node, ana, f"/c/{room}")
    following = await opens_tab(closing, f"/c/{room}")
    await following.is_live()
    await closing.page.context.set_offline(True)
    await closing.is_cut_off()
    for tab, words in ((closing, "one"), (following, "two"), (closing, "three")):
        await tab.says(words)
        await expect(closing.page.get_by_text(words, exact=True)).to_be_visible(timeout=LIMIT)
    await expect(following.page.get_by_test_id("connection-banner")).to_contain_text("3 messages waiting to be sent")
    await following.types("not yet")
    context = closing.page.context
    for tab in (closing, following):
        await closes(tab)
    await context.set_offline(False)
    again = Window(await context.new_page(), node.url)
    await again.opens(f"/c/{room}")
    await again.is_live()
    await show_what_is_stored([again, other], database_url, 3)
    assert [text for _, text in await again.seen()] == ["one", "two", "three"]
    assert await again.draft() == "not yet"


async def test_a_refused_message_says_why_and_waits(
    stage: Cast, start_node: StartNode, open_window: OpenWindow
) -> None:
    """A refused message says why, survives a reload, and can be retried or discarded."""
    node = await start_node("a1")
    ana, ben = await stage.enters("ana", "ben")
    ana.at = ben.at = node.url
    room = await begins(ben, "channel", "kitchen", ana)
    window = await open_window(node, ana, f"/c/{room}")
    await window.is_live()
    await window.page.context.set_offline(True)
    await window.is_cut_off()
    for words in ("let me", "speak"):
        await window.says(words)
    assert (await ben.call("PATCH", f"{CONVERSATIONS}/{room}", {"read_only": True}))[0] in (200, 204)
    await window.page.context.set_offline(False)
    refusals = window.page.get_by_role("alert").filter(has_text="Not sent.")
    await expect(refusals).to_have_count(2, timeout=LIMIT)
    await window.page.reload()
    await expect(refusals).to_have_count(2, timeout=LIMIT)
    assert (await ben.call("PATCH", f"{CONVERSATIONS}/{room}", {"read_only": False}))[0] in (200, 204)
    await refusals.last.get_by_role("button", name="Discard").click()
    await refusals.first.get_by_role("button", name="Retry").click()
    await expect(refusals).to_have_count(0, timeout=LIMIT)
    await expect(window.page.get_by_role("log").locator("article[data-seq='1']")).to_contain_text("let me")
    assert window.errors == []
