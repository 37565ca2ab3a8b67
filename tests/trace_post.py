"""The files and functions that a request enters, up to the bytes that leave for its readers.

    python -m tests.trace_post              the figures of every request in CASES, beside their limits
    python -m tests.trace_post post         each function that a post enters, in order, with its file

A jump is a call of a function in another file, or its return. A coroutine that waits and goes on is neither: how often
that happens depends on how busy the machine is. The node's own ticks run at the same time, so each request is traced
several times, and only functions that every round enters count. The exit code is 1 over a limit.
"""

import argparse
import asyncio
import itertools
import opcode
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from chat.local.engine import ValkeyEngine
from chat.local.postgres import PostgresEngine
from chat.migrations import migrate
from tests.cast import Cast, Person, casting
from tests.databases import as_node, fresh_database, set_fsync
from tests.nodes import running_node
from tests.presence.presence_client import opens_presence
from tests.verbs import begins
from tests.waiting import breathe, eventually

ROOT = str(Path(__file__).parent.parent)
OURS = (f"{ROOT}/chat/", f"{ROOT}/presence/")
NOT_THE_NODE = f"{ROOT}/chat/client/"  # the reader of the tests
YIELD = opcode.opmap["YIELD_VALUE"]
ROUNDS = 7
Step = tuple[str, str]
Action = Callable[[], Awaitable[Any]]


@dataclass
class Trace:
    """The functions that were entered, as (file, function); `steps` has those that were returned to as well."""

    last: str = ""  # the function whose call ends the trace
    calls: list[Step] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    entered: dict[int, FrameType] = field(default_factory=dict)  # the calls that have not returned; by id of the frame

    def note(self, frame: FrameType, event: str, _: Any) -> None:
        """Record a call or a return, for `sys.setprofile`."""
        if event not in ("call", "return") or not is_ours(frame.f_code.co_filename) or self.is_complete():
            return
        if event == "return" and not is_suspended(frame):
            self.entered.pop(id(frame), None)
            if frame.f_back and is_ours(frame.f_back.f_code.co_filename):
                self.steps.append(step_of(frame.f_back))
        elif event == "call" and id(frame) not in self.entered and not frame.f_code.co_name.startswith("<"):
            self.entered[id(frame)] = frame
            self.calls.append(step_of(frame))
            self.steps.append(step_of(frame))

    def is_complete(self) -> bool:
        """Return whether the last function has been called."""
        return bool(self.calls) and self.calls[-1][1] == self.last

    @property
    def files(self) -> list[str]:
        """Return each file once, in the order of entry."""
        return list(dict.fromkeys(file for file, _ in self.calls))

    @property
    def jumps(self) -> int:
        """Return how often a call or a return led to another file."""
        return sum(one[0] != other[0] for one, other in zip(self.steps, self.steps[1:], strict=False))


def step_of(frame: FrameType) -> Step:
    """Return the file and the function of a frame."""
    return frame.f_code.co_filename.removeprefix(f"{ROOT}/"), frame.f_code.co_qualname


def is_suspended(frame: FrameType) -> bool:
    """Return whether the function waits, or yields, instead of ending."""
    return frame.f_code.co_code[frame.f_lasti] == YIELD


def is_ours(file: str) -> bool:
    """Return whether a file belongs to the node."""
    return file.startswith(OURS) and not file.startswith(NOT_THE_NODE)


async def trace(action: Action, last: str) -> Trace:
    """Run the action several times; return the shortest trace, without functions that another round does not enter."""
    traces = []
    for _ in range(ROUNDS):
        await breathe(0.2)  # work left over from the round before is done
        taken = Trace(last)
        sys.setprofile(taken.note)
        try:
            await action()
        finally:
            sys.setprofile(None)
        traces.append(taken)
    always = set.intersection(*(set(one.calls) for one in traces))
    shortest = min(traces, key=lambda one: len(one.calls))
    kept = [[step for step in steps if step in always] for steps in (shortest.calls, shortest.steps)]
    return Trace(last, *kept)


