"""An assistant writes while Ana and Ben read: the text grows in its place, and Ben stops it."""

from collections.abc import Iterator

from playwright.async_api import expect

from tests.cast import Cast, Person
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT, Window
from tests.journeys.pages.chat import enter, message, show_alike
from tests.promises.conftest import StartNode
from tests.verbs import CONVERSATIONS, begins, pages
from tests.waiting import eventually

RECIPE = """# Soup for {n}
Wash the **leek**, cut it into `rings`, and fry it 🥬.

```python
def cook(minutes):

    return "soup" * minutes
```
- one potato
- two carrots

| What | Grams |
|---|---|
| Salt | 4 |

"""
COURSES = 12
PIECE = 60  # characters
TEXT = "".join(RECIPE.format(n=n) for n in range(1, COURSES + 1))

# Keeps the finished blocks of a message, and counts the elements that are added to it.
WATCH = """row => {
    const text = row.querySelector('[data-testid=text]');
    window.kept = [...text.children].slice(0, 5);
    window.added = 0;
    const count = node => node.nodeType === 1 ? 1 + node.querySelectorAll('*').length : 0;
    new MutationObserver(changes => {
        for (const { addedNodes } of changes) for (const node of addedNodes) window.added += count(node);
    }).observe(text, { childList: true, subtree: true });
}"""
SAME = """row => {
    const now = row.querySelector('[data-testid=text]').children;
    return kept.length === 5 && kept.every((node, n) => node === now[n] && node.isConnected);
}"""
# Keeps what is announced to screen readers.
HEAR = """status => {
    window.told = [];
    new MutationObserver(() => status.textContent && told.push(status.textContent)).observe(
        status, { childList: true, characterData: true, subtree: true });
}"""
TOP = "row => Math.round(row.getBoundingClientRect().top)"
RESTS = "row => row.before === (row.before = row.getBoundingClientRect().top)"
AT_END = "log => log.scrollHeight - log.scrollTop - log.clientHeight < 2"


class Assistant:
    """A person whose program streams messages."""

    def __init__(self, person: Person, conversation: int) -> None:
        self.person, self.conversation = person, conversation
        self.seq = self.length = self.appends = 0
        self.cursor = ""

    async def begins(self) -> None:
        """Post a message without text."""
        _, seen = await self.person.call("GET", CONVERSATIONS)
        self.cursor = seen["cursor"]
        draft = {"body": "", "client_id": "soup", "streaming": True}
        status, posted = await self.person.call("POST", f"{CONVERSATIONS}/{self.conversation}/messages", draft)
        assert status == 201, posted
        self.seq = posted["message"]["seq"]

    async def call(self, what: str, body: dict[str, object]) -> dict[str, object]:
        """Append to the message, or finish it."""
        path = f"{CONVERSATIONS}/{self.conversation}/messages/{self.seq}/{what}"
        status, answer = await self.person.call("POST", path, body)
        assert status == 200, answer
        return dict(answer)

    async def writes(self, texts: Iterator[str], until: int) -> None:
        """Append pieces of the text, until it has so many characters."""
        while self.length < until:
            text = next(texts)
            await self.call("append", {"at": self.length, "text": text})
            self.length += len(text)
            self.appends += 1

    async def is_asked_to_stop(self) -> bool:
        """Return whether a reader has asked, as the author's stream tells."""
        path = f"/api/chat/stream?poll=1&after={self.cursor}"
        status, answer = await self.person.call("GET", path)
        assert status == 200, answer
        self.cursor = answer["cursor"]
        wanted = {"conversation": self.conversation, "seq": self.seq}
        return any(one["event"] == "stop" and one["data"].items() >= wanted.items() for one in answer["events"])


async def test_a_text_grows_and_is_stopped(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """Finished blocks keep their elements, readers keep their places, and the end is announced once."""
    node = await start_node("a1")
    ana, ben, chloe = await enter(stage, node, "ana", "ben", "chloe")
    room = await begins(ana, "channel", "kitchen", ben, chloe)
    for n in range(1, 31):
        await ana.says(room, f"number {n}")
    one, two = [await open_window(node, person, f"/c/{room}") for person in (ana, ben)]
    for window in (one, two):
        await window.is_live()
        await message(window, 30).wait_for()
    await one.page.get_by_test_id("announced").evaluate(HEAR)
    assistant = Assistant(chloe, room)
    await assistant.begins()
    await grows(assistant, one, two)
    assert await one.page.evaluate("told") == []
    await stops(two, assistant)
    await assistant.call("finish", {"state": "cancelled"})
    for window in (one, two):
        note = message(window, assistant.seq).get_by_text("Stopped before the end.")
        await expect(note).to_be_attached(timeout=LIMIT)
    await eventually(lambda: one.page.evaluate("told.length === 1"), 30)
    assert (await one.page.evaluate("told"))[0].startswith("Chloe: Soup for 1 Wash the leek")
    assert await message(one, assistant.seq).evaluate(SAME)
    await show_alike(one, two)
    stored = (await pages(ana, room, "limit=1"))["messages"][0]
    assert (stored["body"], stored["state"]) == (TEXT[: assistant.length], "cancelled")
    assert one.errors == two.errors == []


async def grows(assistant: Assistant, at_end: Window, above: Window) -> None:
    """Let the text grow while one reader follows it, and another one reads what is above it."""
    texts = iter([TEXT[at : at + PIECE] for at in range(0, len(TEXT), PIECE)])
    row = message(at_end, assistant.seq)
    await expect(row.get_by_text("Writing…")).to_be_visible(timeout=LIMIT)
    await assistant.writes(texts, 2 * len(RECIPE))
    await expect(row.get_by_role("heading", name="Soup for 2")).to_be_visible(timeout=LIMIT)
    await expect(row.locator(".hljs-keyword").first).to_be_visible(timeout=LIMIT)
    await row.evaluate(WATCH)
    await above.page.get_by_role("log").evaluate("log => log.scrollTo(0, log.scrollTop / 2)")
    place = message(above, 15)
    await eventually(lambda: place.evaluate(RESTS), 30)
    top, before = await place.evaluate(TOP), assistant.appends
    await assistant.writes(texts, (COURSES - 1) * len(RECIPE))
    await expect(row.get_by_role("heading", name=f"Soup for {COURSES - 2}")).to_be_visible(timeout=LIMIT)
    await eventually(lambda: at_end.page.get_by_role("log").evaluate(AT_END), 30)
    assert await place.evaluate(TOP) == top
    assert await row.evaluate(SAME)
    # a text of which all is rendered again adds hundreds of elements for each append
    assert await at_end.page.evaluate("added") < 60 * (assistant.appends - before)
    assert await row.locator("[aria-busy=true]").count() == 1


async def stops(window: Window, assistant: Assistant) -> None:
    """Stop the assistant with the keyboard."""
    await window.page.get_by_label("Message", exact=True).focus()
    row = message(window, assistant.seq)
    await row.focus()
    await window.page.keyboard.press("s")
    await expect(row.get_by_text("Stopping…")).to_be_attached(timeout=LIMIT)
    await expect(row.get_by_role("button", name="Stop")).to_have_count(0)
    await eventually(assistant.is_asked_to_stop, 30)
