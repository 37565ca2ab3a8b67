"""Streamed messages: cost and bytes beside plain messages, and every character while nodes die and readers are cut."""

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import orjson
from rich.progress import Progress

from chat.client.client import Client, bearer, open_stream
from chat.client.node_process import cpu_seconds, raise_descriptor_limit
from chat.local.progress import counting
from chat.shared.tasks import Tasks
from chat.tools.bench.environment import LIMITLESS
from chat.tools.bench.report import BenchReport, Row, middle, ratio
from chat.tools.bench.targets import BenchTrouble
from chat.tools.chaos.authors import draw_text
from chat.tools.chaos.checker import LOST, REORDERED, REPEATED, TORN, Violation, check
from chat.tools.chaos.clients import ChaosPoster, ChaosReader, EventCache
from chat.tools.chaos.environment import Enrolled, Environment, came_true, enrol, open_environment, share
from chat.tools.chaos.history import DATABASE, Key, Place, RunHistory, WrittenText, read_messages

NODES = ("n1", "n2", "n3")
PEOPLE, READERS = 50, 1000
RATE, INTERVAL = 200, 0.05  # tokens a second; the default of APPEND_INTERVAL
SECONDS, COSTED = 60.0, 5.0  # of the message that faults strike, and of one round of costs
KILLS = (0.3, 0.65)  # when the author's node is killed, as shares of the message's time
DOWN = 3.0  # seconds until it is started again
CUT = 3  # one of so many readers is cut with each kill
COMPLETED = 60.0  # seconds after which readers must have caught up
COMPACTED = 30.0
BYTES, CPU = 1.15, 1.1


class Stage:
    """A channel with readers, and an author who posts to `author.url`."""

    def __init__(
        self, environment: Environment, room: int, people: Sequence[Enrolled], http: aiohttp.ClientSession
    ) -> None:
        self.environment, self.room, self.people, self.http = environment, room, people, http
        self.history, self.events, self.tasks = RunHistory(), EventCache(), Tasks()
        self.readers: list[ChaosReader] = []
        node = environment.nodes[NODES[0]]
        self.author = Client(node.url, people[0].token, longest_wait=0.5)
        self.poster = ChaosPoster("plain", people[0], room, lambda: node.url, self.history)
        self._names = iter(range(10**9))

    async def open(self, count: int, port: int) -> None:
        """Open that many readers at a port, instead of those before."""
        await self.close()
        for n in range(count):
            name, token = f"reader {next(self._names)}", self.people[n % len(self.people)].token
            self.readers.append(ChaosReader(name, token, lambda: port, self.history, self.events, self.tasks))
        if not await came_true(lambda: all(reader.ready for reader in self.readers), COMPLETED):
            raise BenchTrouble("The streams were not opened within a minute.")

    async def close(self) -> None:
        """Close all readers."""
        for reader in self.readers:
            await reader.stops()
        self.readers.clear()

    async def write(self, pieces: Sequence[str], source: AsyncIterator[str] | None = None) -> Place:
        """Stream a message at the rate of the measurement; return its place when it is finished.

        `source` yields the pieces, if more is to be done meanwhile.
        """
        name = f"streamed-{next(self._names)}"
        key: Key = self.room, self.people[0].id, name
        self.history.send(key, "")
        message = await self.author.stream_message(self.room, source or spoken(pieces), client_id=name)
        place, text = (self.room, message["seq"]), "".join(pieces)
        self.history.written[place] = WrittenText(text, len(text), "complete")
        return place

    async def completed(self, place: Place) -> int:
        """Wait until readers have the message's end; return how many do not."""
        texts, names = self.history.texts, [reader.name for reader in self.readers]
        await came_true(lambda: all(texts[name][place].state for name in names), COMPLETED)
        return sum(not texts[name][place].state for name in names)

    @property
    def octets(self) -> int:
        """The bytes that readers have received."""
        return sum(reader.octets for reader in self.readers)

    def cpu(self) -> float:
        """Return the CPU seconds of the author's node."""
        return cpu_seconds(self.environment.nodes[NODES[0]].pid)


async def spoken(pieces: Sequence[str]) -> AsyncIterator[str]:
    """Yield the pieces at the rate of the measurement."""
    begun = time.monotonic()
    for n, piece in enumerate(pieces):
        await asyncio.sleep(max(0.0, begun + n / RATE - time.monotonic()))
        yield piece


