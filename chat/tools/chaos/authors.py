"""Authors of streamed messages, and other systems: one puts messages into a queue, one receives what hooks deliver.

Authors write text piece by piece, repeat requests, are asked to stop, or die. The receiver of hooks can misbehave.
"""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from chat.integrations.deliveries import SECONDS as HOOK_SECONDS
from chat.shared.bus import nats_connection, rabbit_connection
from chat.shared.message_queue import Outgoing, publish_all
from chat.shared.redis import UNAVAILABLE
from chat.tools.chaos.clients import ChaosPoster, ChaosReader
from chat.tools.chaos.environment import QUEUE
from chat.tools.chaos.history import Key, Place, PostedMessage, PostReceipt, RunHistory, WrittenText
from chat.tools.chaos.network import Proxy, bad_network

# Pieces as a language model makes them: scripts of both directions, characters of one to four bytes, clusters that a
# piece may cut in two, and what JSON, HTML and event streams must escape.
PIECES = (
    *("The ", "build", " is", " green", ".\n\n", "сборка ", "готова", "ビルド", "は成功", "빌드 ", "שלום ", "مرحبا "),
    *("🥨", "👩", "\u200d", "🚀", "𝔘𝔫𝔦", "𠮷", "e", "\u0301", "ि", "क", '"', "\\", "\\n", "<b>", "&amp;", "data: x\n"),
    *("```py\n", "id: 7\n\n", "  ", "\t", "~", "0"),
)
PIECES_LEAST, PIECES_MOST = 5, 60
PIECE_PAUSE = (0.02, 0.15)  # seconds between two pieces
REPEATED, OVERLAPPING = 0.1, 0.1  # how often a piece goes to two nodes at once, or begins within what is stored
# How a message ends, and how often. An author that is asked to stop ends it as "cancelled". One that dies never does,
# nor one that is logged out meanwhile, who may append nothing from then on.
DIES, STOPPED, REVOKED = "dies", "stopped", "revoked"
FATES = {"complete": 55, "cancelled": 5, "failed": 5, STOPPED: 10, DIES: 15, REVOKED: 10}
LOG_OUT = "/api/sessions/current"
REVOKED_SECONDS = 10.0  # in which also a node that lost Redis or PostgreSQL has noticed (others within a second)
EARLY = 1.0  # seconds by which the server's silence may seem shorter than ours


def draw_text(chance: random.Random, count: int) -> list[str]:
    """Return that many pieces."""
    return chance.choices(PIECES, k=count)


