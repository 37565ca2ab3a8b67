"""The example *assistant*: it answers a mention with growing text, and stops when a reader asks."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.cast import Cast, Person
from tests.nodes import Node
from tests.verbs import begins, pages
from tests.waiting import eventually

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "deploy" / "examples" / "assistant"
SCOPES = ["messages:read", "messages:write", "users:read"]


@asynccontextmanager
async def running(url: str, key: str) -> AsyncIterator[asyncio.StreamReader]:
    """Run the example; yield what it prints."""
    environment = os.environ | {"TANDEM_SERVER": url, "TANDEM_KEY": key, "PYTHONPATH": str(ROOT)}
    program = str(EXAMPLE / "assistant.py")
    process = await asyncio.create_subprocess_exec(sys.executable, program, env=environment, stdout=PIPE, stderr=STDOUT)
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.kill()
        await process.wait()


async def says(printed: asyncio.StreamReader, words: str) -> None:
    """Wait for a line of the program that contains these words."""
    async with asyncio.timeout(60):
        line = (await printed.readline()).decode()
    assert words in line, line + (await printed.read()).decode()


async def test_the_assistant_answers_and_can_be_stopped(cast: Cast, node: Node) -> None:
    """The first answer is whole; the second ends where Ana stops it, and both stay in the history."""
    ada, ana = [*await cast.enters("ada", role="admin"), *await cast.enters("ana")]
    status, made = await ada.call("POST", "/api/keys", {"name": "Assistant", "scopes": SCOPES})
    assert status == 201, made
    bot = Person(cast.http, node.url, "assistant-bot", made["key"]["user"]["id"], made["secret"])
    room = await begins(ada, "channel", "kitchen", ana, bot)
    async with running(node.url, made["secret"]) as printed:
        await says(printed, "listening")
        await ana.says(room, "@assistant-bot What is for lunch?")
        await says(printed, "answer 2 is complete")
        await ana.says(room, "@assistant-bot And for dinner?")

        async def grows() -> bool:
            last = (await pages(ana, room, "limit=1"))["messages"][0]
            return bool(last["seq"] == 4 and last["body"])

        await eventually(grows, 30)
        status, _ = await ana.call("POST", f"/api/chat/conversations/{room}/messages/4/stop")
        assert status == 202
        await says(printed, "answer 4 is cancelled")
    first, second = (await pages(ana, room))["messages"][1::2]
    assert (first["state"], second["state"]) == ("complete", "cancelled")
    assert first["body"].startswith("You asked: *What is for lunch?*")
    assert first["body"].count("## Course") == 5 > second["body"].count("## Course")


def test_the_example_is_short() -> None:
    """It has at most forty lines, and its README names the command."""
    assert len((EXAMPLE / "assistant.py").read_text().splitlines()) <= 40
    assert "assistant.py`" in (EXAMPLE / "README.md").read_text().splitlines()[0]
