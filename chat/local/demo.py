"""Fills an empty database by the ways that people use: accounts, conversations, group commits, read marks."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from chat.accounts.accounts import insert_user
from chat.accounts.demo_accounts import mark_demo
from chat.accounts.passwords import Hasher
from chat.conversations.conversations import create_conversation
from chat.conversations.drafts import ConversationDraft
from chat.conversations.read_marks import Mark, ReadMarks
from chat.demo.pictures import draw
from chat.demo.script import PEOPLE, Line, Scene, read_scenes
from chat.files.uploads import one_piece, open_uploads
from chat.log.append import Log
from chat.log.retention import Retention
from chat.messages.draft import Draft, Post
from chat.messages.post import Posts
from chat.shared.bodies import Arriving
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
    """People and their talk of the last days; None when somebody is there already, and nothing is touched."""
    async with make_pool(settings.database_url) as pool:
        people = await settle_in(pool)
        if people is None:
            return None
        scenes = read_scenes(TALK.read_text("utf-8"))
        await Retention(pool, settings.log_partition_entries, settings.log_retention_days).keep()
        log = Log(pool, lambda _epoch, _entries: None)  # nobody listens yet; a node that does compares heads
        places = [await begin(scene, log, settings, people) for scene in scenes]
        async with writing(log, settings) as (posts, marks):
            files = await send_up(pool, settings, scenes, people)
            await say_all(posts, scenes, places, people, files)
            await read_all(marks, scenes, places, people)
    return Filled(len(people), sum(len(scene.lines) for scene in scenes))


async def settle_in(pool: Pool) -> dict[str, int] | None:
    """Everybody's account, all or none: name → id; None when there are accounts."""
    hasher = Hasher()
    stored = await hasher.hash(PASSWORD)
    hasher.close()
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        if await (await connection.execute("select 1 from users where not is_probe(id) limit 1")).fetchone():
            return None
        roles = dict.fromkeys(PEOPLE, "member") | {next(iter(PEOPLE)): "admin"}
        people = {
            name: (await insert_user(connection, name, shown, stored, roles[name])).id for name, shown in PEOPLE.items()
        }
        await mark_demo(connection, list(people.values()))
        return people


async def begin(scene: Scene, log: Log, settings: Settings, people: Mapping[str, int]) -> int:
    """Its conversation's id."""
    first, *others = (people[name] for name in scene.people)
    members = others or [first]
    draft = ConversationDraft(
        kind=scene.kind, name=scene.name, topic=scene.topic, private=scene.private, members=members
    )
    return (await create_conversation(log, settings.model_copy(update={"strangers": "add"}), first, draft)).id


@asynccontextmanager
async def writing(log: Log, settings: Settings) -> AsyncIterator[tuple[Posts, ReadMarks]]:
    """The two writers of a node, at work."""
    posts, marks = Posts(log, settings.append_queue), ReadMarks(log, settings.append_queue, settings.receipts_most)
    async with asyncio.TaskGroup() as group:
        writers = [group.create_task(posts.run()), group.create_task(marks.run())]
        yield posts, marks
        for writer in writers:
            writer.cancel()


async def send_up(pool: Pool, settings: Settings, scenes: Sequence[Scene], people: Mapping[str, int]) -> dict[str, int]:
    """What is carried, by its name."""
    uploads, files = open_uploads(pool, settings), {}
    for line in (line for scene in scenes for line in scene.lines):
        for name in line.files:
            data, owner = draw(name), people[line.who]
            file = await uploads.begin(owner, name, len(data))
            await uploads.receive(file, 0, Arriving(one_piece(data), len(data), settings.body_seconds))
            files[name] = (await uploads.finish(owner, file.id)).id
    return files


async def say_all(
    posts: Posts,
    scenes: Sequence[Scene],
    places: Sequence[int],
    people: Mapping[str, int],
    files: Mapping[str, int],
) -> None:
    """Everything that was said, over all conversations in the order of its time."""
    now = datetime.now().astimezone()
    said: list[tuple[datetime, int, Line]] = [
        (line.moment(now), place, line) for scene, place in zip(scenes, places, strict=True) for line in scene.lines
    ]
    said.sort(key=lambda one: one[0])
    await asyncio.gather(
        *[
            posts.submit(Post(place, people[line.who], to_draft(number, line, files), moment))
            for number, (moment, place, line) in enumerate(said)
        ]
    )


def to_draft(number: int, line: Line, files: Mapping[str, int]) -> Draft:
    """What is posted."""
    return Draft(body=line.what, client_id=f"demo-{number}", files=[files[name] for name in line.files])


async def read_all(marks: ReadMarks, scenes: Sequence[Scene], places: Sequence[int], people: Mapping[str, int]) -> None:
    """What was said on the days before has been read; today's waits."""
    await asyncio.gather(
        *[
            marks.move(Mark(place, people[name], scene.read_already()))
            for scene, place in zip(scenes, places, strict=True)
            for name in scene.people
        ]
    )