class ChaosAuthor:
    """Writes streamed messages as the user of `poster`.

    `reader` is the user's own stream, `asker` another user that asks them to stop, `urls()` are the nodes. `idle` is
    after how many seconds of silence the server ends a message. `log_in()` returns a poster with a session of its own,
    for a message whose session ends. `ended` counts messages that the server ended first, `revoked` those whose author
    was logged out, and `asked_to_stop` holds those for which a request to stop was accepted.
    """

    def __init__(
        self,
        poster: ChaosPoster,
        reader: ChaosReader,
        asker: ChaosPoster,
        urls: Callable[[], Sequence[str]],
        history: RunHistory,
        idle: float,
        chance: random.Random,
        log_in: Callable[[], Awaitable[ChaosPoster]],
    ) -> None:
        self.poster, self.reader, self.asker = poster, reader, asker
        self.ended = self.appends = self.revoked = 0
        self.asked_to_stop: list[Place] = []
        self._urls, self._history, self._idle, self._chance, self._log_in = urls, history, idle, chance, log_in
        self._active: dict[Place, float] = {}  # when the last acknowledged request was sent

    async def write(self, http: aiohttp.ClientSession, conversation: int, going: Callable[[], bool]) -> WrittenText:
        """Write one message, whose fate chance decides, and return it. It ends sooner when `going()` is false."""
        (fate,) = self._chance.choices(list(FATES), list(FATES.values()))
        poster = await self._log_in() if fate == REVOKED else self.poster
        began = time.monotonic()  # an early attempt may have stored the message, and its answer been lost
        _, message = await poster.say(http, conversation, streaming=True)
        place = conversation, message.seq
        self._active[place] = began
        written = self._history.written[place] = WrittenText()
        pieces = draw_text(self._chance, self._chance.randint(PIECES_LEAST, PIECES_MOST))
        for n, piece in enumerate(pieces):
            if n == len(pieces) // 2 and fate == STOPPED:
                await self._ask_to_stop(http, place)
            if n == len(pieces) // 2 and fate == REVOKED:
                break
            if place in self.reader.stop_requests or not going():
                break
            if n:
                await asyncio.sleep(self._chance.uniform(*PIECE_PAUSE))
            if not await self._append(http, poster, place, written, piece):
                return written
        if fate == DIES:
            written.left = time.monotonic()
        elif fate == REVOKED:
            await self._log_out(http, poster, place, written)
        else:
            await self._finish(http, place, written, "cancelled" if fate == STOPPED else fate)
        return written

    async def _append(
        self, http: aiohttp.ClientSession, poster: ChaosPoster, place: Place, written: WrittenText, piece: str
    ) -> bool:
        """Append until it is acknowledged; return False if the server has ended the message."""
        before = len(written.text)
        at = before - min(before, self._chance.randint(1, 5)) if self._chance.random() < OVERLAPPING else before
        written.text += piece
        order = {"at": at, "text": written.text[at:]}
        urls = self._chance.sample(self._urls(), 2) if self._chance.random() < REPEATED else [""]
        while True:
            sent = time.monotonic()
            asks = [self._ask(http, poster, place, "append", order, url) for url in urls]
            for status, answer in await asyncio.gather(*asks):
                if status == 409:
                    self._note_end(answer, place)
                    return False
                if status == 200 and answer["length"] != len(written.text):
                    self.poster.surprises.append((status, f"{place}: {answer} of {len(written.text)}".encode()))
                if status == 200:
                    self._active[place], written.acknowledged = sent, len(written.text)
            if self._active[place] == sent:
                self.appends += 1
                return True
            await asyncio.sleep(self.poster.pause)

    async def _finish(self, http: aiohttp.ClientSession, place: Place, written: WrittenText, state: str) -> None:
        while True:
            status, answer = await self._ask(http, self.poster, place, "finish", {"state": state})
            if status == 200:
                written.state = state
                return
            if status == 409:
                self._note_end(answer, place)
                return
            await asyncio.sleep(self.poster.pause)

    async def _ask(
        self,
        http: aiohttp.ClientSession,
        poster: ChaosPoster,
        place: Place,
        verb: str,
        order: dict[str, Any],
        url: str = "",
        also: int = 409,
    ) -> tuple[int, Any]:
        return await poster.ask(http, f"{place[0]}/messages/{place[1]}/{verb}", order, {200, 409, also}, url)

    async def _log_out(
        self, http: aiohttp.ClientSession, poster: ChaosPoster, place: Place, written: WrittenText
    ) -> None:
        """End the session with which the message is written. Append, and then read, until that is refused."""
        status, order = 0, {"at": len(written.text), "text": "~"}
        while status not in (204, 401):
            await asyncio.sleep(poster.pause)
            status, _ = await poster.ask(http, LOG_OUT, None, {204, 401}, method="DELETE")
        left, status = time.monotonic(), 0
        written.text += "~"
        while status not in (401, 409):
            status, _ = await self._ask(http, poster, place, "append", order, also=401)
            if status == 200:
                written.acknowledged = len(written.text)
            await asyncio.sleep(poster.pause)
        while status != 401:
            sent = time.monotonic()
            status, _ = await poster.ask(http, f"{place[0]}/messages", None, {200, 401}, method="GET")
            if status == 200 and sent > left + REVOKED_SECONDS:
                poster.surprises.append((status, f"{place}: read {sent - left:.1f} s after log-out".encode()))
            await asyncio.sleep(poster.pause)
        written.left = time.monotonic()
        self.revoked += 1

    def _note_end(self, answer: Any, place: Place) -> None:
        """Note that the server has ended the message, which it may only after a silence: nothing else is a conflict."""
        silence = time.monotonic() - self._active[place]
        if answer["code"] != "finished" or silence < self._idle - EARLY:
            self.poster.surprises.append((409, f"{place} after {silence:.1f} s: {answer}".encode()))
        self.ended += 1

    async def _ask_to_stop(self, http: aiohttp.ClientSession, place: Place) -> None:
        while True:
            status, _ = await self.asker.ask(http, f"{place[0]}/messages/{place[1]}/stop", {}, {202, 409})
            if status:
                if status == 202:
                    self.asked_to_stop.append(place)
                return
            await asyncio.sleep(self.asker.pause)


