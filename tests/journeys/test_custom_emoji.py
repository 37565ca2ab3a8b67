"""Ana adds an emoji, writes and reacts with it; Ben sees it at once, on a phone too; once removed, its name shows."""

import io

from PIL import Image, ImageDraw
from playwright.async_api import Locator, expect

from tests.cast import Cast
from tests.files.test_custom_emoji import moving
from tests.journeys.axe import is_clean_in_both_themes, is_sound
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.chat import enter, message, picks_emoji, uses
from tests.journeys.pages.files import is_seen
from tests.journeys.test_invitations import PHONE, pictured
from tests.promises.conftest import StartNode
from tests.verbs import begins
from tests.waiting import eventually

# How often the page has asked for the list.
ASKED = "performance.getEntriesByType('resource').filter(one => one.name.endsWith('/api/emoji')).length"


def face() -> bytes:
    """Return a picture of a face, with a clear ground."""
    drawn = Image.new("RGBA", (200, 200))
    pen = ImageDraw.Draw(drawn)
    pen.ellipse((10, 10, 190, 190), fill="#2a9d4b")
    pen.ellipse((60, 60, 85, 95), fill="white")
    pen.ellipse((115, 60, 140, 95), fill="white")
    pen.arc((55, 80, 145, 150), 20, 160, fill="white", width=10)
    out = io.BytesIO()
    drawn.save(out, "PNG")
    return out.getvalue()


