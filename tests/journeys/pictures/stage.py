"""Fixture of the pictures: two nodes, the demo's users and messages, some users online, a month of figures."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import psycopg

from chat.client.node_process import NodeProcess
from chat.local.demo import PASSWORD, USERS, fill_empty
from chat.local.engine import ValkeyEngine
from chat.local.postgres import PostgresEngine
from chat.migrations import migrate
from chat.shared.settings import read_settings
from chat.tools.chaos.environment import make_node
from tests.cast import Person
from tests.files.sending import picture, sends
from tests.presence.presence_client import PresenceClient, open_presence
from tests.verbs import answers, begins

HERE = {"ben": 0, "chloe": 0, "emi": 1, "farid": 1, "lena": 1}  # on which node

# Figures of a working day, so that the charts have a curve.
MONTH = """
with days as (
    select n, minute, extract(isodow from minute) > 5 as weekend,
           greatest(0, sin((extract(epoch from minute)::bigint % 86400 - 25200) / 43200.0 * pi())) as height
      from generate_series(0, 43199) n
     cross join lateral (select date_trunc('minute', now()) - make_interval(mins => 43200 - n) as minute) m),
figures as (select *, height * case when weekend then 12 else 60 end + 2 + 1.5 * sin(n / 9.0) as people from days)
insert into presence_stats (minute, people, online, away, dnd, streams, sockets, nodes, reaped, joins, leaves)
select minute, people * 1.4 + 6, people, people * 0.3 + 4, people * 0.1 + 2, people * 3, people * 2, 2, 0,
       sum(people * 0.2) over (order by n), sum(people * 0.2) over (order by n) - people
  from figures
"""


class Stage:
    """`people` by name, each with a session; `url` of the first node; `pictured`: the message with a picture.
    `sockets`: their presence sockets."""

    def __init__(self, nodes: list[NodeProcess], people: dict[str, Person]) -> None:
        self.nodes, self.people = nodes, people
        self.url, self.pictured = nodes[0].url, ""
        self.sockets: dict[str, PresenceClient] = {}

    def cookies_of(self, name: str) -> list[dict[str, object]]:
        """Return the cookies that log a browser in as this user; a visitor has none."""
        if not name:
            return []
        token = self.people[name].token
        return [{"name": "tandem", "value": token, "url": self.url, "httpOnly": True, "sameSite": "Lax"}]


def setting_the_stage(play: Callable[[Stage], Awaitable[int]]) -> int:
    """Start servers, nodes and users, run the block, and stop everything."""
    with (
        tempfile.TemporaryDirectory(prefix="tandem-pictures-") as folder,
        PostgresEngine(Path(folder) / "postgres") as postgres,
        ValkeyEngine(Path(folder) / "valkey") as valkey,
    ):
        return asyncio.run(playing(Path(folder), postgres.url, valkey.url, play))


async def playing(folder: Path, database: str, redis: str, play: Callable[[Stage], Awaitable[int]]) -> int:
    """Run the block with all users in place."""
    await migrate(database)
    places = {"DATABASE_URL": database, "REDIS_URL": redis, "FILES_URL": f"file://{folder}/files"}
    await fill_empty(read_settings(**{name.lower(): place for name, place in places.items()}))
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(MONTH)
    nodes = [make_node(name, folder, places) for name in ("a1", "b1")]
    async with AsyncExitStack() as leaving:
        for node in nodes:
            leaving.callback(node.kill)
        await asyncio.gather(*(node.start_and_wait() for node in nodes))
        http = await leaving.enter_async_context(aiohttp.ClientSession())
        stage = Stage(nodes, {name: await log_in(http, nodes[0].url, name) for name in USERS})
        for name, place in HERE.items():
            stage.people[name].at = nodes[place].url
            stage.sockets[name] = await leaving.enter_async_context(open_presence(stage.people[name]))
            await come(stage.sockets[name], name)
        await act(stage)
        return await play(stage)


async def log_in(http: aiohttp.ClientSession, url: str, name: str) -> Person:
    """Log in with the demo's password."""
    said = {"name": name, "password": PASSWORD, "device": "Firefox on Linux"}
    async with http.post(url + "/api/sessions", json=said) as answer:
        came = await answer.json()
        return Person(http, url, name, came["user"]["id"], came["token"])


async def come(watcher: PresenceClient, name: str) -> None:
    """Give each user a different presence."""
    if name == "chloe":
        await watcher.says("status", status="dnd", text="Drawing", emoji="🎨")
    elif name == "farid":
        await watcher.says("idle")


async def act(stage: Stage) -> None:
    """Add a thread, a reaction, a pin, a report, a picture, entries for the audit log, and nora, a new user."""
    ana, ben = stage.people["ana"], stage.people["ben"]
    for seq, reply in ((3, "Which platform?"), (3, "Four, as always.")):
        await answers(ben, 1, seq, reply)
    for path in ("messages/1/reactions/%E2%98%95", "pins/1"):
        await ana.call("PUT", f"/api/chat/conversations/1/{path}")
    _, page = await ana.call("GET", "/api/chat/conversations/1/messages?limit=4")
    for who, emoji in (("ben", "😂"), ("chloe", "😂"), ("emi", "🎉")):
        path = f"/api/chat/conversations/1/messages/{page['messages'][0]['seq']}/reactions/{emoji}"
        await stage.people[who].call("PUT", path)
    await ana.call("POST", "/api/presence/reconcile")
    await ana.call("GET", f"/api/presence/evidence/{ben.id}")
    await ben.call("POST", "/api/chat/conversations/1/messages/2/reports", {"reason": "Not kind."})
    room = await begins(ana, "direct", "", ben)
    sent = await ana.says(room, "The new door.")
    stage.pictured = f"/c/{room}/{sent['seq']}"
    file = await sends(ana, picture((1600, 1000)), "door.png")
    await ana.call("POST", f"/api/chat/conversations/{room}/messages", {"client_id": "door", "files": [file["id"]]})
    form = {"name": "nora", "password": f"{PASSWORD} and a bicycle", "device": "Firefox on Linux"}
    _, came = await ana.call("POST", "/api/accounts", form)
    stage.people["nora"] = Person(ana._http, stage.url, "nora", came["user"]["id"], came["token"])