@asynccontextmanager
async def setting_up() -> AsyncIterator[Stage]:
    """Yield a stage on three nodes of its own."""
    raise_descriptor_limit()
    async with AsyncExitStack() as stack:
        own = tempfile.TemporaryDirectory(prefix="tandem-bench-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(own))
        environment = await stack.enter_async_context(open_environment(folder, NODES, LIMITLESS))
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout()))
        people = await enrol(environment.database_url, PEOPLE)
        stage = Stage(environment, await share(environment.database_url, people), people, http)
        await stack.enter_async_context(stage.author)
        stack.push_async_callback(stage.tasks.stop)
        yield stage
        await stage.close()


async def measure_streamed(scale: float, rounds: int, progress: Progress) -> BenchReport:
    """Measure costs in rounds, then stream one long message through faults, and resume it from three places."""
    readers = max(10, round(READERS * scale))
    report = BenchReport(f"streamed message, {RATE} tokens/s to {readers:,} readers")
    async with setting_up() as stage:
        with counting(progress, "streamed", rounds + 2) as show:
            report.rows += await measure_costs(stage, readers, max(2.0, COSTED * scale), rounds, show)
            report.rows += await measure_exactness(stage, readers, max(4.0, SECONDS * scale))
            show(rounds + 2)
    return report


# Costs: the same number of entries to the same readers of one node, as a streamed message and as plain ones. What the
# node does anyway, with these readers and nothing to deliver, is left out: a busy machine makes it a share of its own.


async def measure_costs(
    stage: Stage, readers: int, seconds: float, rounds: int, show: Callable[[int], None]
) -> list[Row]:
    """Return the rows of bytes and CPU; the medians of the rounds count."""
    found: dict[str, list[float]] = {"plain": [], "streamed": [], "bytes": [], "entries": []}
    await stage.open(readers, stage.environment.nodes[NODES[0]].port)
    for turn in range(rounds):
        idle = await idle_cpu(stage, seconds / 2)
        entries, cpu, octets = await cost_of_appends(stage, seconds, idle)
        found["streamed"].append(cpu)
        found["plain"].append(await cost_of_messages(stage, entries, seconds / entries, idle))
        found["bytes"].append(octets)
        found["entries"].append(entries / seconds)
        show(turn + 1)
    plain, streamed = middle(found["plain"]), middle(found["streamed"])
    note = f"{streamed:.2f} µs, and {plain:.2f} µs for a plain message at the same rate"
    return [
        Row("bytes to a reader, in times text and framing", middle(found["bytes"]), "×", BYTES),
        Row("server CPU a delivered append, in times a plain message's", ratio(streamed, plain), "×", CPU, note=note),
        Row("log entries a second", middle(found["entries"]), "/s", 1.1 / INTERVAL, note=f"of {RATE} tokens"),
    ]


async def idle_cpu(stage: Stage, seconds: float) -> float:
    """Return the CPU seconds that the node uses in a second without messages."""
    cpu, begun = stage.cpu(), time.monotonic()
    await asyncio.sleep(seconds)
    return (stage.cpu() - cpu) / (time.monotonic() - begun)


async def cost_of_messages(stage: Stage, count: int, gap: float, idle: float) -> float:
    """Post plain messages, one each `gap` seconds; return the node's CPU microseconds for each delivery."""
    history, names = stage.history, [reader.name for reader in stage.readers]
    before = sum(len(history.received[name]) for name in names)
    cpu, begun = stage.cpu(), time.monotonic()
    for n in range(count):
        await asyncio.sleep(max(0.0, begun + n * gap - time.monotonic()))
        await stage.poster.post(stage.http)
    wanted = count * len(names)
    if not await came_true(lambda: sum(len(history.received[name]) for name in names) - before >= wanted, COMPLETED):
        raise BenchTrouble("Plain messages did not arrive within a minute.")
    return (stage.cpu() - cpu - idle * (time.monotonic() - begun)) / wanted * 1e6


