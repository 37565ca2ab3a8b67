"""First run: an empty server, its set-up link, a team, an invitation, a second person on a phone; then they talk."""

import asyncio

from playwright.async_api import Page, expect

from chat.cli.accounts import add_setup_link
from tests.accounts.visitor import PASSWORD
from tests.journeys.axe import is_clean_in_both_themes, is_sound
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.test_invitations import PHONE, pictured
from tests.promises.conftest import StartNode


async def signs_up(page: Page, username: str, shown: str) -> None:
    """Fill in the fields of a new account."""
    await page.get_by_label("Display name (optional)").fill(shown)
    await page.get_by_label("Username", exact=True).fill(username)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)


async def sets_up(window: Window) -> None:
    """Make the owner's account and name the team."""
    page = window.page
    await expect(page).to_have_url(f"{window.url}/setup")  # the secret is gone from the address bar
    await page.get_by_label("Team name").fill("Acme")
    await signs_up(page, "ana", "Ana Duarte")
    await is_clean_in_both_themes(page)
    await pictured(window, "setup")
    await page.get_by_role("button", name="Set up").click()
    await window.is_live()
    await expect(page).to_have_title("People · Acme")
    await expect(page.get_by_role("heading", name="Invite link")).to_be_visible(timeout=LIMIT)
    await expect(page.get_by_role("navigation").get_by_role("link", name="general")).to_be_visible(timeout=LIMIT)


async def invites(window: Window) -> str:
    """Create a link for ten accounts; return its path."""
    page = window.page
    await page.get_by_role("button", name="Create link", exact=True).click()
    link = await page.get_by_role("textbox", name="Invite link").input_value()
    await is_sound(page, "invite")
    await pictured(window, "invite")
    assert link.startswith(f"{window.url}/join#")
    return link.removeprefix(window.url)


async def joins(window: Window) -> None:
    """Sign up on a phone, with the link that Ana has sent."""
    page = window.page
    await page.set_viewport_size(PHONE)
    await expect(page.get_by_role("heading", name="Join Acme")).to_be_visible(timeout=LIMIT)
    await expect(page.get_by_text("Ana Duarte invited you to Acme.")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await is_clean_in_both_themes(page)
    await pictured(window, "join-phone")
    await signs_up(page, "ben", "Ben Okafor")
    await page.get_by_role("button", name="Sign up").click()
    await window.is_live()
    await window.chooses("general")


async def manages(window: Window) -> None:
    """See who came, make Ben an admin, and rename the team."""
    page = window.page
    await page.get_by_role("button", name="Your account").click()
    await page.get_by_role("menuitem", name="People", exact=True).click()
    row = page.get_by_role("article", name="Ben Okafor")
    await expect(row).to_contain_text("invited by Ana Duarte", timeout=LIMIT)
    await is_sound(page, "people")
    await row.get_by_role("button", name="Actions for Ben Okafor").click()
    await pictured(window, "people")
    await page.get_by_role("menuitem", name="Make admin").click()
    await page.get_by_role("dialog").get_by_role("button", name="Make admin").click()
    await expect(row.get_by_text("Admin", exact=True)).to_be_visible(timeout=LIMIT)
    await page.get_by_role("link", name="Invite people").click()
    await expect(page.get_by_text("Ben Okafor joined")).to_be_visible(timeout=LIMIT)
    await page.get_by_role("link", name="Team settings").click()
    await page.get_by_label("Team name").fill("Acme Two")
    await pictured(window, "team-settings")
    await is_sound(page, "team settings")
    await page.get_by_role("button", name="Save").click()
    await expect(page).to_have_title("People · Acme Two", timeout=LIMIT)


async def test_from_an_empty_server_to_a_talk(
    database_url: str, start_node: StartNode, open_window: OpenWindow
) -> None:
    """Ana follows the link, names the team and invites; Ben joins on a phone; both read each other in #general."""
    node = await start_node("a1")
    path, _ = await asyncio.to_thread(add_setup_link, database_url)
    ana = await open_window(node, None, path)
    await sets_up(ana)
    ben = await open_window(node, None, await invites(ana))
    await joins(ben)
    await ben.says("Hello from my phone")
    await ana.chooses("general")
    await expect(ana.page.get_by_text("Hello from my phone")).to_be_visible(timeout=LIMIT)
    await ana.says("Welcome, Ben")
    await expect(ben.page.get_by_text("Welcome, Ben", exact=True)).to_be_visible(timeout=LIMIT)
    await pictured(ben, "talk-phone")
    await manages(ana)

    late = await open_window(node, None, path)
    await late.page.get_by_label("Team name").fill("Mallory's")
    await signs_up(late.page, "mallory", "Mallory")
    await late.page.get_by_role("button", name="Set up").click()
    await expect(late.page.get_by_role("heading", name="This link no longer works")).to_be_visible(timeout=LIMIT)
    assert not ana.errors + ben.errors + late.errors
