"""A conversation in a frame of a shop's page: everything works there, and only in pages of allowed sites."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest_asyncio
from playwright.async_api import Browser, FrameLocator, Page, expect

from chat.client.node_process import NodeProcess
from tests.cast import Cast, Person
from tests.journeys.axe import is_sound
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT
from tests.journeys.pages.chat import enter
from tests.journeys.pages.files import RED
from tests.journeys.sites import SECRET, Site, serving_site, token_for
from tests.presence.presence_client import open_presence
from tests.promises.conftest import StartNode
from tests.verbs import begins, pages, reacts
from tests.waiting import eventually

FRAME = """<!doctype html><title>Shop</title><script>
  window.asked = 0;
  onmessage = async ({ source, data }) => {
    if (data.type !== 'tandem-token-wanted' || source !== frames[0]) return;
    window.asked += 1;
    const answer = await fetch('/token');
    if (answer.ok) source.postMessage({ type: 'tandem-token', token: await answer.text() }, '*');
  };
</script><iframe src="ADDRESS" style="width: 420px; height: 640px"></iframe>"""


class Shop(NamedTuple):
    """A shop whose pages may embed a node's conversations. `sam` is a customer, `room` a group of him and Ana."""

    node: NodeProcess
    site: Site
    ana: Person
    sam: Person
    room: int

    def embeds(self, fragment: str = "", query: str = "") -> None:
        """Show the conversation on the page of the shop."""
        address = f"{self.node.url}/embed/c/{self.room}{query}{fragment}"
        self.site.page = FRAME.replace("ADDRESS", address)


@pytest_asyncio.fixture(loop_scope="session")
async def shop(stage: Cast, start_node: StartNode) -> AsyncIterator[Shop]:
    """A node that allows the shop, and its users."""
    async with serving_site() as site:
        allowed = {"FRAME_ANCESTORS": site.url, "COOKIE_SECURE": "true", "COOKIE_SAMESITE": "none"}
        node = await start_node("a1", JWT_SECRET=SECRET, STRANGERS="add", LOG_REQUESTS="all", **allowed)
        node.kill()
        node.settings["PUBLIC_URL"] = node.url  # COOKIE_SECURE means https, but Chromium trusts this host without
        await node.start_and_wait()
        (ana,) = await enter(stage, node, "ana")
        token = token_for("sam")
        sam = Person(stage.http, node.url, "sam", 0, token)
        sam.id = (await sam.call("GET", "/api/users/me"))[1]["id"]
        yield Shop(node, site, ana, sam, await begins(ana, "group", "Order 4711", sam))


async def visits(browser: Browser, site: Site) -> Page:
    """Open the page of a site in a browser of its own."""
    page = await (await browser.new_context(locale="en-GB", reduced_motion="reduce")).new_page()
    page.set_default_timeout(LIMIT)
    await page.goto(site.url)
    return page


async def test_a_frame_is_a_whole_conversation(browser: Browser, shop: Shop) -> None:
    """Log in by a token, read, post, upload, react, reply in a thread and see who is typing; never leave."""
    await shop.ana.says(shop.room, f"Hello Sam, see https://shop.example/ and {shop.node.url}/c/999")
    token = token_for("sam")
    shop.embeds(f"#token={token}", "?theme=dark")
    page = await visits(browser, shop.site)
    frame = page.frame_locator("iframe")
    (inside,) = page.main_frame.child_frames
    await expect(frame.get_by_role("heading", level=1)).to_have_text("Order 4711", timeout=LIMIT)
    await expect(frame.get_by_text("Hello Sam")).to_be_visible(timeout=LIMIT)
    await expect(frame.get_by_text("Only you and Ana can read these messages.")).to_be_visible(timeout=LIMIT)
    assert await inside.evaluate("document.documentElement.dataset.theme") == "dark"
    assert inside.url == f"{shop.node.url}/embed/c/{shop.room}?theme=dark"
    assert token not in shop.node.read_log()
    await expect(frame.get_by_role("navigation")).to_have_count(0)

    message = frame.get_by_role("textbox", name="Message", exact=True)
    await message.fill("Where is it?")
    await message.press("Enter")
    await eventually(lambda: has_texts(shop, "Where is it?"))
    await sends_picture(frame)

    await reacts(shop.ana, shop.room, 2, "🍅")
    await frame.get_by_role("button", name="🍅").click()
    await eventually(lambda: has_reactions(shop, 2))

    async with open_presence(shop.ana) as anas:
        await anas.says("typing", conversation=shop.room, on=True)
        await expect(frame.get_by_text("Ana is typing").first).to_be_visible(timeout=LIMIT)
    await replies_in_thread(frame, shop)
    assert inside.url == f"{shop.node.url}/embed/c/{shop.room}/thread/1?theme=dark"
    assert await page.evaluate("history.length") == 2  # an empty page, and the shop's

    for name in ("https://shop.example/", f"{shop.node.url}/c/999"):
        async with page.context.expect_page() as opened:
            await frame.get_by_role("log", name="Replies").get_by_role("link", name=name).click()
        assert await (await opened.value).evaluate("opener") is None
    assert inside.url.startswith(f"{shop.node.url}/embed/c/{shop.room}/thread/1")
    await page.context.close()


