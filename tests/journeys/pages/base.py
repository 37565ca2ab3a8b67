"""A window: what one user does and sees in the browser, by the names on the page."""

from playwright.async_api import Page, expect

SEEN = """rows => rows.map(row => [
    row.dataset.seq ? Number(row.dataset.seq) : null,
    row.querySelector('p[dir=auto]')?.textContent ?? null,
])"""
Seen = tuple[int | None, str | None]
LIMIT = 30_000  # ms


class Window:
    """One page of the app. It records every load and every error, so that a test can assert that there were none."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.loads = 0
        self.errors: list[str] = []
        page.set_default_timeout(LIMIT)
        page.on("domcontentloaded", self._loaded)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _loaded(self, _: object) -> None:
        self.loads += 1

    async def opens(self, path: str = "/") -> None:
        """Open this page."""
        await self.page.goto(self.url + path)

    async def signs_up(self, name: str, password: str) -> None:
        """Sign up on the first screen."""
        await self.page.get_by_role("button", name="Sign up").click()
        await self.page.get_by_label("Username", exact=True).fill(name)
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_role("button", name="Sign up").click()
        await self.is_live()

    async def logs_in(self, name: str, password: str) -> None:
        """Log in on the first screen, or assert that it reports the failure."""
        await self.page.get_by_label("Username", exact=True).fill(name)
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_role("button", name="Log in", exact=True).click()

    async def is_live(self) -> None:
        """Wait until the app says that it is connected."""
        await expect(self.page.get_by_test_id("connection")).to_have_text("Live", timeout=LIMIT)

    async def is_cut_off(self) -> None:
        """Wait until the app says that it is not connected."""
        await expect(self.page.get_by_test_id("connection")).not_to_have_text("Live", timeout=LIMIT)

    async def creates_channel(self, name: str) -> None:
        """Create a channel with the menu beside the channels."""
        await self.page.get_by_role("button", name="Add channels").click()
        await self.page.get_by_role("menuitem", name="Create channel").click()
        dialog = self.page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill(name)
        await dialog.get_by_role("button", name="Create channel").click()
        await self.reads(name)
        await expect(dialog).to_be_hidden(timeout=LIMIT)  # the stream may be faster than the answer

    async def joins_channel(self, name: str) -> None:
        """Join a channel from the directory."""
        await self.page.get_by_role("button", name="Add channels").click()
        await self.page.get_by_role("menuitem", name="Browse channels").click()
        await self.page.get_by_role("button", name=f"Join {name}").click()
        await self.reads(name)

    async def chooses(self, name: str) -> None:
        """Choose a conversation from the list."""
        titled = self.page.get_by_text(name, exact=True)
        await self.page.get_by_role("navigation").get_by_role("link").filter(has=titled).click()
        await self.reads(name)

    async def reads(self, name: str) -> None:
        """Wait until the conversation is open."""
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(name, timeout=LIMIT)

    async def types(self, text: str) -> None:
        """Type the beginning of a message."""
        await self.page.get_by_label("Message", exact=True).fill(text)

    async def says(self, text: str) -> None:
        """Type and send a message."""
        await self.types(text)
        await self.page.get_by_label("Message", exact=True).press("Enter")

    async def rewrites(self, text: str) -> None:
        """Change the text of the message that is being edited in its place."""
        await self.page.get_by_role("textbox", name="Edit message").fill(text)

    async def edits_last(self, text: str) -> None:
        """Edit the user's last message in its place, and save it."""
        await self.page.get_by_label("Message", exact=True).press("ArrowUp")
        await self.rewrites(text)
        await self.page.get_by_role("textbox", name="Edit message").press("Enter")

    async def draft(self) -> str:
        """Return the text of the message field."""
        return await self.page.get_by_label("Message", exact=True).input_value()

    async def seen(self) -> list[Seen]:
        """Return all messages on the page, from top to bottom: `(seq, text)`; an unsent message has no seq."""
        rows = await self.page.locator("[role=log] article").evaluate_all(SEEN)
        return [(seq, text) for seq, text in rows]
