"""The end of streamed messages: by their authors, by readers who ask for it, or because the author is gone.

At the end the whole text moves to the message, and into the last append's frame, so that the frames before it can be
emptied in the background (deploy/decisions/0121-streamed-messages.md).
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import orjson
import structlog

from chat.conversations.permissions import RANKS
from chat.log.append import Change, Log
from chat.log.entry import IDENTITY, LEAVE, LOGOUT, Entry, Unplaced, encode_frame
from chat.log.redaction import APPEND, append_data
from chat.messages.drafts import Draft, Finish, Post
from chat.messages.history import Place, find_message, find_open_message, read_messages
from chat.messages.mentions import Mentions
from chat.model.errors import Finished, NotYours, ReadOnly
from chat.model.message import Message
from chat.shared.postgres import UNAVAILABLE, Connection, Pool
from chat.shared.sql import load, numbers

queries = load(__file__)
log = structlog.get_logger(__name__)


async def finish_message(
    journal: Log, actor_id: int, conversation_id: int, seq: int, finish: Finish, here: frozenset[int] | None
) -> Message:
    """End the text of a message and return it; a repetition changes nothing.

    `here`: the members that `@here` reaches, None for all.
    Raise `NotFound`, `NotMember`, `NotYours`, or `Finished` if it has ended otherwise.
    """
    async with journal.change() as change:
        _, message = await find_message(change, conversation_id, actor_id, seq)
        if message.author != actor_id:
            raise NotYours("Only the author of a message can finish it.")
        if message.streaming:
            return await end_message(change, message, finish.state, here, finish.data)
        if message.state != finish.state:
            raise Finished
        return message


async def end_message(
    change: Change, message: Message, state: str, here: frozenset[int] | None, data: str | None = None
) -> Message:
    """End the text of a message: move it into the message, count its mentions, announce the end. Return the message.

    The conversation must be locked. `data`: the new data of the message, None for no change.
    """
    run, place = change.connection.execute, {"conversation": message.conversation, "seq": message.seq}
    now = await change.now()
    ended = message._replace(streaming=False, state=state, data=data or message.data)
    mentions = Mentions()
    draft = Draft.model_construct(body=message.body, client_id=message.client_id)
    post = Post(message.conversation, message.author, draft, here=here)
    mentions.accept(post, now)
    await mentions.load(change)
    await mentions.receive()
    ended = mentions.apply(change, post, ended)
    row = await (
        await run(queries.end_message, {**place, "body": message.body, "state": state, "data": ended.data})
    ).fetchone()
    assert row is not None
    last, appends = row
    if appends > 1:
        whole = append_data(message.conversation, message.seq, 0, message.body)
        await run(queries.replace_frame, [encode_frame(f"{change.epoch}.{last}", APPEND, whole), last])
    else:
        await run(queries.forget_message, [message.conversation, message.seq])
    await mentions.write(change)
    change.place(Unplaced("finish", message.conversation, subject=message.seq, data=finish_data(ended, data)))
    return ended


def finish_data(ended: Message, data: str | None) -> bytes:
    """Return the data of the entry, with new data of the message.

    It names the mentioned users, and the author for readers that count them.
    """
    fields: dict[str, object] = {"conversation": ended.conversation, "seq": ended.seq, "state": ended.state}
    fields |= {"length": len(ended.body)} | ({"data": orjson.Fragment(data)} if data else {})
    if ended.mentions or ended.mentions_all:
        counted = {"author": ended.author, "mentions": ended.mentions, "mentions_all": ended.mentions_all}
        fields |= {name: value for name, value in counted.items() if value}
    return orjson.dumps(fields)


async def ask_to_stop(journal: Log, actor_id: int, conversation_id: int, seq: int) -> None:
    """Ask the author to stop, once for each message. Raise `NotFound`, `NotMember`, `Archived`, `Blocked`, `ReadOnly`
    or `Finished`."""
    async with journal.change() as change:
        access, message = await find_open_message(change, conversation_id, actor_id, seq)
        if access.conversation.read_only and RANKS[access.actor_role or "member"] < RANKS["admin"]:
            raise ReadOnly
        if not message.streaming:
            raise Finished
        row = await (await change.connection.execute(queries.ask_to_stop, [actor_id, conversation_id, seq])).fetchone()
        if row is not None:
            data = orjson.dumps({"conversation": conversation_id, "seq": seq, "by": actor_id})
            await change.record(Unplaced("stop", conversation_id, row[0], seq, data))


# Upkeep: messages whose author is gone fail, and ended ones are compacted, on any node, in short transactions.

PAUSE_SECONDS = 0.4
WAKING = {LOGOUT, IDENTITY, LEAVE, "user"}  # entries by which an author may be gone
LOCK = 7_263_371
ENDED_MOST = 8  # in one transaction, which holds the head of the log
ENTRIES_MOST = 1_000  # of the conversation, looked at in one step
INTERRUPTION_SECONDS, INTERRUPTION_PART = 2.0, 0.25  # between two looks, the longer of it and this part of the silence


class StreamUpkeep:
    """The background task of a node. `silence`: seconds after which an author who says nothing is gone.

    After an interruption silence counts from its end on: while PostgreSQL, this node or the whole machine stood still,
    or when a clock was set, authors could not write, or seem to have been silent for longer than they were.

    `running`: messages that are written at the moment, on all nodes.
    """

    def __init__(self, pool: Pool, journal: Log, silence: float) -> None:
        self._pool, self._log, self._silence = pool, journal, silence
        self.running = 0
        self._interruption = timedelta(seconds=max(INTERRUPTION_SECONDS, INTERRUPTION_PART * silence))
        self._since = self._looked = datetime.min.replace(tzinfo=UTC)  # by PostgreSQL's clock
        self._woken = asyncio.Event()

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Look at once when an author may be gone."""
        if self.running and any(entry.kind in WAKING for entry in entries):
            self._woken.set()

    def reset(self, epoch: str) -> None:
        """Do nothing: the table says what is written at the moment."""

    async def run(self) -> None:
        """Look twice a second, and when woken."""
        while True:
            try:
                running, ended = await self._count()
                while running and await self.fail_abandoned():
                    pass
                while ended and await self.compact():
                    pass
            except UNAVAILABLE as error:
                log.warning("database unavailable, retrying the upkeep of streamed messages", error=repr(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_SECONDS):
                    await self._woken.wait()
            self._woken.clear()

    async def _count(self) -> tuple[int, int]:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.count_running)).fetchone()
        assert row is not None
        self.running, ended, now = row
        if not timedelta() <= now - self._looked <= self._interruption:
            self._since = now
        self._looked = now
        return self.running, ended

    async def fail_abandoned(self) -> bool:
        """End some messages whose author is gone; return False if there are none, or if another node does it."""
        async with self._pool.connection() as connection:
            if not await self._find_ended(connection):
                return False
        async with self._log.change() as change:
            run = change.connection.execute
            turn = await (await run(queries.take_turn, [LOCK])).fetchone()
            if not (turn and turn[0]):
                return False
            found = await self._find_ended(change.connection)
            await run(queries.lock_conversations, [numbers(sorted({place[0] for place in found}))])
            places = [place for place in await self._find_ended(change.connection) if place in found]
            for message in (await read_messages(change.connection, places)).values():
                log.info("streamed message failed", conversation=message.conversation, seq=message.seq)
                await end_message(change, message, "failed", None)
        return len(places) == ENDED_MOST

    async def _find_ended(self, connection: Connection) -> list[Place]:
        asked = {"silence": self._silence, "since": self._since, "most": ENDED_MOST}
        rows = await (await connection.execute(queries.find_ended, asked)).fetchall()
        return [(row[0], row[1]) for row in rows]

    async def compact(self) -> bool:
        """Empty the frames of some appends of an ended message; return False if there is nothing to do."""
        async with self._pool.connection() as connection, connection.transaction():
            row = await (await connection.execute(queries.take_ended)).fetchone()
            if row is None:
                return False
            conversation_id, seq, compacted, last = row
            span = {"conversation": conversation_id, "seq": seq, "after": compacted, "last": last, "most": ENTRIES_MOST}
            found = await (await connection.execute(queries.compact, span)).fetchone()
            assert found is not None
            if found[0] < ENTRIES_MOST:
                await connection.execute(queries.forget_message, [conversation_id, seq])
            else:
                await connection.execute(queries.note_compacted, [found[1], conversation_id, seq])
        return True
