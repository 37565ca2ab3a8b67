"""`tandem up --demo`: fill an empty database with users, conversations, messages and read marks, as clients would."""

import asyncio
import io
import math
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, cast

from PIL import Image, ImageDraw

from chat.accounts.accounts import insert_user, mark_demo
from chat.accounts.passwords import Hasher
from chat.conversations.conversations import create_conversation
from chat.conversations.drafts import ConversationDraft
from chat.conversations.read_marks import Mark, ReadMarks
from chat.files.uploads import one_piece, open_uploads
from chat.log.append import Log
from chat.log.maintenance import Retention
from chat.messages.drafts import Draft, Post
from chat.messages.posting import PostWriter
from chat.shared.bodies import UploadBody
from chat.shared.postgres import Pool, open_pool
from chat.shared.settings import Settings

# The script: conversations and their messages, parsed from talk.txt. Pure.

# Display names by username. The first user is an admin.
USERS = {
    "ana": "Ana Duarte",
    "ben": "Ben Okafor",
    "chloe": "Chloé Martin",
    "dmitri": "Дмитрий Волков",
    "emi": "Emi 佐藤",
    "farid": "فريد حداد",
    "grace": "Grace Lindqvist",
    "lena": "Lena Groß",
}
Kind = Literal["channel", "group", "direct"]
CONTINUED = "    "  # starts lines that continue the message above
NAME = re.compile(r"\{([\w.-]+)\}")
FILES = re.compile(r"(?:\{[\w.-]+\})* ?")
WHEN = re.compile(r"(\d+) days? ago, (\d\d):(\d\d)|(\d+) minutes ago")


@dataclass(frozen=True, slots=True)
class Beginning:
    """The start of a run of messages: at a time of day some working days ago, or some minutes ago."""

    days: int
    hour: int
    minute: int
    minutes_ago: int

    def moment(self, now: datetime) -> datetime:
        """Return that time, counted back from `now`."""
        if not self.days:
            return now - timedelta(minutes=self.minutes_ago)
        day, left = now.replace(hour=self.hour, minute=self.minute, second=7, microsecond=0), self.days
        while left:
            day -= timedelta(days=1)
            left -= day.weekday() < 5
        return day


@dataclass(slots=True)
class ScriptLine:
    """A message. `after`: seconds since the run began. `files`: names of its files."""

    author: str
    text: str
    beginning: Beginning
    after: int
    files: tuple[str, ...] = ()

    def moment(self, now: datetime) -> datetime:
        """Return when it was sent."""
        return self.beginning.moment(now) + timedelta(seconds=self.after)


@dataclass(slots=True)
class ScriptScene:
    """A conversation. The first of its `members` creates it."""

    kind: Kind
    private: bool
    name: str | None
    topic: str
    members: list[str]
    lines: list[ScriptLine] = field(default_factory=list)

    def count_read(self) -> int:
        """Return how many of its messages all members have read: those of earlier days."""
        return sum(1 for line in self.lines if line.beginning.days)


def read_scenes(text: str) -> list[ScriptScene]:
    """Return all conversations of the script, in order."""
    scenes: list[ScriptScene] = []
    for mark, rest in split_lines(text):
        if mark == "==":
            scenes.append(read_heading(rest))
        elif mark == "--":
            beginning, after = read_beginning(rest), 0
        else:
            message, files = read_files(rest)
            scenes[-1].lines.append(ScriptLine(mark, message, beginning, after, files))
            after += pause_after(message)
    return scenes


def read_files(text: str) -> tuple[str, tuple[str, ...]]:
    """Split `{a.png}{b.csv} look` into the text and the names of files."""
    found = FILES.match(text)
    assert found is not None
    return text[found.end() :], tuple(NAME.findall(found[0]))


