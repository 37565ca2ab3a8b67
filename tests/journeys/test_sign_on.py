"""Sign-on in the browser, through a foreign OpenID Connect provider that runs as a process of its own."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import aiohttp
from playwright.async_api import Page, expect

from tests.accounts.provider import providing, settings_of
from tests.accounts.test_proofs import forgets_proofs
from tests.cast import Cast
from tests.journeys.axe import is_clean_in_both_themes, is_sound
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT
from tests.journeys.test_accounts import enters, fits_a_phone
from tests.promises.conftest import StartNode
from tests.waiting import wait_until

ADDRESS = re.compile(r"running on (http://127\.0\.0\.1:\d+)")
ANA = {"preferred_username": "ana", "name": "Ana Ito", "email": "ana@example.com"}


@contextmanager
def mocking(folder: Path) -> Iterator[str]:
    """Run oidc-provider-mock; yield its origin."""
    log = folder / "provider.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", "0"],
            env=os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1"},
            stdout=file,
            stderr=file,
        )
    try:
        found = wait_until(lambda: ADDRESS.search(log.read_text()), limit=30)
        assert found
        yield found[1]
    finally:
        process.kill()
        process.wait()


async def knows(provider: str, subject: str, claims: dict[str, str]) -> None:
    """Give the provider a user."""
    async with aiohttp.ClientSession() as http, http.put(f"{provider}/users/{quote(subject)}", json=claims) as answer:
        assert answer.status == 204


async def confirms_at(page: Page, provider: str, subject: str) -> None:
    """Log in on the provider's page."""
    await page.wait_for_url(f"{provider}/**")
    await page.locator("input[name=sub]").fill(subject)
    await page.get_by_role("button", name="Authorize").click()


async def test_log_in_with_a_provider(
    start_node: StartNode, open_window: OpenWindow, stage: Cast, tmp_path: Path
) -> None:
    """With passwords off there is one button. It works by keyboard, returns to the page, and says what failed."""
    with mocking(tmp_path) as provider:
        await knows(provider, "u-1", ANA)
        given = {"OIDC_ISSUER": provider, "OIDC_CLIENT_ID": "tandem", "OIDC_CLIENT_SECRET": "secret"}
        node = await start_node("a1", OIDC_NAME="Keystone", PASSWORD_LOGIN="off", **given)
        window = await open_window(node, None, "/settings/security")
        page = window.page
        button = page.get_by_role("link", name="Log in with Keystone")
        await expect(button).to_be_visible(timeout=LIMIT)
        await expect(page.locator("input[name=password]")).to_have_count(0)
        await is_clean_in_both_themes(page)
        await fits_a_phone(page)
        await button.click()
        await page.wait_for_url(f"{provider}/**")
        await page.get_by_role("button", name="Deny").click()
        await expect(page.get_by_role("alert")).to_contain_text("Try again", timeout=LIMIT)  # it names no state
        await page.goto(f"{node.url}/settings/security")
        await button.focus()
        await page.keyboard.press("Enter")
        await confirms_at(page, provider, "u-1")
        await page.wait_for_url(f"{node.url}/settings/security")
        ways = page.get_by_role("region", name="How you log in")
        await expect(ways).to_contain_text("You log in with Keystone", timeout=LIMIT)
        await expect(page.get_by_label("Current password")).to_have_count(0)
        await is_sound(page, "settings")
        await logs_out_there(page, provider, node.url)
        (ada,) = await enters(stage, node, "ada", role="admin")
        board = await open_window(node, ada, "/dashboard/sign-on")
        card = board.page.get_by_role("region", name="Provider: Keystone")
        await expect(card).to_contain_text(f"{node.url}/api/oidc/callback", timeout=LIMIT)
        await expect(card).to_contain_text("No errors")
        await is_clean_in_both_themes(board.page)
        await fits_a_phone(board.page)
        assert board.errors == []


async def logs_out_there(page: Page, provider: str, home: str) -> None:
    """Log out here and at the provider, and return to the log-in page."""
    await page.goto(home)
    await page.get_by_role("button", name=re.compile("Ana Ito")).first.click()
    await page.get_by_role("menuitem", name="Log out").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Also log out of Keystone").check()
    await dialog.get_by_role("button", name="Log out").click()
    await page.wait_for_url(f"{provider}/**")
    await page.get_by_role("button", name="End session").click()
    await expect(page.get_by_role("link", name="Log in with Keystone")).to_be_visible(timeout=LIMIT)


async def test_confirm_an_identity(start_node: StartNode, open_window: OpenWindow, database_url: str) -> None:
    """A sensitive change waits while the user logs in anew at the provider, in a window of its own."""
    async with providing() as provider:
        given = {name.upper(): str(value) for name, value in settings_of(provider).items()}
        node = await start_node("a1", PASSWORD_LOGIN="off", **given)
        window = await open_window(node, None, "/settings/security")
        page = window.page
        await page.get_by_role("link", name="Log in with Keystone").click()
        await expect(page.get_by_role("region", name="How you log in")).to_be_visible(timeout=LIMIT)
        await asyncio.to_thread(forgets_proofs, database_url)
        await page.goto(f"{node.url}/settings/data")
        await page.get_by_role("link", name="Download").click()
        dialog = page.get_by_role("dialog", name="Confirm it's you")
        await expect(dialog.get_by_label("Password")).to_have_count(0, timeout=LIMIT)
        await is_sound(page, "settings")
        await fits_a_phone(page)
        async with page.expect_download() as exporting:
            await dialog.get_by_role("button", name="Confirm with Keystone").click()
        await exporting.value
        await expect(dialog).to_have_count(0)
        assert provider.asked[-1]["prompt"] == "login"
        assert window.errors == []


async def test_connect_an_account(start_node: StartNode, open_window: OpenWindow, stage: Cast, tmp_path: Path) -> None:
    """Beside passwords: ana, logged in, connects her account, and the provider then opens it."""
    with mocking(tmp_path) as provider:
        await knows(provider, "u-1", {"preferred_username": "someone"})
        given = {"OIDC_ISSUER": provider, "OIDC_CLIENT_ID": "tandem", "OIDC_CLIENT_SECRET": "secret"}
        node = await start_node("a1", OIDC_NAME="Keystone", **given)
        (ana,) = await enters(stage, node, "ana")
        window = await open_window(node, ana, "/settings/security")
        await window.page.get_by_role("button", name="Connect Keystone").click()
        await confirms_at(window.page, provider, "u-1")
        ways = window.page.get_by_role("region", name="How you log in")
        await expect(ways).to_contain_text("You log in with Keystone", timeout=LIMIT)
        other = await open_window(node, None)
        await expect(other.page.locator("input[name=password]")).to_be_visible(timeout=LIMIT)
        await is_clean_in_both_themes(other.page)
        await other.page.get_by_role("link", name="Log in with Keystone").click()
        await confirms_at(other.page, provider, "u-1")
        await other.is_live()
        cookies = {cookie["name"]: cookie["value"] for cookie in await other.page.context.cookies()}
        async with (
            aiohttp.ClientSession(cookies=cookies) as http,
            http.get(f"{node.url}/api/users/me") as answer,
        ):
            assert (await answer.json())["id"] == ana.id
