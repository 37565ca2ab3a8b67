"""With five thousand users online, the dashboard receives and contains no more than with a few."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from playwright.async_api import Page, WebSocket, expect

from tests.cast import Cast
from tests.journeys.browsers import OpenWindow
from tests.journeys.pages.base import LIMIT
from tests.journeys.test_dashboard import enters, figure
from tests.promises.conftest import StartNode
from tests.registry.registry_nodes import open_registry_node
from tests.waiting import eventually

MANY = 5_000
PAGE = 50
ENROL = """
insert into users (name, display_name, password_hash)
select 'p' || n, 'Person ' || n, '' from generate_series(1, %s) n returning id
"""


@asynccontextmanager
async def crowd(database_url: str, redis_url: str) -> AsyncIterator[None]:
    """All users are online, on a node that only has their sockets."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        rows = await (await connection.execute(ENROL, [MANY])).fetchall()
    async with open_registry_node(database_url, redis_url, "d1", node_lease=10, presence_linger=10) as registry_node:
        for (user_id,) in rows:
            registry_node.registry.open(user_id, user_id, "socket")
        held = registry_node.registry.connected.users
        await eventually(lambda: all(one.status == "online" for one in held.values()), 60)
        yield


def bytes_told(page: Page) -> list[int]:
    """Return the length of each frame that the page receives from now on."""
    told: list[int] = []

    def hear(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: told.append(len(frame)))

    page.on("websocket", hear)
    return told


async def test_a_crowd_is_a_page_and_some_figures(
    stage: Cast, start_node: StartNode, open_window: OpenWindow, database_url: str, redis_url: str
) -> None:
    """A second's frame stays small. The list has one page at a time, and a search finds each user."""
    node = await start_node("a1")
    (ada,) = await enters(stage, node, "ada", role="admin")
    board = await open_window(node, ada, "/login-first")
    told = bytes_told(board.page)
    async with crowd(database_url, redis_url):
        await board.opens("/dashboard")
        await figure(board, "people", f"{MANY + 1:,}")
        await eventually(lambda: len(told) > 3, 30)
        assert max(told) < 2_000
        await board.opens("/dashboard/people")
        rows = board.page.locator("main li button")
        await expect(rows).to_have_count(PAGE, timeout=LIMIT)
        await board.page.get_by_role("searchbox").fill("person 4242")
        await expect(rows).to_have_count(1, timeout=LIMIT)
        await expect(rows).to_contain_text("@p4242")
    assert board.errors == []
