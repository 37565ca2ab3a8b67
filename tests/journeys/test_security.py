"""Security settings in the browser: an authenticator app, passkeys, recovery codes, confirmation, and what log-out
leaves."""

import os
import re

import psycopg
import pyotp
from playwright.async_api import Locator, expect

from tests.accounts.factors import waits_for_next_code
from tests.accounts.test_proofs import forgets_proofs
from tests.accounts.visitor import PASSWORD
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.promises.conftest import StartNode
from tests.waiting import eventually

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


async def sketches(window: Window, name: str) -> None:
    """Take a picture if SKETCHES names a folder."""
    if folder := os.environ.get("SKETCHES"):
        await window.page.screenshot(path=f"{folder}/{name}.png")


async def has_passkey_device(window: Window) -> None:
    """Give the browser a device that stores passkeys and recognizes its user."""
    session = await window.page.context.new_cdp_session(window.page)
    await session.send("WebAuthn.enable")
    await session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})


async def opens_security(window: Window) -> Locator:
    """Open the settings of the second factor."""
    await window.opens("/settings/security")
    section = window.page.get_by_role("region", name="Two-step verification")
    await section.get_by_text("Authenticator app", exact=True).wait_for()
    return section


async def logs_out(window: Window) -> None:
    """Log out with the account menu."""
    await window.page.get_by_role("button", name="Your account").click()
    await window.page.get_by_role("menuitem", name="Log out").click()


async def is_at_the_door(window: Window) -> None:
    """Wait for the first screen."""
    await expect(window.page.get_by_role("heading", name="Log in to Tandem")).to_be_visible(timeout=LIMIT)


async def confirms_identity(window: Window) -> None:
    """Confirm with a wrong password first, which is refused."""
    dialog = window.page.get_by_role("dialog", name="Confirm it's you")
    await dialog.get_by_label("Password").fill("not-my-password")
    await dialog.get_by_role("button", name="Confirm").click()
    await expect(dialog.get_by_role("alert")).to_have_text("That isn't your current password.", timeout=LIMIT)
    await sketches(window, "confirm")
    await dialog.get_by_label("Password").fill(PASSWORD)
    await dialog.get_by_label("Password").press("Enter")
    await expect(dialog).to_be_hidden(timeout=LIMIT)


async def turns_on_app(window: Window, section: Locator) -> pyotp.TOTP:
    """Read the key beside the QR code and enter a first code."""
    form = section.get_by_role("form", name="Set up an authenticator app")
    picture = form.get_by_role("img", name=re.compile("QR code"))
    await expect(picture).to_be_visible(timeout=LIMIT)
    assert await picture.evaluate("image => image.naturalWidth > 100"), "the CSP lets the picture through"
    await sketches(window, "authenticator")
    app = pyotp.TOTP((await form.locator("code").inner_text()).replace(" ", ""))
    await form.get_by_label("Code from the app").fill(app.now())
    await form.get_by_role("button", name="Turn on").click()
    return app


async def test_an_authenticator_app_and_recovery_codes(
    start_node: StartNode, open_window: OpenWindow, database_url: str
) -> None:
    """Ana turns the app on, confirms her identity first, saves her codes, and logs in with both."""
    node = await start_node("a1")
    window = await open_window(node)
    await window.signs_up("ana", PASSWORD)
    section = await opens_security(window)
    forgets_proofs(database_url)
    await section.get_by_role("button", name="Set up an authenticator app").click()
    await confirms_identity(window)
    app = await turns_on_app(window, section)
    codes = section.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    await expect(codes).to_have_count(10, timeout=LIMIT)
    await sketches(window, "recovery-codes")
    first = await codes.first.inner_text()
    async with window.page.expect_download() as saved:
        await section.get_by_role("button", name="Download").click()
    assert first in (await (await saved.value).path()).read_text()
    await section.get_by_role("button", name="I saved them").click()
    await expect(codes).to_have_count(0, timeout=LIMIT)
    for second, label in ((app, "Code from your authenticator app"), (first, "Recovery code")):
        await logs_out(window)
        await is_at_the_door(window)
        await window.logs_in("ana", PASSWORD)
        if isinstance(second, str):
            await window.page.get_by_role("button", name="Use a recovery code").click()
        waits_for_next_code(database_url)
        field = window.page.get_by_label(label)
        await field.fill(second if isinstance(second, str) else second.now())
        await sketches(window, f"second-step-{label.split()[0].lower()}")
        await field.press("Enter")
        await window.is_live()
    assert window.errors == []