def split_lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield `(==, heading)`, `(--, time)` or `(name, message)`, with continued lines joined and comments removed."""
    kept = "\n".join(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    for whole in re.split(r"\n(?!" + CONTINUED + ")", kept):
        mark, _, rest = whole.replace("\n" + CONTINUED, "\n").partition(" ")
        yield mark.removesuffix(":"), rest


def read_heading(heading: str) -> ScriptScene:
    """Parse `channel general > Topic: ana, ben`."""
    title, _, members = heading.rpartition(": ")
    title, _, topic = title.partition(" > ")
    kind, _, name = title.partition(" ")
    names = list(USERS) if members == "all" else members.split(", ")
    private = kind == "private"
    return ScriptScene(cast(Kind, "channel" if private else kind), private, name or None, topic, names)


def read_beginning(text: str) -> Beginning:
    """Parse `3 days ago, 09:12` or `20 minutes ago`. Raise `ValueError`."""
    if not (match := WHEN.fullmatch(text)):
        raise ValueError(f"not a time: {text}")
    return Beginning(*(int(number or 0) for number in match.groups()))


def pause_after(text: str) -> int:
    """Return the seconds until the next message. The same text always gives the same pause."""
    return 12 + len(text) // 5 + sum(text.encode()) % 50


# Loading it into the database.

PASSWORD = "tandem"
SCRIPT = Path(__file__).with_name("talk.txt")
LOCK = 7_263_371


@dataclass(frozen=True, slots=True)
class Filled:
    """The numbers of users and messages created."""

    users: int
    messages: int

    def __str__(self) -> str:
        return f"{self.users} users, {self.messages} messages; log in as {next(iter(USERS))}, password {PASSWORD}"


async def fill_empty(settings: Settings) -> Filled | None:
    """Load the demo. Return None, and change nothing, if the database has users already."""
    async with open_pool(settings.database_url) as pool:
        user_ids = await create_accounts(pool)
        if user_ids is None:
            return None
        scenes = read_scenes(SCRIPT.read_text("utf-8"))
        await Retention(pool, settings.log_partition_entries, settings.log_retention_days).maintain()
        log = Log(pool, lambda _epoch, _entries: None)  # no listeners: a running node polls the log
        conversations = [await create_scene(scene, log, settings, user_ids) for scene in scenes]
        async with running_writers(log, settings) as (posts, marks):
            files = await upload_files(pool, settings, scenes, user_ids)
            await post_messages(posts, scenes, conversations, user_ids, files)
            await mark_as_read(marks, scenes, conversations, user_ids)
    return Filled(len(user_ids), sum(len(scene.lines) for scene in scenes))


async def create_accounts(pool: Pool) -> dict[str, int] | None:
    """Create all accounts in one transaction and return their ids by name, or None if there are accounts."""
    hasher = Hasher()
    stored = await hasher.hash(PASSWORD)
    hasher.close()
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        if await (await connection.execute("select 1 from users where not is_probe(id) limit 1")).fetchone():
            return None
        roles = dict.fromkeys(USERS, "member") | {next(iter(USERS)): "admin"}
        user_ids = {
            name: (await insert_user(connection, name, shown, stored, roles[name])).id for name, shown in USERS.items()
        }
        await mark_demo(connection, list(user_ids.values()))
        return user_ids


async def create_scene(scene: ScriptScene, log: Log, settings: Settings, user_ids: Mapping[str, int]) -> int:
    """Create the scene's conversation and return its id."""
    first, *others = (user_ids[name] for name in scene.members)
    members = others or [first]
    draft = ConversationDraft(
        kind=scene.kind, name=scene.name, topic=scene.topic, private=scene.private, members=members
    )
    return (await create_conversation(log, settings.model_copy(update={"strangers": "add"}), first, draft)).id


@asynccontextmanager
async def running_writers(log: Log, settings: Settings) -> AsyncIterator[tuple[PostWriter, ReadMarks]]:
    """Run a node's writers of messages and read marks during the body."""
    posts, marks = PostWriter(log, settings.append_queue), ReadMarks(log, settings.append_queue, settings.receipts_most)
    async with asyncio.TaskGroup() as group:
        writers = [group.create_task(posts.run()), group.create_task(marks.run())]
        yield posts, marks
        for writer in writers:
            writer.cancel()


async def upload_files(
    pool: Pool, settings: Settings, scenes: Sequence[ScriptScene], user_ids: Mapping[str, int]
) -> dict[str, int]:
    """Upload the files of all messages and return their ids by name."""
    uploads, files = open_uploads(pool, settings), {}
    for line in (line for scene in scenes for line in scene.lines):
        for name in line.files:
            data, owner = draw(name), user_ids[line.author]
            file = await uploads.begin(owner, name, len(data))
            await uploads.receive(file, 0, UploadBody(one_piece(data), len(data), settings.body_seconds))
            files[name] = (await uploads.finish(owner, file.id)).id
    return files


async def post_messages(
    posts: PostWriter,
    scenes: Sequence[ScriptScene],
    conversations: Sequence[int],
    user_ids: Mapping[str, int],
    files: Mapping[str, int],
) -> None:
    """Post the messages of all conversations, in the order of their times."""
    now = datetime.now().astimezone()
    messages: list[tuple[datetime, int, ScriptLine]] = [
        (line.moment(now), conversation, line)
        for scene, conversation in zip(scenes, conversations, strict=True)
        for line in scene.lines
    ]
    messages.sort(key=lambda message: message[0])
    await asyncio.gather(
        *[
            posts.submit(Post(conversation, user_ids[line.author], to_draft(number, line, files), moment))
            for number, (moment, conversation, line) in enumerate(messages)
        ]
    )


