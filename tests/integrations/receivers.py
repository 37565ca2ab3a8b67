"""Receivers of outgoing hooks: programs at an address on loopback that answer well or badly."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web

MEGABYTES = b"x" * 1024 * 1024


class Flooding(Protocol):
    """A program that answers too much. `sent`: bytes that were taken."""

    sent: int


async def send_megabytes(program: Flooding, request: web.Request, status: int = 200) -> web.StreamResponse:
    """Answer with ten megabytes, until the client has enough of them."""
    answer = web.StreamResponse(status=status)
    await answer.prepare(request)
    try:
        for _ in range(10):
            await answer.write(MEGABYTES)
            program.sent += len(MEGABYTES)
    except ConnectionError:
        pass
    return answer


@dataclass
class Receiver:
    """A program. `calls`: path, headers and body of each request; `answers`: statuses to answer first; `reply`: what it
    answers; `sent`: bytes of its large answer that were taken."""

    url: str = ""
    calls: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    reply: Any = None
    sent: int = 0
    go: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def events(self) -> list[dict[str, Any]]:
        """Return the bodies that arrived, in order."""
        return [json.loads(body) for _, _, body in self.calls]

    @property
    def texts(self) -> list[str]:
        """Return the texts of the messages that arrived, in order."""
        return [event["data"].get("body", "") for event in self.events]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer as the path says."""
        self.calls.append((request.path, dict(request.headers), await request.read()))
        if self.answers:
            return web.Response(status=self.answers.pop(0), text="not now")
        if request.path == "/slow":
            await self.go.wait()
        if request.path == "/redirect":
            return web.Response(status=302, headers={"Location": f"{self.url}/inside"})
        if request.path == "/huge":
            return await send_megabytes(self, request)
        return web.json_response(self.reply) if self.reply is not None else web.Response(text="ok")


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Run a receiver on 127.0.0.1."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", receiver.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        receiver.go.set()
        await runner.cleanup()
