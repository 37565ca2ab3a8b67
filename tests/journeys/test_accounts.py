"""Accounts in the browser: a forgotten password, the user's own activity, a deleted account, and the admin's side."""

import asyncio

from playwright.async_api import Page, expect

from chat.client.node_process import NodeProcess
from tests.accounts.visitor import PASSWORD, visiting
from tests.cast import Cast, Person
from tests.journeys.axe import is_clean_in_both_themes, is_sound
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.promises.conftest import StartNode

NEW = "copper-kettle-93-indigo"
PHONE = {"width": 390, "height": 780}


async def enters(stage: Cast, node: NodeProcess, *names: str, role: str = "member") -> list[Person]:
    """Sign up users whose calls go to this node."""
    people = await stage.enters(*names, role=role)
    for person in people:
        person.at = node.url
    return people


async def fits_a_phone(page: Page) -> None:
    """Assert that nothing is wider than the screen."""
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.set_viewport_size({"width": 1100, "height": 800})


async def test_a_forgotten_password(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """An admin creates a reset link on the dashboard; its owner sets a password with it and logs in. A used link and
    half a link say what they are."""
    node = await start_node("a1")
    (ada,) = await enters(stage, node, "ada", role="admin")
    async with visiting(node.url) as ben:
        await ben.signs_up("ben")
        board = await open_window(node, ada, "/dashboard/people")
        link = await makes_link(board)
        assert link.startswith(f"{node.url}/reset#")
        bens = await open_window(node, None, link.removeprefix(node.url))
        page = bens.page
        await expect(page).to_have_url(f"{node.url}/reset")  # the secret is gone from the address bar
        await is_clean_in_both_themes(page)
        await fits_a_phone(page)
        await page.get_by_label("New password").fill("short")
        await page.get_by_role("button", name="Change password").click()
        await expect(page.get_by_label("New password")).to_have_attribute("aria-invalid", "true")
        await page.get_by_label("Show password").check()
        await page.get_by_label("New password").fill(NEW)
        await expect(page.get_by_label("New password")).to_have_attribute("type", "text")
        await page.get_by_label("New password").press("Enter")
        await expect(page.get_by_role("heading", name="Password changed")).to_be_visible(timeout=LIMIT)
        assert not await ben.is_known()
    await page.get_by_role("button", name="Log in").click()
    await page.locator("input[name=username]").fill("ben")
    await page.locator("input[name=password]").fill(NEW)
    await page.locator("form button").last.click()
    await bens.is_live()
    again = await open_window(node, None, link.removeprefix(node.url))
    await again.page.get_by_label("New password").fill(PASSWORD)
    await again.page.get_by_role("button", name="Change password").click()
    await expect(again.page.get_by_role("heading", name="This link no longer works")).to_be_visible(timeout=LIMIT)
    await again.opens("/reset")
    await expect(again.page.get_by_role("heading", name="This link is incomplete")).to_be_visible(timeout=LIMIT)
    assert board.errors == bens.errors == again.errors == []


async def opens_ben(page: Page) -> None:
    """Open the account of Ben, who is offline."""
    await page.get_by_label("Status").select_option("any")
    await page.get_by_role("searchbox").fill("ben")
    await page.get_by_role("button").filter(has_text="@ben").click()


async def makes_link(board: Window) -> str:
    """Create a link with the dialog for Ben."""
    page = board.page
    await opens_ben(page)
    await page.get_by_role("button", name="Reset password").click()
    await is_clean_in_both_themes(page)
    await page.get_by_role("button", name="Create link").click()
    field = page.get_by_label("Reset link")
    await expect(field).to_be_visible(timeout=LIMIT)
    return await field.input_value()


async def test_admins_and_the_activity_log(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """Ben becomes an admin and a member again; the activity log shows it, filtered by kind and time, and can be
    exported."""
    node = await start_node("a1")
    (ada,) = await enters(stage, node, "ada", role="admin")
    (ben,) = await enters(stage, node, "ben")
    board = await open_window(node, ada, "/dashboard/people")
    page = board.page
    for button, yes in (("Make admin", "Make admin"), ("Remove admin rights", "Remove admin rights")):
        await opens_ben(page)
        await page.get_by_role("button", name=button).click()
        await page.get_by_role("button", name=yes, exact=True).click()
        await page.get_by_role("dialog", name="Ben", exact=True).get_by_role("button", name="Close").click()
    assert (await ben.call("GET", "/api/users/me"))[0] == 401
    await page.get_by_role("link", name="Activity log").click()
    main = page.get_by_role("main")
    await page.get_by_label("Action").select_option("account.")
    await expect(main.get_by_text("Role changed")).to_have_count(2, timeout=LIMIT)
    await is_clean_in_both_themes(page)
    await fits_a_phone(page)
    await page.get_by_label("Time").select_option("1")
    await expect(main.get_by_text("Role changed")).to_have_count(2, timeout=LIMIT)
    await page.get_by_label("Action").select_option("node.")
    await expect(main).to_contain_text("No matching activity.", timeout=LIMIT)
    async with page.expect_download() as exporting:
        await page.get_by_role("link", name="Export").click()
    exported = await exporting.value
    assert exported.suggested_filename == "audit.jsonl"
    assert (await asyncio.to_thread((await exported.path()).read_text)).count("account.role") == 2
    assert board.errors == []


async def test_own_activity_and_the_end(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """A user sees failed log-ins of a stranger in the settings, then deletes the account; friends see a deleted
    user."""
    node = await start_node("a1")
    ana, ben = await enters(stage, node, "ana", "ben")
    room = await stage.share(ana, ben, name="kitchen")
    await ana.says(room, "soup is ready")
    async with visiting(node.url) as mallory:
        await mallory.logs_in("ana", "wrong-wrong-wrong")
    anas = await open_window(node, ana, "/settings/logins")
    page = anas.page
    activity = page.get_by_role("region", name="Recent security activity")
    await expect(activity.get_by_text("Failed to log in")).to_be_visible(timeout=LIMIT)
    await is_sound(page, "settings")
    await fits_a_phone(page)
    await anas.opens(f"/c/{room}")
    await anas.types("a secret draft")
    await page.wait_for_function("() => JSON.stringify(localStorage).includes('a secret draft')")
    await anas.opens("/settings/data")
    await page.get_by_role("button", name="Delete account").click()
    dialog = page.get_by_role("dialog", name="Delete your account?")
    await expect(dialog.get_by_role("button", name="Delete account")).to_be_disabled()
    await is_sound(page, "settings")
    await fits_a_phone(page)
    await dialog.get_by_label("Delete them").check()
    await dialog.get_by_label("Type ana to confirm").fill("ana")
    await dialog.get_by_role("button", name="Delete account").click()
    await expect(page.get_by_role("heading", name="Log in to Tandem")).to_be_visible(timeout=LIMIT)
    assert "a secret draft" not in await page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    bens = await open_window(node, ben, f"/c/{room}")
    await expect(bens.page.get_by_text("Deleted user").first).to_be_visible(timeout=LIMIT)
    await expect(bens.page.get_by_text("soup is ready")).to_have_count(0, timeout=LIMIT)
    assert anas.errors == bens.errors == []


async def test_the_only_owner_is_told_where(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """The deletion of the only owner is refused, and names the conversation."""
    node = await start_node("a1")
    ana, ben = await enters(stage, node, "ana", "ben")
    draft = {"kind": "channel", "name": "kitchen", "members": [ben.id]}
    assert (await ana.call("POST", "/api/chat/conversations", draft))[0] == 201
    anas = await open_window(node, ana, "/settings/data")
    await anas.page.get_by_role("button", name="Delete account").click()
    dialog = anas.page.get_by_role("dialog")
    await dialog.get_by_label("Type ana to confirm").fill("ana")
    await dialog.get_by_role("button", name="Delete account").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("kitchen", timeout=LIMIT)


async def test_the_app_in_another_language(start_node: StartNode, open_window: OpenWindow, stage: Cast) -> None:
    """The choice reloads the page with its draft, holds on the log-in page and for another device, and names errors."""
    node = await start_node("a1")
    ana, ben = await enters(stage, node, "ana", "ben")
    room = await stage.share(ana, ben, name="kitchen")
    window = await open_window(node, ana, f"/c/{room}")
    page = window.page
    await window.types("half a thought")
    await page.wait_for_function("() => JSON.stringify(localStorage).includes('half a thought')")
    await window.opens("/settings/profile")
    await page.get_by_role("combobox", name="Language").select_option("Deutsch")
    await page.get_by_role("button", name="Change language").click()
    await expect(page.get_by_role("heading", name="Einstellungen")).to_be_visible(timeout=LIMIT)
    assert await page.evaluate("document.documentElement.lang + document.documentElement.dir") == "deltr"
    await fits_a_phone(page)
    await window.opens(f"/c/{room}")
    await expect(page.get_by_role("textbox", name="Nachricht")).to_have_value("half a thought", timeout=LIMIT)
    await fits_a_phone(page)
    phone = await open_window(node, ana)
    await expect(phone.page.get_by_role("button", name="Senden", exact=True)).to_be_visible(timeout=LIMIT)
    await page.get_by_role("button", name="Dein Konto").click()
    await page.get_by_role("menuitem", name="Abmelden").click()
    await page.get_by_role("dialog").get_by_role("button", name="Abmelden").click()
    await page.get_by_label("Benutzername").fill("ana")
    await page.get_by_label("Passwort").fill("a wrong password")
    await page.get_by_role("button", name="Anmelden", exact=True).click()
    await expect(page.get_by_text("Falscher Name oder falsches Passwort.")).to_be_visible(timeout=LIMIT)
    assert window.errors == phone.errors == []
