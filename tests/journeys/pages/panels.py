"""Actions of users on the screens beside the conversation, one verb each, by the names on the page."""

from playwright.async_api import Locator, expect

from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.chat import message, uses


async def looks_for(window: Window, words: str) -> Locator:
    """Search in the open search, or in the one that Ctrl-F opens; return the results."""
    field = window.page.get_by_role("combobox", name="Search")
    if await field.count() == 0:
        await window.page.keyboard.press("Control+f")
    await field.fill(words)
    return window.page.get_by_role("list", name="Results").get_by_role("link")


async def finds(window: Window, words: str, *texts: str) -> None:
    """Wait until these are found, newest first; the index may still be following the log."""
    found = await looks_for(window, words)
    for _ in range(20):
        try:
            await expect(found).to_have_count(len(texts), timeout=1_000)
            break
        except AssertionError:
            await looks_for(window, "")  # the same words would not be asked for again
            await looks_for(window, words)
    for row, text in zip(await found.all(), texts, strict=True):
        await expect(row).to_contain_text(text)


async def jumps_to(window: Window, name: str) -> None:
    """Jump with the switcher, by keyboard alone."""
    await window.page.keyboard.press("Control+k")
    field = window.page.get_by_role("combobox", name="Jump to")
    await field.fill(name)
    await window.page.get_by_role("option").filter(has_text=name).first.wait_for()
    await field.press("Enter")
    await field.wait_for(state="hidden")


async def opens_details(window: Window) -> Locator:
    """Open the details of the open conversation."""
    panel = window.page.get_by_role("complementary", name="Details")
    if await panel.count() == 0:
        await window.page.get_by_role("heading", level=1).get_by_role("button").click()
    await panel.wait_for()
    return panel


async def unfolds(panel: Locator, title: str) -> Locator:
    """Unfold a part of the details."""
    part = panel.get_by_role("region", name=title, exact=True)
    head = part.get_by_role("heading", level=3).get_by_role("button")
    if await head.get_attribute("aria-expanded") == "false":
        await head.click()
    return part


async def does_with(panel: Locator, name: str, deed: str) -> None:
    """Choose an action from a member's menu."""
    await panel.get_by_role("button", name=f"Actions for {name}").click()
    await panel.get_by_role("menu").get_by_text(deed, exact=True).click()


async def confirms(window: Window, button: str) -> None:
    """Confirm the dialog."""
    dialog = window.page.get_by_role("dialog")
    await dialog.get_by_role("button", name=button, exact=True).click()
    await expect(dialog).to_be_hidden(timeout=LIMIT)


async def reports(window: Window, seq: int, words: str) -> None:
    """Report a message, with a reason."""
    await uses(window, seq, "Report")
    await window.page.get_by_label("Details (optional)").fill(words)
    await confirms(window, "Report")


async def closes(window: Window) -> None:
    """Close the panel or dialog."""
    await window.page.keyboard.press("Escape")


async def reads_deleted(window: Window, seq: int) -> None:
    """Wait until only the tombstone of the message is left."""
    await message(window, seq).get_by_text("This message was deleted.").wait_for()