@asynccontextmanager
async def stage() -> AsyncIterator[Cast]:
    """A node with an empty database, and its users."""
    with (
        tempfile.TemporaryDirectory(prefix="tandem-trace-") as folder,
        PostgresEngine(Path(folder) / "postgres") as postgres,
        ValkeyEngine(Path(folder) / "valkey") as valkey,
        fresh_database(postgres.url, "tandem_trace") as url,
    ):
        set_fsync(postgres.url, on=False)
        await migrate(url, as_node(url))
        async with running_node(url, valkey.url) as node, casting(url, node.url) as cast:
            yield cast


async def post(ana: Person, ben: Person, room: int) -> Action:
    """Ana posts, until Ben's stream has the message."""
    reader = await ben.listens()

    async def act() -> None:
        before = len(reader.messages())
        await ana.says(room, "Shall we cook, @ben?")
        await eventually(lambda: len(reader.messages()) > before)

    return act


async def open_stream(_: Person, ben: Person, __: int) -> Action:
    """Ben opens a stream before the newest message, which is replayed, until the stream is live."""

    async def act() -> None:
        await (await ben.listens("")).cuts_wire()

    return act


async def upload(ana: Person, _: Person, __: int) -> Action:
    """Ana uploads a file of a kilobyte in one request."""

    async def act() -> None:
        headers = {"Content-Type": "application/octet-stream"}
        status, _ = await ana.call("POST", "/api/files?name=notes.txt", data=b"x" * 1000, headers=headers)
        assert status == 201, status

    return act


async def search(_: Person, ben: Person, __: int) -> Action:
    """Ben searches for a word."""

    async def act() -> None:
        status, _ = await ben.call("GET", "/api/chat/search?q=cook")
        assert status == 200

    return act


async def status_change(ana: Person, ben: Person, _: int) -> Action:
    """Ana changes her status; until Ben's socket has the change."""
    ben_sees, ana_says = await opens_presence(ben), await opens_presence(ana)
    await ben_sees.watches(ana)
    texts = itertools.count(1)

    async def act() -> None:
        text = f"lunch {next(texts)}"
        await ana_says.says("status", status="dnd", text=text)
        await eventually(lambda: ben_sees.people[ana.id]["text"] == text)

    return act


# How to make the request, the function that ends it ("" for its answer), and the most files and jumps.
CASES: dict[str, tuple[Callable[[Person, Person, int], Awaitable[Action]], str, int, int]] = {
    "post": (post, "SseStream.write", 25, 160),
    "open_stream": (open_stream, "", 26, 150),
    "upload": (upload, "", 14, 85),
    "search": (search, "", 14, 70),
    "status_change": (status_change, "Watchers._send_news", 20, 75),
}


async def trace_case(cast: Cast, name: str) -> Trace:
    """Trace a request of CASES between two users of a node that nobody else uses."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, "channel", "kitchen", ben)
    await ana.says(room, "cook")
    make, last, *_ = CASES[name]
    act = await make(ana, ben, room)
    for _ in range(3):
        await act()
    return await trace(act, last)


async def run(wanted: list[str], detailed: bool) -> int:
    """Trace each case and print its figures; return the exit code."""
    over = 0
    for name in wanted:
        async with stage() as cast:
            found = await trace_case(cast, name)
        if detailed:
            print(*(f"{file:45} {function}" for file, function in found.calls), sep="\n")
        files, jumps, (files_most, jumps_most) = len(found.files), found.jumps, CASES[name][2:]
        print(f"{name:13} {files:3} files (at most {files_most})  {jumps:4} jumps (at most {jumps_most})")
        over += files > files_most or jumps > jumps_most
    return int(over > 0)


def main() -> None:
    """Run the command that the heading of this file describes."""
    parser = argparse.ArgumentParser(prog="python -m tests.trace_post", description="What a request enters.")
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="which requests (default: all)")
    asked = parser.parse_args()
    sys.exit(asyncio.run(run(asked.cases or list(CASES), bool(asked.cases))))


if __name__ == "__main__":
    main()
