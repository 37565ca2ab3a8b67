"""Messages that are read while they are written: a reader's text, and an author's `MessageWriter`.

A reader applies each `append` at its offset, so text that it already has changes nothing::

    texts = StreamedTexts()
    async for entry in client.stream(cursor):
        if message := texts.apply(entry):
            print(message.text, message.state)

All lengths and offsets are Unicode code points, which is what `len` counts.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import suppress
from typing import Any, Protocol, Self

from chat.client.sse import StreamEvent

Json = dict[str, Any]
Source = AsyncIterator[str]
PIECE_MOST = 4_000  # characters in one request
WAITING_MOST = 2_000  # characters that may wait for the server before `append` does
ALIVE_SECONDS = 20.0  # after which an author who has nothing to say tells the server that they are still there
LAST_SECONDS = 5.0  # for the last requests of an author that fails or is cancelled


class TextGap(ValueError):
    """An append begins beyond the text that the reader has. Read the message from the history again."""


class StreamedText:
    """A reader's text of one message. `state` is "" until the message is finished.

    The time of all appends is linear in the text, however much of it is repeated.
    """

    def __init__(self, conversation: int, seq: int, body: str = "") -> None:
        self.conversation, self.seq, self.state = conversation, seq, ""
        self._pieces, self.length = [body], len(body)

    @property
    def text(self) -> str:
        """The text so far."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0]

    def append(self, at: int, text: str) -> str:
        """Apply text that begins at offset `at`; return the new part. Raise `TextGap` if it begins beyond the end."""
        if at > self.length:
            raise TextGap(f"Text at {at} does not follow the {self.length} characters before it.")
        new = text[self.length - at :]
        if new:
            self._pieces.append(new)
            self.length += len(new)
        return new


class StreamedTexts:
    """The messages that are being written, by what a stream says about them. A finished message is forgotten."""

    def __init__(self) -> None:
        self._texts: dict[tuple[int, int], StreamedText] = {}

    def begin(self, message: Json) -> StreamedText:
        """Start with a message, as a stream or the history returns it."""
        key = message["conversation"], message["seq"]
        self._texts[key] = StreamedText(*key, message.get("body", ""))
        return self._texts[key]

    def apply(self, entry: StreamEvent) -> StreamedText | None:
        """Apply an entry of the stream; return the message that it changes, None if it changes none.

        An unknown message, which began before the stream did, is skipped until `begin` has its text so far.
        """
        if entry.event not in ("message", "append", "finish", "delete"):
            return None
        fields = entry.json()
        if entry.event == "message":
            return self.begin(fields) if fields.get("streaming") else None
        key = fields["conversation"], fields["seq"]
        if (message := self._texts.get(key)) is None:
            return None
        if entry.event == "append":
            message.append(fields["at"], fields["text"])
        else:
            message.state = fields.get("state", "deleted")
            del self._texts[key]
        return message


class MessageStopped(Exception):
    """A reader has asked the author to stop. Leave the `async with` block: the message is then "cancelled"."""


class MessageEnded(Exception):
    """The server has ended the message: its author was silent for too long, or it was deleted or finished elsewhere."""


class Api(Protocol):
    """The client's methods that a writer uses."""

    async def command(self, name: str, conversation: int, fields: Json, accept: Sequence[str] = ()) -> Json:
        """Post, append or finish until that is answered; return the problem too if its code is in `accept`."""

    async def begin_watch(self) -> str | None:
        """Return from where `wait_for_stop` looks, None if it cannot look."""

    async def wait_for_stop(self, conversation: int, seq: int, since: str) -> None:
        """Wait until a reader asks the author of a message to stop."""


