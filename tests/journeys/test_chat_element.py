"""`<tandem-chat>` in a page of another site: everything works there, and only in pages of allowed sites."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from chat.client.node_process import NodeProcess
from tests.cast import Cast, Person
from tests.journeys.axe import is_clean_in_both_themes
from tests.journeys.pages.base import LIMIT
from tests.journeys.pages.chat import enter
from tests.journeys.pages.files import RED
from tests.journeys.sites import SECRET, Site, serving_site, token_for
from tests.presence.presence_client import open_presence
from tests.promises.conftest import StartNode
from tests.verbs import begins, pages, reacts
from tests.waiting import eventually

SCRIPT = Path(__file__).parents[2] / "web" / "dist" / "tandem-chat.js"
PAGE = """<!doctype html><html lang="en"><title>Shop</title>
<style>* { color: #900; } p { font-size: 40px; } textarea { display: none; }</style>
<script>
  window.seen = []; window.wrong = [];
  addEventListener('tandem-message', ({ detail }) => seen.push([detail.message.body, detail.own]));
  addEventListener('tandem-error', ({ detail }) => wrong.push(detail.code));
  window.getToken = async () => {
    const answer = await fetch('/token');
    if (!answer.ok) throw new Error('the shop is closed');
    return answer.text();
  };
  window.ready = customElements.whenDefined('tandem-chat');
</script>
<script type="module" src="SCRIPT"></script>
<main><h1>Shop</h1><tandem-chat id="one" server="SERVER" conversation="ROOM"></tandem-chat></main>
<script>one.token = getToken;</script>"""


class Shop(NamedTuple):
    """A shop whose pages may use a node. `sam` is a customer, `room` a group of him and Ana."""

    node: NodeProcess
    site: Site
    ana: Person
    sam: Person
    room: int

    def page(self, script: str = "") -> str:
        """Return the HTML of the page."""
        page = PAGE.replace("SCRIPT", script or f"{self.node.url}/tandem-chat.js", 1)
        return page.replace("SERVER", self.node.url).replace("ROOM", str(self.room))

    async def connections(self) -> tuple[int, int]:
        """Return how many streams and sockets the node has."""
        async with self.ana._http.get(self.node.url + "/metrics") as answer:
            text = await answer.text()
        found = [re.search(rf"^tandem_{name} (\d+)", text, re.MULTILINE) for name in ("streams", "sockets")]
        streams, sockets = (int(one[1]) for one in found if one)
        return streams, sockets

    async def reads(self, text: str) -> bool:
        """Return whether Ana reads this message of Sam."""
        page = await pages(self.ana, self.room)
        return any((one["body"], one["author"]) == (text, self.sam.id) for one in page["messages"])


@pytest_asyncio.fixture(loop_scope="session")
async def shop(stage: Cast, start_node: StartNode) -> AsyncIterator[Shop]:
    """A node that allows the shop, and its users."""
    async with serving_site() as site:
        allowed = {"ALLOWED_ORIGINS": site.url, "STRANGERS": "add", "METRICS_PUBLIC": "true"}
        node = await start_node("a1", JWT_SECRET=SECRET, LOG_REQUESTS="all", **allowed)
        (ana,) = await enter(stage, node, "ana")
        sam = Person(stage.http, node.url, "sam", 0, token_for("sam"))
        sam.id = (await sam.call("GET", "/api/users/me"))[1]["id"]
        one = Shop(node, site, ana, sam, await begins(ana, "group", "Order 4711", sam))
        site.page, site.give = one.page(), lambda: token_for("sam")
        yield one


async def visits(browser: Browser, site: Site) -> Page:
    """Open the page of a site in a browser of its own."""
    page = await (await browser.new_context(locale="en-GB", reduced_motion="reduce")).new_page()
    page.set_default_timeout(LIMIT)
    await page.goto(site.url)
    return page


def body(page: Page, text: str) -> Locator:
    """Return a message."""
    return page.get_by_role("log").get_by_role("listitem").filter(has_text=text)


async def test_an_element_is_a_whole_conversation(browser: Browser, shop: Shop) -> None:
    """Read, post, stream, upload, react, presence and typing, by a token alone; the style of the page stays outside."""
    await shop.ana.says(shop.room, "Hello Sam, see https://shop.example/a.")
    page = await visits(browser, shop.site)
    await expect(page.get_by_role("heading", name="Order 4711")).to_be_visible(timeout=LIMIT)
    first = body(page, "Hello Sam")
    await expect(first).to_be_visible(timeout=LIMIT)
    await is_well_shown(first)

    field = page.get_by_role("textbox", name="Message")
    await field.fill("Where is it?")
    await field.press("Enter")
    await eventually(lambda: shop.reads("Where is it?"))
    await shop.ana.says(shop.room, "On its way")
    await expect(body(page, "On its way")).to_be_visible(timeout=LIMIT)
    await eventually(lambda: page.evaluate("seen.length === 2"))
    assert await page.evaluate("seen") == [["Where is it?", True], ["On its way", False]]
    await expect(page.get_by_role("status").filter(has_text="Ana: On its way")).to_have_count(1)

    await sends_picture(page)

    await reacts(shop.ana, shop.room, 2, "🍅")
    await page.get_by_role("button", name="🍅 1").click()
    await expect(page.get_by_role("button", name="🍅 2", pressed=True)).to_be_visible(timeout=LIMIT)
    await expect(page.get_by_text("0 online")).to_be_visible(timeout=LIMIT)
    assert await shop.connections() == (1, 1)
    async with open_presence(shop.ana) as anas:
        await expect(page.get_by_text("1 online")).to_be_visible(timeout=LIMIT)
        await anas.says("typing", conversation=shop.room, on=True)
        await expect(page.get_by_text("Ana typing…")).to_be_visible(timeout=LIMIT)
    assert await page.evaluate("wrong") == []
    await is_clean_in_both_themes(page)
    await page.context.close()


async def is_well_shown(first: Locator) -> None:
    """Assert that a link leads out safely, and that the style is not that of the page."""
    link = first.get_by_role("link")
    assert await link.get_attribute("href") == "https://shop.example/a"
    assert "noopener" in (await link.get_attribute("rel") or "")
    size, color = await first.locator("p.body").evaluate(
        "one => [getComputedStyle(one).fontSize, getComputedStyle(one).color]"
    )
    assert (size, color != "rgb(153, 0, 0)") == ("15px", True)


async def sends_picture(page: Page) -> None:
    """Upload a picture and send it; it is shown, and a press downloads it."""
    await page.locator("tandem-chat input[type=file]").set_input_files(
        {"name": RED[0], "mimeType": RED[1], "buffer": RED[2]}
    )
    await expect(page.locator("tandem-chat progress")).to_be_hidden(timeout=LIMIT)
    await page.get_by_role("textbox", name="Message").fill("this one")
    await page.get_by_role("button", name="Send").click()
    picture = page.get_by_role("img", name="red.png")
    await eventually(lambda: picture.evaluate("one => one.complete && one.naturalWidth > 0"), 30)
    async with page.expect_download() as saved:
        await picture.click()
    assert (await saved.value).suggested_filename == "red.png"


async def test_elements_share_a_stream_that_ends_with_the_last(browser: Browser, shop: Shop) -> None:
    """Also while an element is moved in the page; a removed one has neither a stream nor a socket at the server."""
    await shop.ana.says(shop.room, "hello")
    page = await visits(browser, shop.site)
    await expect(body(page, "hello")).to_have_count(1, timeout=LIMIT)
    await page.evaluate("two = one.cloneNode(); two.token = getToken; document.body.append(two)")
    await expect(body(page, "hello")).to_have_count(2, timeout=LIMIT)
    await eventually(lambda: has(shop, (1, 1)))
    await page.evaluate("document.body.prepend(one); two.remove()")
    await shop.ana.says(shop.room, "anyone?")
    await expect(body(page, "anyone?")).to_have_count(1, timeout=LIMIT)
    assert (await shop.connections(), shop.site.given) == ((1, 1), 1)
    await page.evaluate("one.remove()")
    await eventually(lambda: has(shop, (0, 0)))
    await page.context.close()


async def has(shop: Shop, connections: tuple[int, int]) -> bool:
    """Return whether the node has so many streams and sockets."""
    return await shop.connections() == connections


async def test_tokens_are_renewed_before_they_expire(browser: Browser, shop: Shop) -> None:
    """The conversation goes on over several tokens. Without a new one the user is logged out, until there is one."""
    shop.site.give = lambda: token_for("sam", 3)
    page = await visits(browser, shop.site)
    await eventually(lambda: shop.site.given >= 3, 30)
    await shop.ana.says(shop.room, "still there?")
    await expect(body(page, "still there?")).to_be_visible(timeout=LIMIT)
    assert await page.evaluate("wrong") == []
    shop.site.give = lambda: None
    await expect(page.get_by_text("You're not logged in.")).to_be_visible(timeout=LIMIT)
    assert "token_failed" in await page.evaluate("wrong")
    await shop.ana.says(shop.room, "missed")
    shop.site.give = lambda: token_for("sam")
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(body(page, "missed")).to_have_count(1, timeout=LIMIT)
    await expect(page.get_by_text("You're not logged in.")).to_be_hidden(timeout=LIMIT)
    assert await page.evaluate("seen.map(([body]) => body)") == ["still there?", "missed"]
    await page.context.close()


async def test_attributes_are_observed(browser: Browser, shop: Shop) -> None:
    """Another conversation, a token as an attribute, another user, another language; and what cannot be shown."""
    other = await begins(shop.ana, "group", "Order 4712", shop.sam)
    page = await visits(browser, shop.site)
    title = page.locator("tandem-chat h2")
    await expect(title).to_have_text("Order 4711", timeout=LIMIT)
    await page.evaluate("room => one.setAttribute('conversation', room)", other)
    await expect(title).to_have_text("Order 4712", timeout=LIMIT)
    await page.evaluate("one.lang = 'de-AT'")
    await expect(page.get_by_role("textbox", name="Nachricht")).to_be_visible(timeout=LIMIT)
    await page.evaluate("token => { one.token = null; one.setAttribute('token', token); }", token_for("eve"))
    await expect(page.get_by_text("Sie können diese Unterhaltung nicht sehen.")).to_be_visible(timeout=LIMIT)
    await page.evaluate("token => one.setAttribute('token', token)", token_for("sam"))
    await expect(page.get_by_role("textbox", name="Nachricht")).to_be_visible(timeout=LIMIT)
    await page.evaluate("one.setAttribute('conversation', 'x')")
    await eventually(lambda: page.evaluate("wrong.includes('no_conversation')"))
    await eventually(lambda: has(shop, (0, 0)))
    await page.context.close()


async def test_pages_of_other_sites_can_do_nothing(browser: Browser, shop: Shop) -> None:
    """Not even with a valid token and a copy of the script: the browser refuses every request."""
    async with serving_site() as stranger:
        stranger.page, stranger.give = shop.page(), lambda: token_for("sam")
        page = await visits(browser, stranger)
        assert not await page.evaluate("!!customElements.get('tandem-chat')")
        await page.context.close()
        stranger.page, stranger.files["copy.js"] = shop.page("/copy.js"), SCRIPT.read_text()
        page = await visits(browser, stranger)
        await eventually(lambda: page.evaluate("wrong.includes('unreachable')"), 30)
        await expect(page.get_by_role("listitem")).to_have_count(0)
        assert await shop.connections() == (0, 0)
        await page.context.close()
