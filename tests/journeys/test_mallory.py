"""Mallory posts what has run scripts in other chats, through every field: in Ana's browser nothing runs."""

import json
import uuid
from pathlib import Path
from typing import Any

from tests.cast import Cast, Person
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import Window
from tests.journeys.pages.chat import enter
from tests.journeys.pages.panels import looks_for, opens_details
from tests.promises.conftest import StartNode
from tests.verbs import CONVERSATIONS, begins
from tests.waiting import eventually

PAYLOADS: list[str] = json.loads((Path(__file__).parents[2] / "web" / "app" / "markdown" / "payloads.json").read_text())
TRAP = "window.ran = []; window.pwned = () => window.ran.push(new Error().stack);"

# Elements that only a payload could make; the app's own frames and pictures are not among them.
FOREIGN = """() => [...document.querySelectorAll('[role=log] *, dialog *')].filter(one =>
    /^(script|iframe|object|embed|form|input|style|link|meta|base|video|math)$/i.test(one.tagName)
    || (one.tagName === 'IMG')
    || [...one.attributes].some(({name, value}) => /^on/i.test(name) || /^\\s*(javascript|vbscript|data):/i.test(value))
).map(one => one.outerHTML)"""
FOREIGN_BESIDE = FOREIGN.replace("[role=log] *, dialog *", "aside *, article *").replace("form|input|", "")
SHORT = "<img src=x onerror=pwned()>\"'><svg/onload=pwned()>"


async def test_no_posted_script_runs(stage: Cast, start_node: StartNode, open_window: OpenWindow) -> None:
    """Nothing runs in messages, replies, edits, names, topics and profiles, and nothing violates the real policy."""
    node = await start_node("a1")
    (ana,) = await stage.enters("ana", role="admin")
    (mallory,) = await enter(stage, node, "mallory")
    ana.at = node.url
    await mallory.call("PATCH", "/api/users/me", {"display_name": SHORT[:80], "about": PAYLOADS[0] + SHORT})
    room = await begins(mallory, "channel", "bait", ana)
    await mallory.call("PATCH", f"{CONVERSATIONS}/{room}", {"topic": SHORT})
    await posts_all(mallory, room)
    report = {"reason": SHORT}
    assert (await ana.call("POST", f"{CONVERSATIONS}/{room}/messages/1/reports", report))[0] == 201
    window = await open_window(node, ana)
    page = window.page
    foreign: list[str] = []
    page.on("request", lambda request: None if request.url.startswith(node.url) else foreign.append(request.url))
    page.on("dialog", lambda dialog: foreign.append(dialog.message))
    complaints: list[str] = []
    page.on("console", lambda told: complaints.append(told.text) if "Content Security" in told.text else None)
    await page.add_init_script(TRAP)
    await window.opens(f"/c/{room}")
    await window.is_live()
    await eventually(lambda: reads_whole(window.page), 30)
    assert await page.evaluate(FOREIGN) == []
    await page.locator("[role=log] article .name").first.click()
    await page.get_by_role("dialog", name="Profile").wait_for()
    assert await page.evaluate(FOREIGN) == []
    await page.keyboard.press("Escape")
    await looks_everywhere(window)
    links = await page.locator("[role=log] .text a").evaluate_all("all => all.map(one => [one.protocol, one.rel])")
    assert links
    assert all(protocol in ("https:", "http:", "mailto:") for protocol, _ in links)
    assert all("noopener" in rel for protocol, rel in links if protocol == "https:")
    assert await page.evaluate("ran") == foreign == complaints == window.errors == []


async def looks_everywhere(window: Window) -> None:
    """Nothing runs in a search, in the details and in reports."""
    page = window.page
    found = await looks_for(window, "pwned")
    await found.first.wait_for()
    assert await page.evaluate(FOREIGN_BESIDE) == []
    await (await opens_details(window)).get_by_text(SHORT).first.wait_for()
    assert await page.evaluate(FOREIGN_BESIDE) == []
    await page.get_by_role("link", name="Reports").click()
    await page.get_by_role("article").get_by_text(SHORT).first.wait_for()
    assert await page.evaluate(FOREIGN_BESIDE) == []
    await page.go_back()
    await page.go_back()
    await eventually(lambda: reads_whole(page), 30)


async def posts_all(mallory: Person, room: int) -> None:
    """Post each text plain and inside markup, as a message, as a reply to the one before, and as an edit."""
    drafts: list[dict[str, Any]] = []
    for payload in PAYLOADS:
        for body in (payload, f"**{payload}** > {payload}"):
            reply = {"reply_to": len(drafts)} if drafts else {}
            drafts.append({"conversation": room, "body": body, "client_id": uuid.uuid4().hex, **reply})
    for draft in drafts:
        _, said = await mallory.call("POST", "/api/chat/messages", {"messages": [draft]})
        assert said["results"][0]["status"] in (201, 422), said
    status, _ = await mallory.call("PATCH", f"{CONVERSATIONS}/{room}/messages/1", {"body": SHORT})
    assert status == 200


async def reads_whole(page: Any) -> bool:
    """Scroll up; return whether the beginning has been reached."""
    await page.get_by_role("log").evaluate("log => log.scrollTo(0, 0)")
    return bool(await page.locator("article[data-seq='1']").count())
