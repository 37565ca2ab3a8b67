"""Mallory adds strangers: their sidebars show an invitation, and they get nothing of hers before they accept."""

import os
from pathlib import Path

from playwright.async_api import Locator, ViewportSize, expect

from tests.cast import Cast
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.chat import enter
from tests.promises.conftest import StartNode
from tests.verbs import begins, sees
from tests.waiting import eventually

PHONE: ViewportSize = {"width": 390, "height": 800}


def asked(window: Window) -> Locator:
    """Return the section of the sidebar with open invitations."""
    return window.page.get_by_role("region", name="Invitations")


async def pictured(window: Window, name: str) -> None:
    """Take a picture if PICTURES names a folder."""
    if folder := os.environ.get("PICTURES"):
        await window.page.screenshot(path=Path(folder) / f"{name}.png")


async def test_invited_strangers_answer_in_the_sidebar(
    stage: Cast, start_node: StartNode, open_window: OpenWindow
) -> None:
    """Ana accepts with the keyboard and is a member; Ben, on a phone in dark mode, declines; Chloe blocks Mallory as
    well."""
    node = await start_node("a1", STRANGERS="invite")
    ana, ben, chloe, mallory = await enter(stage, node, "ana", "ben", "chloe", "mallory")
    one, two, three = [await open_window(node, person) for person in (ana, ben, chloe)]
    await two.page.emulate_media(color_scheme="dark")
    await two.page.set_viewport_size(PHONE)
    for window in (one, two, three):
        await window.is_live()
        await expect(asked(window)).to_have_count(0)
    room = await begins(mallory, "channel", "plans", ana, ben, chloe, private=True)
    await mallory.says(room, "@channel look at this")
    for name, window in (("wide", one), ("phone", two), ("third", three)):
        region = asked(window)
        await expect(region.get_by_text("Mallory invited you · 1 member")).to_be_visible(timeout=LIMIT)
        await expect(region.get_by_text("plans", exact=True)).to_be_visible()
        await pictured(window, f"invitation-{name}")
    await one.page.get_by_role("button", name="Accept invitation to plans").focus()
    await one.page.keyboard.press("Enter")
    await one.reads("plans")
    await expect(one.page.get_by_text("@channel look at this")).to_be_visible(timeout=LIMIT)
    await expect(asked(one)).to_have_count(0)
    await pictured(one, "accepted")
    await two.page.get_by_role("button", name="Decline invitation to plans").click()
    await expect(asked(two)).to_have_count(0, timeout=LIMIT)
    await three.page.get_by_role("button", name="More actions for the invitation to plans").click()
    await pictured(three, "block")
    await three.page.get_by_role("menuitem", name="Decline and block Mallory").click()
    await expect(asked(three)).to_have_count(0, timeout=LIMIT)

    async def is_blocked() -> bool:
        return (await sees(chloe))["blocked"] == [mallory.id]

    await eventually(is_blocked)
    assert [(await sees(person))["invitations"] for person in (ana, ben, chloe)] == [[], [], []]
    assert [len((await sees(person))["conversations"]) for person in (ana, ben, chloe)] == [1, 0, 0]
    assert not [error for window in (one, two, three) for error in window.errors]


async def test_the_inviter_sees_the_invitation(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """The inviter sees that Ana has to accept first, and the open invitation is still there after a reload."""
    node = await start_node("a1", STRANGERS="invite")
    ana, mallory = await enter(stage, node, "ana", "mallory")
    room = await begins(mallory, "channel", "plans", private=True)
    window = await open_window(node, mallory, f"/c/{room}")
    await window.is_live()
    await window.page.get_by_role("button", name="Conversation menu").click()
    await window.page.get_by_role("menuitem", name="Add people").click()
    dialog = window.page.get_by_role("dialog")
    await dialog.get_by_role("searchbox").fill("ana")
    await dialog.get_by_role("checkbox", name="Ana").click()
    await dialog.get_by_role("button", name="Add", exact=True).click()
    await expect(window.page.get_by_text("Ana needs to accept your invitation first.")).to_be_visible(timeout=LIMIT)
    await pictured(window, "told")
    other = await open_window(node, ana)
    await expect(asked(other)).to_be_visible(timeout=LIMIT)
    await other.page.reload()
    await expect(other.page.get_by_text("Mallory invited you · 1 member")).to_be_visible(timeout=LIMIT)