async def sends_picture(frame: FrameLocator) -> None:
    """Upload a picture and send it; it is shown."""
    await frame.locator("input[type=file]").first.set_input_files(
        {"name": RED[0], "mimeType": RED[1], "buffer": RED[2]}
    )
    await expect(frame.locator("[data-state=done]")).to_have_count(1, timeout=LIMIT)
    await frame.get_by_role("textbox", name="Message", exact=True).press("Enter")
    picture = frame.get_by_role("img", name="red.png")
    await eventually(lambda: picture.evaluate("one => one.complete && one.naturalWidth > 0"), 30)


async def replies_in_thread(frame: FrameLocator, shop: Shop) -> None:
    """Open the thread of the first message, and reply in it."""
    await frame.locator("article[data-seq='1']").hover()
    await frame.locator("article[data-seq='1']").get_by_role("button", name="Reply in thread").click()
    reply = frame.get_by_role("textbox", name="Reply in thread", exact=True)
    await reply.fill("In a thread")
    await reply.press("Enter")
    await eventually(lambda: has_replies(shop))


async def has_texts(shop: Shop, text: str) -> bool:
    """Return whether Ana reads this message of Sam."""
    page = await pages(shop.ana, shop.room)
    return any((one["body"], one["author"]) == (text, shop.sam.id) for one in page["messages"])


async def has_reactions(shop: Shop, seq: int) -> bool:
    """Return whether both users reacted."""
    page = await pages(shop.ana, shop.room)
    return any(one["seq"] == seq and len(one["reactions"][0]["users"]) == 2 for one in page["messages"])


async def has_replies(shop: Shop) -> bool:
    """Return whether the first message has a reply."""
    page = await pages(shop.ana, shop.room)
    return any(one["seq"] == 1 and one.get("replies") == 1 for one in page["messages"])


async def test_a_frame_asks_the_page_for_a_token(browser: Browser, shop: Shop) -> None:
    """Without one it says what to do. It asks once for each, and again when its session has ended."""
    shop.embeds()
    page = await visits(browser, shop.site)
    frame = page.frame_locator("iframe")
    await expect(frame.get_by_role("heading", level=1)).to_have_text("You're not logged in", timeout=LIMIT)
    await expect(frame.get_by_role("link", name="Open in a new tab")).to_have_attribute("target", "_blank")
    shop.site.give = lambda: "no.real.token"
    await page.reload()
    await expect(frame.get_by_role("heading", level=1)).to_have_text("This page couldn't log you in", timeout=LIMIT)
    assert await page.evaluate("asked") == 1
    shop.site.give = lambda: token_for("sam")
    await page.reload()
    await expect(frame.get_by_role("heading", level=1)).to_have_text("Order 4711", timeout=LIMIT)
    given = shop.site.given
    _, sessions = await shop.sam.call("GET", "/api/sessions")
    for one in sessions["sessions"]:
        if not one["current"]:
            assert (await shop.sam.call("DELETE", f"/api/sessions/{one['id']}"))[0] == 204
    await eventually(lambda: shop.site.given == given + 1, 30)
    await shop.ana.says(shop.room, "still there?")
    await expect(frame.get_by_text("still there?")).to_be_visible(timeout=LIMIT)
    await page.context.close()


async def test_other_sites_cannot_embed(browser: Browser, shop: Shop) -> None:
    """The browser shows neither the conversation nor the app in a page of another site."""
    async with serving_site() as stranger:
        shop.embeds(f"#token={token_for('sam')}")
        stranger.page = shop.site.page
        page = await visits(browser, stranger)
        (inside,) = page.main_frame.child_frames
        await eventually(lambda: inside.url.startswith("chrome-error:"), 30)
        assert await page.evaluate("asked") == 0
        await page.context.close()


async def test_a_link_logs_nobody_in(open_window: OpenWindow, shop: Shop) -> None:
    """A token in a link is taken in frames alone: otherwise any page could log Ana in under another account."""
    window = await open_window(shop.node, None, f"/embed/c/{shop.room}#token={token_for('sam')}")
    heading = window.page.get_by_role("heading", level=1)
    await expect(heading).to_have_text("You're not logged in", timeout=LIMIT)
    await window.page.evaluate("token => postMessage({ type: 'tandem-token', token }, '*')", token_for("sam"))
    assert await window.page.evaluate("fetch('/api/users/me').then(answer => answer.status)") == 401
    assert "token" not in window.page.url


async def test_the_page_of_a_frame_is_accessible(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """On a small screen, in any look, with and without a thread, and where nothing can be shown."""
    node = await start_node("a1", SIGNUP="open")
    (ana,) = await enter(stage, node, "ana")
    room = await begins(ana, "channel", "orders")
    await ana.says(room, "first")
    window = await open_window(node, ana, f"/embed/c/{room}")
    page = window.page
    await page.set_viewport_size({"width": 360, "height": 600})
    await expect(page.get_by_text("first")).to_be_visible(timeout=LIMIT)
    await is_sound(page, "frame")
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    await window.opens(f"/embed/c/{room}/thread/1")
    await expect(page.get_by_role("textbox", name="Reply in thread", exact=True)).to_be_visible(timeout=LIMIT)
    await is_sound(page, "thread in a frame")
    await window.opens("/embed/c/4711")
    await expect(page.get_by_role("heading", level=1)).to_have_text("You can't see this conversation", timeout=LIMIT)
    await is_sound(page, "nothing to show")
    assert not window.errors
