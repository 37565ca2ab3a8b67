"""Fills an empty database by the ways that people use: accounts, conversations, group commits, read marks."""

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

from chat.accounts.accounts import insert_user
from chat.accounts.demo_accounts import mark_demo
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
from chat.shared.postgres import Pool, make_pool
from chat.shared.settings import Settings

# The script of the demo: conversations, and who says what in them when, read from talk.txt. Pure.

# name → display name; the first one is an admin
PEOPLE = {
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
MORE = "    "  # how lines begin that go on with the message above
NAME = re.compile(r"\{([\w.-]+)\}")
CARRIED = re.compile(r"(?:\{[\w.-]+\})* ?")
WHEN = re.compile(r"(\d+) days? ago, (\d\d):(\d\d)|(\d+) minutes ago")


@dataclass(frozen=True, slots=True)
class Beginning:
    """When a talk began: at a time of day so many working days ago, or so many minutes ago."""

    days: int
    hour: int
    minute: int
    minutes_ago: int

    def moment(self, now: datetime) -> datetime:
        """The same in the past of `now`."""
        if not self.days:
            return now - timedelta(minutes=self.minutes_ago)
        day, left = now.replace(hour=self.hour, minute=self.minute, second=7, microsecond=0), self.days
        while left:
            day -= timedelta(days=1)
            left -= day.weekday() < 5
        return day


@dataclass(slots=True)
class ScriptLine:
    """`after`: seconds since the talk began; `files`: the names of those that it carries."""

    who: str
    what: str
    beginning: Beginning
    after: int
    files: tuple[str, ...] = ()

    def moment(self, now: datetime) -> datetime:
        """When it was said."""
        return self.beginning.moment(now) + timedelta(seconds=self.after)


@dataclass(slots=True)
class ScriptScene:
    """One conversation; the first of `people` begins it."""

    kind: Kind
    private: bool
    name: str | None
    topic: str
    people: list[str]
    lines: list[ScriptLine] = field(default_factory=list)

    def read_already(self) -> int:
        """How many of its lines everybody has read: those of the days before."""
        return sum(1 for line in self.lines if line.beginning.days)


def read_scenes(text: str) -> list[ScriptScene]:
    """All of them, in order."""
    scenes: list[ScriptScene] = []
    for mark, rest in split_lines(text):
        if mark == "==":
            scenes.append(read_heading(rest))
        elif mark == "--":
            beginning, after = read_beginning(rest), 0
        else:
            what, files = read_files(rest)
            scenes[-1].lines.append(ScriptLine(mark, what, beginning, after, files))
            after += pause_after(what)
    return scenes


def read_files(text: str) -> tuple[str, tuple[str, ...]]:
    """`{a.png}{b.csv} look` → what is said, and the names."""
    carried = CARRIED.match(text)
    assert carried is not None
    return text[carried.end() :], tuple(NAME.findall(carried[0]))


def split_lines(text: str) -> Iterator[tuple[str, str]]:
    """`(==, heading)`, `(--, time)` or `(name, message)`, without comments, with what goes on put together."""
    kept = "\n".join(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    for whole in re.split(r"\n(?!" + MORE + ")", kept):
        mark, _, rest = whole.replace("\n" + MORE, "\n").partition(" ")
        yield mark.removesuffix(":"), rest


def read_heading(heading: str) -> ScriptScene:
    """`channel general > What it is for: ana, ben`."""
    what, _, people = heading.rpartition(": ")
    what, _, topic = what.partition(" > ")
    kind, _, name = what.partition(" ")
    everybody = list(PEOPLE) if people == "all" else people.split(", ")
    private = kind == "private"
    return ScriptScene(cast(Kind, "channel" if private else kind), private, name or None, topic, everybody)


def read_beginning(text: str) -> Beginning:
    """`3 days ago, 09:12` or `20 minutes ago`; raises `ValueError`."""
    if not (match := WHEN.fullmatch(text)):
        raise ValueError(f"no time: {text}")
    return Beginning(*(int(number or 0) for number in match.groups()))


def pause_after(what: str) -> int:
    """How long it takes until somebody has read it and answered, in seconds; always the same for the same words."""
    return 12 + len(what) // 5 + sum(what.encode()) % 50


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
        await Retention(pool, settings.log_partition_entries, settings.log_retention_days).maintain()
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


async def begin(scene: ScriptScene, log: Log, settings: Settings, people: Mapping[str, int]) -> int:
    """Its conversation's id."""
    first, *others = (people[name] for name in scene.people)
    members = others or [first]
    draft = ConversationDraft(
        kind=scene.kind, name=scene.name, topic=scene.topic, private=scene.private, members=members
    )
    return (await create_conversation(log, settings.model_copy(update={"strangers": "add"}), first, draft)).id


@asynccontextmanager
async def writing(log: Log, settings: Settings) -> AsyncIterator[tuple[PostWriter, ReadMarks]]:
    """The two writers of a node, at work."""
    posts, marks = PostWriter(log, settings.append_queue), ReadMarks(log, settings.append_queue, settings.receipts_most)
    async with asyncio.TaskGroup() as group:
        writers = [group.create_task(posts.run()), group.create_task(marks.run())]
        yield posts, marks
        for writer in writers:
            writer.cancel()


async def send_up(
    pool: Pool, settings: Settings, scenes: Sequence[ScriptScene], people: Mapping[str, int]
) -> dict[str, int]:
    """What is carried, by its name."""
    uploads, files = open_uploads(pool, settings), {}
    for line in (line for scene in scenes for line in scene.lines):
        for name in line.files:
            data, owner = draw(name), people[line.who]
            file = await uploads.begin(owner, name, len(data))
            await uploads.receive(file, 0, UploadBody(one_piece(data), len(data), settings.body_seconds))
            files[name] = (await uploads.finish(owner, file.id)).id
    return files


async def say_all(
    posts: PostWriter,
    scenes: Sequence[ScriptScene],
    places: Sequence[int],
    people: Mapping[str, int],
    files: Mapping[str, int],
) -> None:
    """Everything that was said, over all conversations in the order of its time."""
    now = datetime.now().astimezone()
    said: list[tuple[datetime, int, ScriptLine]] = [
        (line.moment(now), place, line) for scene, place in zip(scenes, places, strict=True) for line in scene.lines
    ]
    said.sort(key=lambda one: one[0])
    await asyncio.gather(
        *[
            posts.submit(Post(place, people[line.who], to_draft(number, line, files), moment))
            for number, (moment, place, line) in enumerate(said)
        ]
    )


def to_draft(number: int, line: ScriptLine, files: Mapping[str, int]) -> Draft:
    """What is posted."""
    return Draft(body=line.what, client_id=f"demo-{number}", files=[files[name] for name in line.files])


async def read_all(
    marks: ReadMarks, scenes: Sequence[ScriptScene], places: Sequence[int], people: Mapping[str, int]
) -> None:
    """What was said on the days before has been read; today's waits."""
    await asyncio.gather(
        *[
            marks.move(Mark(place, people[name], scene.read_already()))
            for scene, place in zip(scenes, places, strict=True)
            for name in scene.people
        ]
    )


# The demo's files, drawn when they are needed.

WEEKS = (610, 640, 702, 690, 748, 811, 799, 865, 930, 1012, 987, 1204)
SKY, GLOW, SEA, DARK = (64, 84, 168), (255, 178, 102), (38, 62, 110), (24, 30, 52)
Colour = tuple[int, int, int]


def draw(name: str) -> bytes:
    """The file of this name."""
    return DRAWN[name]()


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Between two colours."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def draw_harbour() -> bytes:
    """An evening by the water, as a photograph would be."""
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
    """With its sail down."""
    pen.polygon(
        [(x - size, y), (x + size, y), (x + 0.7 * size, y + 0.35 * size), (x - 0.7 * size, y + 0.35 * size)], DARK
    )
    pen.line([(x, y), (x, y - 1.9 * size)], fill=DARK, width=max(2, round(size / 22)))
    pen.line([(x, y - 1.9 * size), (x + 0.9 * size, y)], fill=DARK, width=2)


def draw_numbers() -> bytes:
    """A bar for each week."""
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
    """The same for a spreadsheet."""
    rows = [f"{week + 36},{number}" for week, number in enumerate(WEEKS)]
    return "\n".join(["week,new teams", *rows, ""]).encode()


def save(image: Image.Image, kind: str, **options: int | bool) -> bytes:
    """The file's bytes."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


DRAWN: dict[str, Callable[[], bytes]] = {
    "boules-au-port.jpg": draw_harbour,
    "weekly-numbers.png": draw_numbers,
    "weekly-numbers.csv": write_numbers,
}
