"""The sidebar with 500 channels and 500 direct messages: `python -m tests.journeys.many_conversations FOLDER`.

It measures the longest tasks of the page while it loads, is scrolled, and receives messages, and takes pictures of the
list. It exits with 1 if a task after loading takes more than 90 ms.
"""

import argparse
import sys
from pathlib import Path

import psycopg
from playwright.async_api import Page, expect

from tests.journeys.browsers import launching
from tests.journeys.pictures.stage import Stage, setting_the_stage

MOST = 90  # ms of one task
MESSAGES = 600
MANY = """
with people as (
    insert into users (name, display_name, password_hash, role)
    select 'person.' || n, 'Person ' || n, '', 'member' from generate_series(1, 500) n returning id, name),
channels as (
    insert into conversations (kind, name, look_key, skeleton)
    select 'channel', 'project ' || n, 'project ' || n, 'project ' || n from generate_series(1, 500) n returning id),
pairs as (
    insert into conversations (kind, name, private, pair)
    select 'direct', '', true, least(id, %(ana)s) || ':' || greatest(id, %(ana)s) from people returning id, pair)
insert into memberships (conversation_id, user_id, since)
select id, user_id, 0 from channels cross join (values (%(ana)s), (%(ben)s)) as both (user_id)
 union all
select p.id, u.id, 0 from pairs p cross join lateral (select %(ana)s as id union all
       select s.id from people s where p.pair = least(s.id, %(ana)s) || ':' || greatest(s.id, %(ana)s)) u
"""
WATCH = """window.tasks = [];
new PerformanceObserver(list => list.getEntries().forEach(one => tasks.push(Math.round(one.duration))))
    .observe({ type: 'longtask', buffered: true });"""
TAKE = "() => tasks.splice(0)"
SCROLL = """async nav => {
    for (let top = 0; top < nav.scrollHeight; top += 400) {
        nav.scrollTop = top;
        await new Promise(painted => requestAnimationFrame(() => setTimeout(painted)));
    }
    return [nav.querySelectorAll('li').length, nav.scrollHeight];
}"""


async def measure(stage: Stage, folder: Path) -> int:
    """Return 0 if no task was too long."""
    ana, ben = stage.people["ana"], stage.people["ben"]
    database = stage.nodes[0].settings["DATABASE_URL"]
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(MANY, {"ana": ana.id, "ben": ben.id})
    async with launching() as browser:
        context = await browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
        await context.add_cookies(stage.cookies_of("ana"))  # type: ignore[arg-type]
        page = await context.new_page()
        await page.add_init_script(WATCH)
        await page.goto(stage.url + "/c/1")
        await page.get_by_role("navigation").get_by_role("link").first.wait_for()
        await expect(page.get_by_test_id("connection")).to_have_text("Live")
        loading = await settled(page)
        await page.screenshot(path=folder / "many.png")
        rows, height = await page.get_by_role("navigation").evaluate(SCROLL)
        scrolling = await settled(page)
        _, listed = await ana.call("GET", "/api/chat/conversations")
        rooms = [one["id"] for one in listed["conversations"] if one["name"].startswith("project")]
        for number in range(MESSAGES):
            await ben.says(rooms[number % len(rooms)], f"message {number}")
        messages = await settled(page)
        await page.get_by_role("navigation").evaluate("nav => (nav.scrollTop = 3000)")
        await page.screenshot(path=folder / "many-unread.png")
    print(f"{rows} of 1,000 rows in the page, list {height} px high")
    for name, tasks in (("loading", loading), ("scrolling", scrolling), (f"{MESSAGES} messages", messages)):
        print(f"{name}: tasks over 50 ms: {sorted(tasks, reverse=True) or 'none'}")
    return int(max([0, *scrolling, *messages]) > MOST)


async def settled(page: Page) -> list[int]:
    """Return the long tasks so far, once the page is idle."""
    await page.evaluate("() => new Promise(idle => requestIdleCallback(() => requestIdleCallback(idle)))")
    return list(await page.evaluate(TAKE))


def main() -> None:
    """Run the command that the module's docstring describes."""
    parser = argparse.ArgumentParser(prog="python -m tests.journeys.many_conversations", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    sys.exit(setting_the_stage(lambda stage: measure(stage, folder)))


if __name__ == "__main__":
    main()