async def test_passkeys(start_node: StartNode, open_window: OpenWindow) -> None:
    """Ben adds a passkey, renames it, logs in with it alone, then with password and passkey, and removes it."""
    node = await start_node("a1")
    node.url = f"http://localhost:{node.port}"  # passkeys belong to a name, not to an address
    window = await open_window(node)
    await has_passkey_device(window)
    await window.signs_up("ben", PASSWORD)
    section = await opens_security(window)
    await section.get_by_role("button", name="Add a passkey").click()
    await section.get_by_role("button", name="I saved them").click()
    await section.get_by_role("button", name=re.compile("^Rename")).click()
    await section.get_by_label("Passkey name").fill("My laptop")
    await section.get_by_label("Passkey name").press("Enter")
    await expect(section.get_by_role("list", name="Passkeys")).to_contain_text("My laptop", timeout=LIMIT)
    await sketches(window, "passkeys")
    await logs_out(window)
    await is_at_the_door(window)
    await sketches(window, "door")
    await window.page.get_by_role("button", name="Log in with a passkey").click()
    await window.is_live()
    await logs_out(window)
    await is_at_the_door(window)
    await window.logs_in("ben", PASSWORD)
    await window.page.get_by_role("button", name="Use a passkey").click()
    await window.is_live()
    section = await opens_security(window)
    await section.get_by_role("button", name="Remove My laptop").click()
    await expect(section.get_by_role("list", name="Passkeys").get_by_role("listitem")).to_have_count(0, timeout=LIMIT)
    assert window.errors == []


async def test_admins_are_told_that_they_need_one(
    start_node: StartNode, open_window: OpenWindow, database_url: str
) -> None:
    """A banner leads admins to the settings, and disappears once there is a second factor."""
    node = await start_node("a1", ADMIN_MFA="required")
    window = await open_window(node)
    await window.signs_up("root", PASSWORD)
    with psycopg.connect(database_url) as connection:
        connection.execute("update users set role = 'admin'")
    await logs_out(window)
    await is_at_the_door(window)
    await window.logs_in("root", PASSWORD)
    banner = window.page.get_by_role("region", name="Second step required")
    await sketches(window, "banner")
    await banner.get_by_role("link", name="Set it up").click()
    section = window.page.get_by_role("region", name="Two-step verification")
    await section.get_by_role("button", name="Set up an authenticator app").click()
    secret = await section.locator("code").inner_text()
    await section.get_by_label("Code from the app").fill(pyotp.TOTP(secret.replace(" ", "")).now())
    await section.get_by_role("button", name="Turn on").click()
    await expect(banner).to_be_hidden(timeout=LIMIT)
    assert window.errors == []


KEPT = """async () => {
    const databases = await indexedDB.databases();
    const counts = await Promise.all(databases.map(({ name }) => new Promise(resolve => {
        const request = indexedDB.open(name);
        request.onsuccess = () => {
            const store = request.result.transaction('outbox').objectStore('outbox').count();
            store.onsuccess = () => (request.result.close(), resolve(store.result));
        };
    })));
    const keys = Object.keys(localStorage).filter(key => key !== 'tandem.look');
    return [counts.reduce((sum, count) => sum + count, 0), keys];
}"""


async def test_logging_out_leaves_nothing(start_node: StartNode, open_window: OpenWindow) -> None:
    """Chloe has a draft and an unsent message: logging out warns her, and the app then leaves nothing of them.

    tests/accounts/test_cookies.py checks that the server tells the browser to clear its storage too.
    """
    node = await start_node("a1")
    window = await open_window(node)
    await window.signs_up("chloe", PASSWORD)
    await window.creates_channel("garden")
    await window.page.route("**/messages", lambda route: route.abort())
    await window.says("never sent")
    await window.types("only begun")
    # As over plain HTTP, where browsers ignore Clear-Site-Data.
    await window.page.route("**/api/sessions/current", lambda route: route.fulfill(status=204))

    async def is_kept() -> bool:
        count, keys = await window.page.evaluate(KEPT)
        return bool(count == 1 and any(key.startswith("tandem.draft.") for key in keys))

    await eventually(is_kept)
    await logs_out(window)
    dialog = window.page.get_by_role("dialog", name="Log out?")
    await expect(dialog).to_contain_text("You have 1 unsent message and 1 draft on this device.", timeout=LIMIT)
    await sketches(window, "log-out")
    await dialog.get_by_role("button", name="Log out").click()
    await is_at_the_door(window)
    assert await window.page.evaluate(KEPT) == [0, []]
    assert window.errors == []


async def test_the_page_never_sees_the_token(start_node: StartNode, open_window: OpenWindow) -> None:
    """Signing up, logging in and a new password work without the token; the page continues with the new cookie."""
    node = await start_node("a1")
    window = await open_window(node)
    bodies: list[str] = []

    async def reads(response) -> None:  # type: ignore[no-untyped-def]
        if "/api/" in response.url and response.request.method in ("POST", "PUT"):
            bodies.append(await response.text())

    window.page.on("response", reads)
    await window.signs_up("dora", PASSWORD)
    await window.opens("/settings/security")
    await window.page.get_by_label("Current password").fill(PASSWORD)
    await window.page.get_by_label("New password").fill("copper-kettle-93-indigo")
    await window.page.get_by_role("button", name="Change password").click()
    await expect(window.page.get_by_text("Password changed")).to_be_visible(timeout=LIMIT)
    await window.opens("/")
    await window.is_live()
    cookies = await window.page.context.cookies()
    (token,) = [cookie["value"] for cookie in cookies if cookie["name"] == "tandem"]
    assert bodies
    assert not any('"token"' in body or token in body for body in bodies)
    assert window.errors == []
