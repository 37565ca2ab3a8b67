"""Actions of users on files in a window, one verb each."""

from base64 import b64encode

from playwright.async_api import Locator, Route, expect

from tests.files.sending import picture
from tests.journeys.pages.base import LIMIT, Window

# A drop or a paste, as the browser makes it for files.
BRINGS = """(element, [how, files]) => {
    const data = new DataTransfer();
    for (const [name, type, base64] of files) {
        const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
        data.items.add(new File([bytes], name, { type }));
    }
    const options = { bubbles: true, cancelable: true, composed: true };
    if (how === 'paste')
        element.dispatchEvent(new ClipboardEvent('paste', { ...options, clipboardData: data }));
    else for (const name of ['dragenter', 'dragover', 'drop'])
        element.dispatchEvent(new DragEvent(name, { ...options, dataTransfer: data }));
}"""
Given = tuple[str, str, bytes]  # name, type, content
RED: Given = ("red.png", "image/png", picture((1200, 800)))
TALL: Given = ("tall.jpg", "image/jpeg", picture((300, 900), "JPEG"))
NOTES: Given = ("notes.txt", "text/plain", b"remember the milk")


async def brings(window: Window, how: str, *files: Given) -> None:
    """Drop files onto the conversation, or paste them into the message field."""
    talk, field = window.page.get_by_role("log", name="Messages in"), window.page.get_by_label("Message", exact=True)
    listed = [[name, kind, b64encode(data).decode()] for name, kind, data in files]
    await (field if how == "paste" else talk).evaluate(BRINGS, [how, listed])


async def picks(window: Window, *files: Given) -> None:
    """Pick files with the paper clip."""
    chosen = [{"name": name, "mimeType": kind, "buffer": data} for name, kind, data in files]
    async with window.page.expect_file_chooser() as asked:
        await window.page.get_by_role("button", name="Attach files").first.click()
    await (await asked.value).set_files(chosen)  # type: ignore[arg-type]


def tray(window: Window) -> Locator:
    """Return the files that are about to be sent."""
    return window.page.get_by_role("list", name="Files to send").first.locator("li")


async def has_up(window: Window, *names: str) -> None:
    """Wait until exactly these files are uploaded."""
    await expect(tray(window)).to_have_count(len(names), timeout=LIMIT)
    for name in names:
        await expect(tray(window).filter(has_text=name)).to_have_attribute("data-state", "done", timeout=LIMIT)


class Line:
    """The network of one window, which can be cut for uploads."""

    def __init__(self, window: Window) -> None:
        self._page = window.page
        self._left = 0
        self.cut = False

    async def holds_after(self, pieces: int) -> None:
        """Let so many pieces pass, then none."""
        self._left = pieces
        await self._page.route("**/api/files/*", self._decide)

    async def _decide(self, route: Route) -> None:
        if route.request.method == "PATCH":
            if self._left <= 0:
                self.cut = True
                await route.abort("connectionreset")
                return
            self._left -= 1
        await route.continue_()

    async def heals(self) -> None:
        """Let everything pass again; the browser reports that it is online."""
        await self._page.unroute("**/api/files/*")
        await self._page.evaluate("dispatchEvent(new Event('online'))")


async def is_seen(picture: Locator) -> bool:
    """Return whether the picture has loaded, in the place that was kept for it."""
    return bool(await picture.evaluate("img => img.complete && img.naturalWidth > 0 && img.width > 0"))


async def shape(picture: Locator) -> float:
    """Return width over height as laid out, loaded or not."""
    box = await picture.bounding_box()
    assert box
    return box["width"] / box["height"]
