"""Drafts: one for each conversation and thread, the same in all tabs."""

from playwright.async_api import Dialog, expect

from tests.cast import Cast
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.files import NOTES, has_up, picks
from tests.journeys.tabs import opens_tab
from tests.promises.conftest import StartNode
from tests.verbs import answers
from tests.waiting import eventually


async def drafts(window: Window, text: str) -> None:
    """Wait until the conversation's message field has this text."""
    await expect(window.page.get_by_label("Message", exact=True).first).to_have_value(text, timeout=LIMIT)


async def two_tabs(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> tuple[Window, Window]:
    """Two tabs of ana, one with a thread beside the conversation."""
    node = await start_node("a1")
    ana, ben = await stage.enters("ana", "ben")
    ana.at = ben.at = node.url
    room = await stage.share(ana, ben, name="kitchen")
    await ben.says(room, "Shall we cook?")
    await answers(ben, room, 1, "Soup?")
    one = await open_window(node, ana, f"/c/{room}/thread/1")
    two = await opens_tab(one, f"/c/{room}")
    await one.is_live()
    await two.is_live()
    return one, two


async def test_a_draft_is_the_same_in_all_tabs(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """Two tabs share a draft; a thread's draft is separate; a reload keeps both, and sending clears it."""
    one, two = await two_tabs(stage, start_node, open_window)
    await one.types("We need")
    await drafts(two, "We need")
    await two.types("We need butter")
    await drafts(one, "We need butter")
    thread = one.page.get_by_label("Reply in thread")
    await thread.fill("Not soup")
    await one.page.reload()
    await drafts(one, "We need butter")
    await expect(thread).to_have_value("Not soup")
    await two.says("We need butter")
    await drafts(one, "")
    await expect(thread).to_have_value("Not soup")
    assert (one.errors, two.errors) == ([], [])


def asked_of(window: Window) -> list[str]:
    """Return the questions that the browser asks from now on; the first time the answer is to stay."""
    asked: list[str] = []

    async def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await (dialog.accept() if len(asked) > 1 else dialog.dismiss())

    window.page.on("dialog", answer)
    return asked


async def test_leaving_with_an_unsent_file_asks_first(
    stage: Cast, start_node: StartNode, open_window: OpenWindow
) -> None:
    """The browser asks before it leaves a page with an unsent file, and not once the file is sent."""
    node = await start_node("a1")
    (ana,) = await stage.enters("ana")
    room = await stage.share(ana, name="kitchen")
    window = await open_window(node, ana, f"/c/{room}")
    await window.is_live()
    asked = asked_of(window)
    await picks(window, NOTES)
    await has_up(window, "notes.txt")
    await window.page.close(run_before_unload=True)
    await eventually(lambda: asked == ["beforeunload"])
    await expect(window.page.get_by_text("notes.txt")).to_be_visible()
    await window.page.get_by_role("button", name="Send").first.click()
    await window.page.get_by_role("link", name="Download notes.txt").wait_for()
    await window.page.reload()
    await window.is_live()
    assert asked == ["beforeunload"]
