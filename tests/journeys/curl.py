"""`curl -N`, as an operator types it: the stream's bytes as they arrive."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.cast import Person
from tests.waiting import eventually


class Curl:
    """A running curl; `said` is all it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process, self.said = process, b""
        self._task = asyncio.ensure_future(self._take())

    async def _take(self) -> None:
        assert self._process.stdout is not None
        while data := await self._process.stdout.read(65536):
            self.said += data

    def frames(self) -> list[bytes]:
        """Return the complete frames of messages so far, byte for byte."""
        return [frame for frame in self.said.split(b"\n\n")[:-1] if b"event: " not in frame]

    async def prints(self, count: int, limit: float = 20.0) -> list[bytes]:
        """Wait for so many messages; return their frames."""
        await eventually(lambda: len(self.frames()) >= count, limit)
        return self.frames()

    async def ends(self) -> None:
        """Stop it with Ctrl-C."""
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()
        await self._task


@asynccontextmanager
async def curling(person: Person, cursor: str = "") -> AsyncIterator[Curl]:
    """Run `curl -N -H 'Last-Event-ID: …' …/api/chat/stream`; yield once the stream has begun."""
    headers = [f"Authorization: Bearer {person.token}", *([f"Last-Event-ID: {cursor}"] if cursor else [])]
    options = [option for header in headers for option in ("-H", header)]
    process = await asyncio.create_subprocess_exec(
        "curl", "-sN", *options, f"{person.at}/api/chat/stream", stdout=asyncio.subprocess.PIPE
    )
    curl = Curl(process)
    try:
        await eventually(lambda: b"event: ready" in curl.said)
        yield curl
    finally:
        await curl.ends()
