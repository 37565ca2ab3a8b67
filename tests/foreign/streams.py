"""Third-party clients of the stream, from npm and PyPI, curl and Chromium: programs that print what they read."""

import asyncio
import json
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from playwright.async_api import Browser, Page

from tests.foreign.programs import FOLDER, install_packages, node_program

ROOT = FOLDER.parents[1]
LINE_MOST = 2**20
READ_IN_CHROMIUM = """path => {
    window.bodies = [];
    window.errors = 0;
    window.source = new EventSource(path);
    source.onmessage = event => bodies.push(JSON.parse(event.data).body);
    source.onerror = () => errors++;
}"""


class Heard:
    """The bodies that each client has printed, in order."""

    def __init__(self) -> None:
        self.by_client: dict[str, list[str]] = defaultdict(list)
        self.states: list[int] = []  # of the EventSource of npm, at each of its errors

    def all_have(self, clients: int, count: int) -> bool:
        """Return whether so many clients have as many messages each."""
        return len(self.by_client) == clients and all(len(one) >= count for one in self.by_client.values())

    async def take(self, output: asyncio.StreamReader) -> None:
        """Read the lines that a program prints."""
        async for line in output:
            said = json.loads(line)
            if "state" in said:
                self.states.append(said["state"])
            else:
                self.by_client[said["client"]].append(said["body"])


@asynccontextmanager
async def reading(heard: Heard, *command: str) -> AsyncIterator[None]:
    """Run a program whose clients read until the end of the block."""
    pipe = asyncio.subprocess.PIPE
    trusting = os.environ | {"NODE_TLS_REJECT_UNAUTHORIZED": "0", "NODE_NO_WARNINGS": "1"}  # certificates of tests
    process = await asyncio.create_subprocess_exec(
        *command, env=trusting, stdin=pipe, stdout=pipe, cwd=ROOT, limit=LINE_MOST
    )
    assert process.stdin
    assert process.stdout
    taking = asyncio.ensure_future(heard.take(process.stdout))
    try:
        yield
    finally:
        process.stdin.close()
        await process.wait()
        await taking


def npm_reading(heard: Heard, url: str, token: str, *clients: str) -> AbstractAsyncContextManager[None]:
    """Run these clients of npm, by default all."""
    install_packages()
    return reading(heard, node_program(), str(FOLDER / "readers.mjs"), url, token, *clients)


def pypi_reading(heard: Heard, url: str, token: str) -> AbstractAsyncContextManager[None]:
    """Run the clients of PyPI, and curl."""
    return reading(heard, sys.executable, "-m", "tests.foreign.readers", url, token)


@asynccontextmanager
async def chromium_reading(browser: Browser, url: str, path: str, token: str) -> AsyncIterator[Page]:
    """Open a page with `new EventSource(path)`, whose bodies are in `window.bodies`."""
    context = await browser.new_context(ignore_https_errors=True, bypass_csp=True)
    await context.add_cookies([{"name": "tandem", "value": token, "url": url}])
    page = await context.new_page()
    await page.goto(f"{url}/api/users/me")  # any page of this server
    await page.evaluate(READ_IN_CHROMIUM, path)
    yield page
    await context.close()
