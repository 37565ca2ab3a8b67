"""Fills an empty database by the ways that people use: accounts, conversations, group commits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from chat.accounts.accounts import insert_user
from chat.accounts.hasher import Hasher
from chat.conversations.create import create_conversation
from chat.conversations.draft import ConversationDraft
from chat.demo.script import PEOPLE, Scene, read_scenes
from chat.log.append import Log
from chat.log.retention import Retention
from chat.messages.draft import Draft
from chat.messages.post import Post, Posts
from chat.shared.postgres import Pool, make_pool
from chat.shared.settings import Settings

PASSWORD = "tandem"
TALK = Path(__file__).with_name("talk.txt")
LOCK = 7_263_371


@dataclass(frozen=True, slots=True)
class Filled:
    """How much there is now."""

    people: int
    messages: int

    def __str__(self) -> str:
        return f"{self.people} people, {self.messages} messages; log in as {next(iter(PEOPLE))}, password {PASSWORD}"


async def fill_empty(settings: Settings) -> Filled | None:
    """People and their talk; None when somebody is there already, and nothing is touched."""
    async with make_pool(settings.database_url) as pool:
        ids = await settle_in(pool)
        if ids is None:
            return None
        scenes = read_scenes(TALK.read_text())
        await Retention(pool, settings.log_partition_entries, settings.log_retention_days).keep()
        async with writing(pool, settings) as (log, posts):
            for scene in scenes:
                await play(scene, log, posts, settings, ids)
        return Filled(len(ids), sum(len(scene.lines) for scene in scenes))


async def settle_in(pool: Pool) -> dict[str, int] | None:
    """Everybody's account, all or none: name → id; None when there are accounts."""
    hasher = Hasher()
    stored = await hasher.hash(PASSWORD)
    hasher.close()
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        if await (await connection.execute("select 1 from users limit 1")).fetchone():
            return None
        roles = dict.fromkeys(PEOPLE, "member") | {next(iter(PEOPLE)): "admin"}
        return {
            name: (await insert_user(connection, name, shown, stored, roles[name])).id for name, shown in PEOPLE.items()
        }


@asynccontextmanager
async def writing(pool: Pool, settings: Settings) -> AsyncIterator[tuple[Log, Posts]]:
    """A log that tells nobody, as no node serves yet, and its writer at work."""
    log = Log(pool, lambda _epoch, _entries: None)
    posts = Posts(log, settings.append_queue)
    async with asyncio.TaskGroup() as group:
        writer = group.create_task(posts.run(), name="commit the demo's posts")
        yield log, posts
        writer.cancel()


async def play(scene: Scene, log: Log, posts: Posts, settings: Settings, ids: dict[str, int]) -> None:
    """Begin one conversation and say its lines, in their order."""
    first, *others = (ids[name] for name in scene.people)
    draft = ConversationDraft(kind=scene.kind, name=scene.name, topic=scene.topic, members=others)
    conversation_id, _ = await create_conversation(log, settings, first, draft)
    said = [
        posts.submit(Post(conversation_id, ids[who], Draft(body=what, client_id=f"demo-{number}")))
        for number, (who, what) in enumerate(scene.lines)
    ]
    await asyncio.gather(*said)