async def cost_of_appends(stage: Stage, seconds: float, idle: float) -> tuple[int, float, float]:
    """Stream a message; return its entries, CPU microseconds for each delivered append, and the share of bytes.

    Measured from its first piece until all readers have the last one: a beginning and an end cost as much as a post.
    """
    pieces, spent = draw_text(random.Random(7), round(RATE * seconds)), list[float]()
    size, known = len("".join(pieces)), len(stage.history.texts[stage.readers[0].name])

    def is_complete(name: str) -> bool:
        texts = list(stage.history.texts[name].values())
        return len(texts) > known and texts[-1].length == size

    async def source() -> AsyncIterator[str]:
        cpu, octets, begun = stage.cpu(), stage.octets, time.monotonic()
        async for piece in spoken(pieces):
            yield piece
        await came_true(lambda: all(is_complete(reader.name) for reader in stage.readers), COMPLETED)
        spent.extend((stage.cpu() - cpu - idle * (time.monotonic() - begun), stage.octets - octets))

    place = await stage.write(pieces, source())
    if missing := await stage.completed(place):
        raise BenchTrouble(f"{missing} readers did not get the end of a streamed message within a minute.")
    texts = [stage.history.texts[reader.name][place] for reader in stage.readers]
    text = len(orjson.dumps("".join(pieces))) - 2
    owed = text + seconds / INTERVAL * framing(place, stage.readers[0].cursor)
    return texts[0].entries, spent[0] / sum(one.entries for one in texts) * 1e6, spent[1] / len(texts) / owed


def framing(place: Place, cursor: str) -> int:
    """Return the bytes of an append's frame without its text."""
    data = orjson.dumps({"conversation": place[0], "seq": place[1], "at": 1000, "text": ""}).decode()
    return len(f"id: {cursor}\nevent: append\ndata: {data}\n\n")


# Exactness: one long message while the author's node dies twice and a third of the readers is cut each time.


async def measure_exactness(stage: Stage, readers: int, seconds: float) -> list[Row]:
    """Return the rows of what readers must have, and what a reader needs that resumes."""
    await stage.open(readers, stage.environment.balancers[0].port)
    first = stage.readers[0]
    cursors = {"before": first.cursor}
    async with asyncio.TaskGroup() as group:
        group.create_task(disturb(stage, seconds, cursors), name="kill nodes and cut readers")
        place = await stage.write(draw_text(random.Random(11), round(RATE * seconds)))
    late = await stage.completed(place)
    cursors["after"] = first.cursor
    wrong = await find_wrong(stage)
    text = stage.history.written[place].text
    resumes = {name: await resumed(stage, place, cursor) for name, cursor in cursors.items()}
    kinds = {kind: sum(one.kind == kind for one in wrong) for kind in (LOST, REPEATED, REORDERED, TORN)}
    return [
        Row("readers without the end", late, "", 0, note=f"{len(text):,} characters, {len(KILLS)} kills"),
        Row("readers whose text is not the author's", kinds[TORN], "", 0),
        Row("messages lost, repeated or reordered", len(wrong) - kinds[TORN], "", 0),
        *(Row(f"appends to a reader that resumes {name}", count, "", 1) for name, count in resumes.items()),
    ]


async def disturb(stage: Stage, seconds: float, cursors: dict[str, str]) -> None:
    """Kill the author's node twice, and cut readers; note a cursor in the middle."""
    begun = time.monotonic()
    for n, share_of in enumerate(KILLS):
        await asyncio.sleep(max(0.0, begun + share_of * seconds - time.monotonic()))
        cursors["in the middle"] = stage.readers[0].cursor
        stage.environment.take_down(NODES[n])
        stage.author.url = stage.environment.nodes[NODES[n + 1]].url
        for reader in stage.readers[n::CUT]:
            reader.leaves()
        await asyncio.sleep(min(DOWN, seconds / 8))
        stage.environment.bring_back(NODES[n])


async def find_wrong(stage: Stage) -> list[Violation]:
    """Return what readers saw that they should not, or did not see; each was there for the last message alone."""
    names = {reader.name for reader in stage.readers}
    first = min(place[1] for place in stage.history.texts[stage.readers[0].name])
    for name in names:
        stage.history.stay(name, stage.room, first)
    await read_messages(stage.environment.database_url, stage.history)
    for receipt in stage.history.received[DATABASE]:
        stage.history.acknowledge(receipt.message.key, receipt.message, made=False)
    return [finding for finding in check(stage.history) if finding.reader in names | {DATABASE, ""}]


async def resumed(stage: Stage, place: Place, cursor: str) -> int:
    """Resume after a cursor until the end of the message has arrived; return the appends on the way.

    The log is compacted in the background: count again for half a minute while there are more than one.
    """
    fence = await stage.author.post(stage.room, "fence")
    deadline, appends = time.monotonic() + COMPACTED, 2
    while appends > 1 and time.monotonic() < deadline:
        appends = 0
        async with open_stream(stage.http, stage.author.url, bearer(stage.people[1].token), cursor) as events:
            async for event in events:
                fields = event.json() if event.data else {}
                appends += event.event == "append" and fields["seq"] == place[1]
                if event.event == "message" and fields["seq"] == fence["seq"]:
                    break
        await asyncio.sleep(0.1)
    return appends