def to_draft(number: int, line: ScriptLine, files: Mapping[str, int]) -> Draft:
    """Return the message as a client would post it."""
    return Draft(body=line.text, client_id=f"demo-{number}", files=[files[name] for name in line.files])


async def mark_as_read(
    marks: ReadMarks, scenes: Sequence[ScriptScene], conversations: Sequence[int], user_ids: Mapping[str, int]
) -> None:
    """Mark the messages of earlier days as read. Today's stay unread."""
    await asyncio.gather(
        *[
            marks.move(Mark(conversation, user_ids[name], scene.count_read()))
            for scene, conversation in zip(scenes, conversations, strict=True)
            for name in scene.members
        ]
    )


# The demo's files, drawn when they are needed.

WEEKS = (610, 640, 702, 690, 748, 811, 799, 865, 930, 1012, 987, 1204)
SKY, GLOW, SEA, DARK = (64, 84, 168), (255, 178, 102), (38, 62, 110), (24, 30, 52)
Color = tuple[int, int, int]


def draw(name: str) -> bytes:
    """Return the content of the file with this name."""
    return DRAWN[name]()


def mix(first: Color, second: Color, share: float) -> Color:
    """Return a color between two others."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def draw_harbor() -> bytes:
    """Return a JPEG like a photograph of a harbor in the evening."""
    width, height, horizon = 1600, 1067, 640
    image = Image.new("RGB", (width, height), SEA)
    pen = ImageDraw.Draw(image)
    for y in range(horizon):
        pen.line([(0, y), (width, y)], fill=mix(SKY, GLOW, (y / horizon) ** 1.6))
    pen.ellipse([1010, 470, 1170, 630], fill=(255, 236, 190))
    for y in range(horizon, height):
        wave = 24 * math.sin(y / 5) * (y - horizon) / (height - horizon)
        pen.line([(1090 - 70 - wave, y), (1090 + 70 + wave, y)], fill=mix(SEA, GLOW, 0.55 * horizon / y))
    for x, size in ((180, 1.0), (420, 0.7), (690, 0.45)):
        draw_boat(pen, x, horizon + 190 * size, 150 * size)
    pen.polygon([(0, height), (0, 930), (520, 985), (900, height)], fill=DARK)
    return save(image, "JPEG", quality=86)


def draw_boat(pen: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
    pen.polygon(
        [(x - size, y), (x + size, y), (x + 0.7 * size, y + 0.35 * size), (x - 0.7 * size, y + 0.35 * size)], DARK
    )
    pen.line([(x, y), (x, y - 1.9 * size)], fill=DARK, width=max(2, round(size / 22)))
    pen.line([(x, y - 1.9 * size), (x + 0.9 * size, y)], fill=DARK, width=2)


def draw_numbers() -> bytes:
    """Return a PNG bar chart with a bar for each week."""
    width, height, ground = 1200, 640, 560
    image = Image.new("RGB", (width, height), (250, 250, 248))
    pen = ImageDraw.Draw(image)
    for step in range(0, 1300, 200):
        y = ground - step * 0.36
        pen.line([(70, y), (width - 40, y)], fill=(225, 225, 222))
        pen.text((20, y - 9), f"{step:>4}", fill=(110, 110, 118), font_size=16)
    for week, number in enumerate(WEEKS):
        x, best = 95 + week * 90, number == max(WEEKS)
        bar = [x, ground - number * 0.36, x + 56, ground]
        pen.rounded_rectangle(bar, 6, fill=(66, 86, 216) if best else (174, 183, 240))
        pen.text((x + 10, ground + 14), f"W{week + 36}", fill=(90, 90, 98), font_size=16)
    pen.text((70, 24), "New teams a week", fill=(28, 29, 33), font_size=30)
    return save(image, "PNG", optimize=True)


def write_numbers() -> bytes:
    """Return the same numbers as CSV."""
    rows = [f"{week + 36},{number}" for week, number in enumerate(WEEKS)]
    return "\n".join(["week,new teams", *rows, ""]).encode()


def save(image: Image.Image, kind: str, **options: int | bool) -> bytes:
    """Return the image encoded as a file."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


DRAWN: dict[str, Callable[[], bytes]] = {
    "boules-au-port.jpg": draw_harbor,
    "weekly-numbers.png": draw_numbers,
    "weekly-numbers.csv": write_numbers,
}
