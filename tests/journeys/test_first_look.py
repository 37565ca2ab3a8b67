"""The time until a new browser shows a conversation."""

from tests.cast import Cast
from tests.journeys.browsers import OpenWindow
from tests.journeys.long_talk import fill
from tests.journeys.pages.base import Window
from tests.promises.conftest import StartNode
from tests.waiting import eventually

MOST = 5_000  # ms; the time is printed, because a machine may be busy

# From the start of the navigation to the frame after the first message was in the page.
NOTE = """new MutationObserver((_, observer) => {
    if (!document.querySelector('[role=log] article')) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => (window.painted = performance.now())));
}).observe(document, { childList: true, subtree: true });"""


async def test_messages_are_painted_soon(
    stage: Cast, start_node: StartNode, open_window: OpenWindow, database_url: str
) -> None:
    """Page, scripts, snapshot and messages all come from the node; nothing is cached."""
    node = await start_node("a1")
    ana, ben = await stage.enters("ana", "ben")
    room = await stage.share(ana, ben, name="kitchen")
    await fill(database_url, room, ana, ben)
    took = [await look(await open_window(node, ana, "/health/live"), f"/c/{room}") for _ in range(3)]
    print(f"first messages painted after {', '.join(f'{one:.0f}' for one in took)} ms")
    assert min(took) < MOST


async def look(window: Window, path: str) -> float:
    """Open it in a new browser; return the milliseconds until the first message was painted."""
    await window.page.add_init_script(NOTE)
    await window.opens(path)

    async def painted() -> bool:
        return bool(await window.page.evaluate("window.painted ?? 0"))

    await eventually(painted, 30)
    return float(await window.page.evaluate("window.painted"))
