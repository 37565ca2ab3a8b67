"""An admin imports a Slack archive in the app, from the drop of the file to the undo."""

import asyncio
from base64 import b64encode
from pathlib import Path

from playwright.async_api import Locator, expect

from tests.cast import Cast
from tests.journeys.axe import is_clean_in_both_themes
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.files import BRINGS
from tests.journeys.test_dashboard import QUICK, enters
from tests.promises.conftest import StartNode
from tests.transfer.slack_export import write_slack
from tests.verbs import tries

WORK = 3 * LIMIT  # a process starts and reads the file


async def drops(window: Window, path: Path) -> Locator:
    """Drop a file on the page; return its card."""
    data = await asyncio.to_thread(path.read_bytes)
    zone = window.page.get_by_role("group", name="Drop an export file here")
    await zone.evaluate(BRINGS, ["drop", [[path.name, "application/zip", b64encode(data).decode()]]])
    return window.page.get_by_role("article", name=path.name)


async def reaches(card: Locator, state: str) -> None:
    """Wait until the card shows this state."""
    await expect(card).to_have_attribute("data-state", state, timeout=WORK)


async def test_from_drop_to_undo(start_node: StartNode, open_window: OpenWindow, stage: Cast, tmp_path: Path) -> None:
    """Ada drops an archive, sees what would come, leaves a channel out, imports the rest, and undoes it."""
    node = await start_node("a1", **QUICK)
    (ada,) = await enters(stage, node, "ada", role="admin")
    board = await open_window(node, ada, "/dashboard")
    await board.page.get_by_role("link", name="Imports").click()
    await expect(board.page.get_by_text("No imports yet")).to_be_visible(timeout=LIMIT)
    await is_clean_in_both_themes(board.page)

    card = await drops(board, write_slack(tmp_path / "farm.zip"))
    await reaches(card, "ready")
    await expect(card.get_by_text("#garden")).to_be_visible(timeout=LIMIT)
    await expect(card.get_by_role("heading", name="Not imported")).to_be_visible()
    await is_clean_in_both_themes(board.page)
    await card.get_by_role("checkbox", name="#kitchen").uncheck()
    await card.get_by_role("button", name="Import 4 conversations").click()
    await reaches(card, "done")
    await expect(card.get_by_text("New messages")).to_be_visible(timeout=LIMIT)
    _, found = await ada.call("GET", "/api/chat/channels")
    (garden,) = [one for one in found["channels"] if one["name"] == "garden"]
    assert "kitchen" not in {one["name"] for one in found["channels"]}

    await card.get_by_role("button", name="Undo").click()
    dialog = board.page.get_by_role("dialog", name="Undo farm.zip?")
    await expect(dialog).to_contain_text("messages, 4 conversations")
    await is_clean_in_both_themes(board.page)
    await dialog.get_by_role("button", name="Undo import").click()
    await reaches(card, "undone")
    await expect(card.get_by_text("Removed")).to_be_visible(timeout=LIMIT)
    assert await tries(ada, "GET", f"/api/chat/conversations/{garden['id']}") == (404, "not_found")
    await is_clean_in_both_themes(board.page)