# Another system puts messages into the queue, each again and again until the broker has confirmed it.

PUT_PAUSE, QUEUED = 0.05, "queued-"


class QueueProducer:
    """A producer. `confirmed` is what the broker has stored; `allowed` is cleared while the broker loses its data."""

    def __init__(self, url: str, history: RunHistory) -> None:
        self._url, self._history = url, history
        self._numbers = itertools.count(1)
        self.confirmed: set[Key] = set()
        self.allowed = asyncio.Event()
        self.allowed.set()

    async def produce(self, going: Callable[[], bool], choose: Callable[[], tuple[int, int]]) -> None:
        """Put messages into the queue until `going` is false; `choose` returns the conversation and the author."""
        left: list[tuple[Key, bytes]] = []
        while going() or left:
            try:
                async with self._open() as publish:
                    while going() or left:
                        await self.allowed.wait()
                        key, body = left.pop() if left else self._write(*choose())
                        left.append((key, body))
                        await publish(body)
                        self.confirmed.add(left.pop()[0])
                        await asyncio.sleep(PUT_PAUSE)
            except UNAVAILABLE:
                await asyncio.sleep(PUT_PAUSE)

    def _write(self, conversation: int, author: int) -> tuple[Key, bytes]:
        key = conversation, author, f"{QUEUED}{next(self._numbers)}"
        body = f"{key[2]} says: что-нибудь, 何か, شيء ما 🥨"
        self._history.send(key, body)
        return key, orjson.dumps({"conversation": conversation, "author": author, "body": body, "client_id": key[2]})

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Callable[[bytes], Awaitable[object]]]:
        """Connect to the broker; yield a function that returns when it has stored a message."""
        if self._url.startswith("amqp"):
            async with rabbit_connection(self._url) as connection:
                exchange = (await connection.channel(on_return_raises=True)).default_exchange
                yield lambda body: publish_all(exchange, [Outgoing("", QUEUE, {}, body)])
        else:
            async with nats_connection(self._url) as client:
                stream = client.jetstream(timeout=2)
                yield lambda body: stream.publish(QUEUE, body)


# Another system receives what outgoing hooks deliver, and misbehaves when it is told to.

SILENT, REFUSING, FAILING, REDIRECTING, FLOODING = "silent", "refusing", "failing", "redirecting", "flooding"
MISDEEDS = SILENT, REFUSING, FAILING, REDIRECTING, FLOODING
REDIRECTS = (301, 302, 303, 307, 308)
FLOOD = 10 * [bytes(1024 * 1024)]
ATTEMPTS_MANY = 3  # after which the next attempt of a hook may be half a minute away, or more


