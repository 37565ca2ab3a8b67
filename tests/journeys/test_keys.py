"""An admin makes an API key in the app, a program uses it, and she revokes it."""

from playwright.async_api import Locator, expect

from tests.cast import Cast, Person
from tests.journeys.axe import is_clean_in_both_themes
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT
from tests.journeys.test_dashboard import QUICK, enters
from tests.promises.conftest import StartNode
from tests.verbs import begins, sets_member, tries


async def fills(form: Locator) -> None:
    """Describe a key that may post in one channel for a month."""
    await form.get_by_role("textbox", name="Name").fill("Deploy tool")
    await form.get_by_role("checkbox", name="messages:read").uncheck()
    await form.get_by_role("radio", name="Only in the conversations").check()
    await form.get_by_label("Filter conversations").fill("dep")
    await expect(form.get_by_role("checkbox", name="garden")).to_have_count(0)
    await form.get_by_role("checkbox", name="deploys").check()
    await form.get_by_label("Expires after").select_option("30 days")


async def test_from_creation_to_revocation(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """The secret is shown once and works within its limits; a revoked key works no more."""
    node = await start_node("a1", **QUICK)
    (ada,) = await enters(stage, node, "ada", role="admin")
    deploys, _ = await begins(ada, "channel", "deploys"), await begins(ada, "channel", "garden")
    board = await open_window(node, ada, "/dashboard")
    page = board.page
    await page.get_by_role("link", name="API keys").click()
    await expect(page.get_by_text("No API keys")).to_be_visible(timeout=LIMIT)
    await is_clean_in_both_themes(page)

    await page.get_by_role("button", name="Create API key").click()
    form = page.get_by_role("form", name="Create API key")
    await fills(form)
    await is_clean_in_both_themes(page)
    await form.get_by_role("button", name="Create API key").click()
    made = page.get_by_role("region", name="Key for Deploy tool")
    await expect(made.get_by_role("status")).to_contain_text("You won't see it again")
    secret = await made.get_by_label("Secret").input_value()
    await expect(made).to_contain_text("Add @deploy-tool-bot to the conversations")
    await is_clean_in_both_themes(page)

    (key,) = (await ada.call("GET", "/api/keys"))[1]["keys"]
    assert (key["scopes"], key["conversations"]) == (["messages:write"], [deploys])
    bot = Person(stage.http, node.url, "bot", key["user"]["id"], secret)
    assert (await sets_member(ada, deploys, bot))[0] == 201
    assert (await bot.says(deploys, "version 7 is live"))["author"] == bot.id

    await page.reload()
    row = page.get_by_role("listitem").filter(has_text="Deploy tool")
    await expect(row).to_contain_text("Only in 1 conversation", timeout=LIMIT)
    await expect(row).to_contain_text("Expires")
    assert secret not in await page.content()
    await row.get_by_role("button", name="Revoke Deploy tool").click()
    dialog = page.get_by_role("dialog", name="Revoke the key Deploy tool?")
    await is_clean_in_both_themes(page)
    await dialog.get_by_role("button", name="Revoke key").click()
    await expect(page.get_by_text("No API keys")).to_be_visible(timeout=LIMIT)
    assert await tries(bot, "GET", "/api/chat/conversations") == (401, "unauthenticated")
    assert board.errors == []