class MessageWriter:
    """A message that its author writes piece by piece; `Client.stream_message` makes one.

    `message` is the message as the server last returned it, `length` how much text it has acknowledged. Text that is
    appended while a request is under way goes out together with the next one, so fast authors make few requests.
    """

    def __init__(self, api: Api, conversation: int, draft: Json, source: Source | None = None) -> None:
        self.message: Json = {}
        self.length = 0
        self._api, self._draft, self._source = api, draft, source
        self._conversation = conversation
        self._pieces: list[str] = []  # all of the text, in case the server lost some of what it had acknowledged
        self._waiting: list[str] = []
        self._given = 0
        self._wrong: BaseException | None = None
        self._stopped, self._changed = asyncio.Event(), asyncio.Condition()
        self._group, self._tasks = asyncio.TaskGroup(), list[asyncio.Task[None]]()

    @property
    def stopped(self) -> bool:
        """True once a reader has asked the author to stop."""
        return self._stopped.is_set()

    async def __aenter__(self) -> Self:
        since = await self._api.begin_watch()
        answer = await self._api.command("post", self._conversation, self._draft)
        self.message = answer["message"]
        self._pieces = [self.message["body"]]  # not empty if an earlier process used the same `client_id`
        self.length = self._given = len(self._pieces[0])
        await self._group.__aenter__()
        self._tasks = [self._group.create_task(self._send_on(), name="append to a message")]
        if since is not None:
            self._tasks.append(self._group.create_task(self._watch(since), name="wait for a stop"))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        stopped = kind is not None and issubclass(kind, MessageStopped)
        try:
            if kind is None or stopped:
                await self.finish("cancelled" if stopped else "complete")
            else:
                await self._give_up("cancelled" if issubclass(kind, asyncio.CancelledError) else "failed")
        except Exception:
            await self._give_up("failed")
            raise
        finally:
            for task in self._tasks:
                task.cancel()
            await self._group.__aexit__(None, None, None)
        return stopped

    async def _give_up(self, state: str) -> None:
        """End the message with what can be sent in a short time. The server ends it later if that fails."""
        if not isinstance(self._wrong, MessageEnded):
            with suppress(Exception):
                async with asyncio.timeout(LAST_SECONDS):
                    if self._wrong is None:
                        await self.flush()
                    await self._end(state)

    def __await__(self) -> Generator[Any, None, Json]:
        return self._send_source().__await__()

    async def _send_source(self) -> Json:
        """Send the whole source; return the finished message."""
        if self._source is None:
            raise TypeError("await needs a source; without one use `async with` and `append`")
        async with self:
            await self._until_stopped(self._source)
        return self.message

    async def _until_stopped(self, source: Source) -> None:
        """Append all of the source, but cancel that when a reader asks to stop."""
        async with asyncio.TaskGroup() as group:
            pump = group.create_task(self._pump(source), name="read a source")
            stop = group.create_task(self._cancel_when_stopped(pump), name="cancel a source")
            await asyncio.wait([pump])
            stop.cancel()
        if self.stopped:
            raise MessageStopped
        if wrong := pump.result():
            raise wrong

    async def _pump(self, source: Source) -> Exception | None:
        """Append all of the source, and close it; return what went wrong."""
        try:
            async for text in source:
                await self.append(text)
        except Exception as wrong:
            return wrong
        finally:
            if close := getattr(source, "aclose", None):
                await close()
        return None

    async def _cancel_when_stopped(self, work: asyncio.Task[Exception | None]) -> None:
        await self._stopped.wait()
        work.cancel()

    async def append(self, text: str) -> None:
        """Append text; wait while much of it is unacknowledged.

        Raise `MessageStopped` if a reader asked to stop, `MessageEnded` if the server ended the message, and what
        `Client.call` raises if the server refuses the text.
        """
        self._check()
        if self.stopped:
            raise MessageStopped
        if text:
            self._pieces.append(text)
            self._waiting.append(text)
            self._given += len(text)
            await self._notify()
            await self._until(lambda: self._given - self.length <= WAITING_MOST)

    async def flush(self) -> None:
        """Wait until the server has acknowledged all text."""
        await self._until(lambda: self.length >= self._given)

    async def finish(self, state: str = "complete", **fields: Any) -> Json:
        """Send the rest of the text, finish the message as "complete", "cancelled" or "failed", and return it.

        `fields` may have `data`. The end of the `async with` block does this by itself.
        """
        if self.message.get("streaming"):
            await self.flush()
            await self._end(state, **fields)
        return self.message

    async def _end(self, state: str, **fields: Any) -> None:
        answer = await self._command("finish", {"state": state} | fields, "finished")
        if answer.get("code") == "finished":
            raise MessageEnded(answer.get("detail"))
        self.message = answer["message"]

    async def _command(self, name: str, fields: Json, *accept: str) -> Json:
        return await self._api.command(name, self._conversation, {"seq": self.message["seq"], **fields}, accept)

    async def _send_on(self) -> None:
        """Send what waits, one request at a time, or nothing now and then; `flush` waits for it."""
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(ALIVE_SECONDS), self._changed:
                        await self._changed.wait_for(lambda: self._waiting)
                text, self._waiting = "".join(self._waiting), []
                for start in range(0, max(1, len(text)), PIECE_MOST):
                    await self._send(self.length, text[start : start + PIECE_MOST])
                await self._notify()
        except Exception as wrong:
            self._wrong = wrong
            await self._notify()

    async def _send(self, at: int, text: str) -> None:
        """Append at an offset; go back to where the text of the server ends if that is before it."""
        answer = await self._command("append", {"at": at, "text": text}, "gap", "finished")
        if answer.get("code") == "finished":
            raise MessageEnded(answer.get("detail"))
        if answer.get("code") == "gap":
            whole = "".join(self._pieces)[answer["length"] : at + len(text)]
            self.length = answer["length"]
            for start in range(0, len(whole), PIECE_MOST):
                await self._send(self.length, whole[start : start + PIECE_MOST])
        else:
            self.length = at + len(text)

    async def _watch(self, since: str) -> None:
        """Wait until a reader asks to stop. If the stream is refused, so is the next append, which says why."""
        with suppress(Exception):
            await self._api.wait_for_stop(self._conversation, self.message["seq"], since)
            self._stopped.set()

    def _check(self) -> None:
        if self._wrong is not None:
            raise self._wrong

    async def _until(self, done: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._wrong is not None or done())
        self._check()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