class HookReceiver:
    """A program that hooks deliver to. Its requests to nodes go through `http`.

    `misdeed` is how it misbehaves, empty while it is well; `bad` counts the requests meanwhile. `hooks` has the owner
    and the id of each conversation's hook.
    """

    def __init__(self, history: RunHistory, http: aiohttp.ClientSession) -> None:
        self._history, self._http = history, http
        self.misdeed, self._redirects, self._elsewhere = "", itertools.cycle(REDIRECTS), ""
        self.bad: Counter[str] = Counter()
        self.hooks: dict[int, tuple[ChaosPoster, int]] = {}
        self._last: Counter[int] = Counter()  # numbers, by conversation
        self._deck: list[str] = []
        self._link: Proxy

    @asynccontextmanager
    async def serves(self) -> AsyncIterator[None]:
        """Receive on loopback. A second address there, to which it redirects, must never be asked."""
        app = web.Application()
        app.router.add_post("/{conversation}", self._receive)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        elsewhere = await asyncio.start_server(self._note_visit, "127.0.0.1", 0)
        self._elsewhere = f"http://127.0.0.1:{elsewhere.sockets[0].getsockname()[1]}/"
        try:
            async with elsewhere, bad_network(f"http://127.0.0.1:{runner.addresses[0][1]}") as self._link:
                yield
        finally:
            await runner.cleanup()

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        body, misdeed = await request.read(), self.misdeed
        self.bad.update([misdeed] if misdeed else [])
        if misdeed == SILENT:
            await asyncio.sleep(2 * HOOK_SECONDS)  # the node hangs up before
        if misdeed in (SILENT, FAILING):
            return web.Response(status=500)
        if misdeed == REDIRECTING:
            return web.Response(status=next(self._redirects), headers={"Location": self._elsewhere})
        self._take(int(request.match_info["conversation"]), request.headers["webhook-id"], orjson.loads(body))
        return await self._flood(request) if misdeed == FLOODING else web.Response()

    def _take(self, conversation: int, id_: str, event: dict[str, Any]) -> None:
        """Record a delivery, whose id ends with the position in the log."""
        receipt = PostReceipt(int(id_.rpartition("_")[2]), PostedMessage.from_json(event["data"]))
        self._history.deliver(name_hook(conversation), receipt)
        self._last[conversation] = max(self._last[conversation], receipt.message.seq)

    async def _flood(self, request: web.Request) -> web.StreamResponse:
        """Answer with success and 10 MB, of which the node reads some."""
        answer = web.StreamResponse()
        try:
            await answer.prepare(request)
            for piece in FLOOD:
                await answer.write(piece)
        except ConnectionError:
            pass
        return answer

    async def _note_visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._history.followed.append((await reader.readline()).decode(errors="replace").strip())
        while (await reader.readline()).strip():
            pass
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    def draw_misdeed(self, chance: random.Random) -> str:
        """Return one of the misdeeds. Every one comes once before any comes twice."""
        self._deck = self._deck or chance.sample(MISDEEDS, len(MISDEEDS))
        return self._deck.pop()

    async def misbehave(self, misdeed: str, seconds: float) -> None:
        """Answer badly for a while, or refuse connections."""
        self.misdeed = misdeed
        self.bad.setdefault(misdeed, 0)
        if misdeed == REFUSING:
            await self._link.refuse()
        await asyncio.sleep(seconds)
        if misdeed == REFUSING:
            await self._link.accept()
        self.misdeed = ""

    async def follow(self, owner: ChaosPoster, conversation: int) -> None:
        """Make the hook of a conversation, before its first message."""
        self._history.add_hook(name_hook(conversation), conversation)
        order = {"url": f"{self._link.url}/{conversation}", "events": ["message"]}
        while conversation not in self.hooks:
            status, made = await owner.ask(self._http, f"{conversation}/hooks", order, {201})
            if status:
                self.hooks[conversation] = owner, made["hook"]["id"]

    async def turn_on_again(self) -> bool:
        """Turn hooks off and on that have failed often, so that they are tried at once. Return False to be repeated."""
        asked = [self._turn_on_again(*hook, conversation) for conversation, hook in self.hooks.items()]
        return all(await asyncio.gather(*asked))

    async def _turn_on_again(self, owner: ChaosPoster, hook_id: int, conversation: int) -> bool:
        place = f"{conversation}/hooks"
        status, listed = await owner.ask(self._http, place, None, {200}, method="GET")
        if not status or listed["hooks"][0]["attempts"] < ATTEMPTS_MANY:
            return bool(status)
        for enabled in (False, True):
            order = {"enabled": enabled}
            status, _ = await owner.ask(self._http, f"{place}/{hook_id}", order, {204}, method="PATCH")
            if not status:
                return False
        return True

    def has(self, wanted: dict[int, int]) -> bool:
        """Return whether every hook has delivered up to the number in `wanted`, by conversation."""
        return all(self._last[conversation] >= wanted[conversation] for conversation in self.hooks)


def name_hook(conversation: int) -> str:
    """Return the name of a conversation's hook, as a reader in the history."""
    return f"hook of conversation {conversation}"