async def test_an_emoji_is_added_used_and_removed(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """The picture appears in messages, reactions, the picker and the completion, and is gone everywhere at once."""
    node = await start_node("a1")
    ana, ben = await enter(stage, node, "ana", "ben")
    room = await begins(ana, "channel", "kitchen", ben)
    one, two = await open_window(node, ana, "/settings/emoji"), await open_window(node, ben, f"/c/{room}")
    await two.is_live()
    await two.says("Is :party-parrot: here? `:party-parrot:` is its name")
    await adds(one)
    shown = signs(message(two, 1))
    await expect(shown).to_have_count(1, timeout=LIMIT)
    await eventually(lambda: is_seen(shown.first), 30)
    await expect(message(two, 1).locator("code")).to_have_text(":party-parrot:")
    await one.opens(f"/c/{room}")
    await writes(one)
    await expect(signs(message(two, 2))).to_have_count(1, timeout=LIMIT)
    await reacts_with_it(one, two)
    await previews(one)
    await looks_on_a_phone(two)
    await removes(one)
    await one.opens(f"/c/{room}")
    for window in (one, two):
        await expect(message(window, 2).get_by_test_id("text")).to_have_text(":party-parrot:", timeout=LIMIT)
        await expect(message(window, 1).get_by_role("button", name=":party-parrot: 2:")).to_have_text(
            ":party-parrot: 2", timeout=LIMIT
        )
        await expect(window.page.locator("img.custom-emoji")).to_have_count(0)
        assert window.errors == []


def signs(row: Locator) -> Locator:
    """Return the pictures of the emoji in the text of a message."""
    return row.get_by_test_id("text").get_by_role("img", name=":party-parrot:")


async def adds(window: Window) -> None:
    """Find none, try what is no picture and a name that is taken by a standard emoji, and add one, by keyboard."""
    page = window.page
    await expect(page.get_by_text("No custom emoji yet")).to_be_visible(timeout=LIMIT)
    await is_clean_in_both_themes(page)
    await pictured(window, "emoji-empty")
    form = page.get_by_role("form", name="Add emoji")
    chosen = {"name": "Party Parrot.png", "mimeType": "image/png", "buffer": b"no picture"}
    field, name = form.get_by_test_id("emoji-picture"), form.get_by_label("Name")
    await field.set_input_files(chosen)  # type: ignore[arg-type]
    await expect(name).to_have_value("party-parrot")
    await name.press("Enter")
    await expect(form.get_by_role("alert")).to_contain_text("not a picture that can be shown", timeout=LIMIT)
    await field.set_input_files({**chosen, "buffer": face()})  # type: ignore[arg-type]
    await expect(form.get_by_role("img", name="Preview of :party-parrot:")).to_be_visible()
    await name.fill("tada")
    await name.press("Enter")
    await expect(form).to_contain_text("is the name of a standard emoji", timeout=LIMIT)
    await is_sound(page, "a name that is taken")
    await pictured(window, "emoji-wrong")
    await name.fill(":party-parrot:")
    await name.press("Enter")
    row = page.get_by_role("list", name="Custom emoji").get_by_role("listitem")
    await expect(row).to_contain_text(":party-parrot:", timeout=LIMIT)
    await expect(row).to_contain_text("Added by Ana")
    await is_clean_in_both_themes(page)
    await pictured(window, "emoji-page")
    await page.set_viewport_size(PHONE)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.emulate_media(color_scheme="dark")
    await pictured(window, "emoji-page-phone")
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size({"width": 1280, "height": 800})


async def writes(window: Window) -> None:
    """Complete the emoji's name, and send it alone, which shows it large."""
    field = window.page.get_by_label("Message", exact=True)
    await field.press_sequentially(":parr")
    options = window.page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    await expect(options.first).to_have_text(":party-parrot:", timeout=LIMIT)
    await expect(options.nth(1)).to_contain_text(":parrot", timeout=LIMIT)
    await pictured(window, "emoji-suggested")
    await field.press("Tab")
    await expect(field).to_have_value(":party-parrot: ")
    await field.press("Enter")
    await expect(signs(message(window, 2))).to_have_count(1, timeout=LIMIT)
    await expect(message(window, 2).locator(".text.large")).to_have_count(1)


async def reacts_with_it(one: Window, two: Window) -> None:
    """Pick it for a reaction; the other window shows the picture, and joins."""
    await uses(one, 1, "Add reaction")
    picker = one.page.get_by_role("dialog", name="Emoji")
    await expect(picker.get_by_role("region", name="Custom emoji").get_by_role("button")).to_have_count(
        1, timeout=LIMIT
    )
    await is_sound(one.page, "the picker with a custom emoji")
    await pictured(one, "emoji-picker")
    await picks_emoji(one, "party parrot")
    reaction = message(two, 1).get_by_role("button", name=":party-parrot: 1: Ana")
    await expect(reaction.locator("img")).to_have_count(1, timeout=LIMIT)
    await reaction.click()
    await expect(message(one, 1).get_by_role("button", name=":party-parrot: 2:")).to_be_visible(timeout=LIMIT)
    await is_clean_in_both_themes(one.page)
    await pictured(one, "emoji-messages")
    await one.page.emulate_media(color_scheme="dark")
    await pictured(one, "emoji-messages-dark")
    await one.page.emulate_media(color_scheme="light")


async def previews(window: Window) -> None:
    """A preview in one line shows the picture: of the message to reply to, and in the list of pins."""
    page, sign = window.page, {"role": "img", "name": ":party-parrot:"}
    await uses(window, 2, "Reply")
    bar = page.get_by_text("Replying to").locator("..")
    await expect(bar.get_by_role(**sign)).to_have_count(1, timeout=LIMIT)  # type: ignore[arg-type]
    await page.get_by_role("button", name="Cancel reply").click()
    await uses(window, 2, "Pin")
    await page.get_by_role("button", name="Pinned messages").click()
    pins = page.get_by_role("complementary", name="Pinned messages")
    await expect(pins.get_by_role(**sign)).to_have_count(1, timeout=LIMIT)  # type: ignore[arg-type]
    await pictured(window, "emoji-previews")
    await page.keyboard.press("Escape")


async def looks_on_a_phone(window: Window) -> None:
    """The picker and the messages fit a phone, in dark colors too."""
    page = window.page
    await page.set_viewport_size(PHONE)
    await page.emulate_media(color_scheme="dark")
    await expect(signs(message(window, 2))).to_have_count(1, timeout=LIMIT)
    await pictured(window, "emoji-messages-phone")
    await page.get_by_role("button", name="Emoji").first.click()
    grid = page.get_by_role("dialog", name="Emoji").get_by_role("region", name="Custom emoji")
    await expect(grid.get_by_role("button", name=":party-parrot:")).to_be_visible(timeout=LIMIT)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await pictured(window, "emoji-picker-phone")
    await page.keyboard.press("Escape")


async def removes(window: Window) -> None:
    """Remove the emoji, after a question."""
    page, dialog = window.page, window.page.get_by_role("dialog")
    await window.opens("/settings/emoji")
    await page.get_by_role("button", name="Remove :party-parrot:").click()
    await expect(dialog).to_contain_text("Remove :party-parrot:?", timeout=LIMIT)
    await dialog.get_by_role("button", name="Remove emoji").click()
    await expect(page.get_by_text("No custom emoji yet")).to_be_visible(timeout=LIMIT)


async def test_a_team_leaves_emoji_to_admins(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """Ada changes the team's setting, and Ben's page says that only admins add emoji. His pictures move if he likes."""
    node = await start_node("a1")
    (ada,) = await stage.enters("ada", role="admin")
    ada.at = node.url
    (ben,) = await enter(stage, node, "ben")
    admin = await open_window(node, ada, "/people/settings")
    choice = admin.page.get_by_role("group", name="Who can add custom emoji")
    await expect(choice.get_by_role("radio", name="Everyone")).to_be_checked(timeout=LIMIT)
    await choice.get_by_role("radio", name="Only admins").check()
    await admin.page.get_by_role("button", name="Save").click()
    await expect(admin.page.get_by_text("Team settings saved")).to_be_visible(timeout=LIMIT)
    assert (await ada.call("POST", "/api/emoji?name=shipit-now", data=moving(10)))[0] == 201
    member = await open_window(node, ben, "/settings/emoji")
    await expect(member.page.get_by_text("Only admins can add emoji.")).to_be_visible(timeout=LIMIT)
    await expect(member.page.get_by_role("list", name="Custom emoji")).to_contain_text(":shipit-now:")
    await expect(member.page.get_by_role("button", name="Add emoji")).to_have_count(0)
    await expect(member.page.get_by_role("button", name="Remove :shipit-now:")).to_have_count(0)
    asked = await member.page.evaluate(ASKED)
    shown = member.page.get_by_role("list", name="Custom emoji").locator("img")
    for motion, src in (("reduce", "/api/emoji/1?still=1"), ("no-preference", "/api/emoji/1")):
        await member.page.emulate_media(reduced_motion=motion)  # type: ignore[arg-type]
        await member.opens("/settings/emoji")
        await expect(shown).to_have_attribute("src", src, timeout=LIMIT)
    assert 1 <= asked <= 2, f"the list was asked for {asked} times"
    assert admin.errors == member.errors == []
