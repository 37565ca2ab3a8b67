"""Blocking: two people who have nothing to do with each other. It holds both ways; who it was is not said."""

from collections.abc import Collection, Iterable

import orjson

from chat.log.append import Change, Log
from chat.log.entry import Unplaced
from chat.model.errors import Blocked, BlocksOneself, TooManyBlocks
from chat.shared.errors import NotFound
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)


async def block(log: Log, user_id: int, blocked_id: int, most: int) -> None:
    """From now on. Harmless when it is so. Raises `NotFound`, `BlocksOneself`, `TooManyBlocks`."""
    if user_id == blocked_id:
        raise BlocksOneself
    async with log.change() as change:
        await find_pair(change, user_id, blocked_id)
        row = await (await change.connection.execute(queries.count_blocks, [user_id, blocked_id])).fetchone()
        if row and row[0] >= most:
            raise TooManyBlocks
        await record_block(change, queries.insert_block, user_id, blocked_id, True)


async def unblock(log: Log, user_id: int, blocked_id: int) -> None:
    """No more. Harmless when it was not so; raises `NotFound`."""
    async with log.change() as change:
        await find_pair(change, user_id, blocked_id)
        await record_block(change, queries.delete_block, user_id, blocked_id, False)


async def find_pair(change: Change, user_id: int, other_id: int) -> None:
    """Lock what is between the two: neither begins a direct conversation, nor writes to the one they have, meanwhile.

    Raises `NotFound` when there is nobody with that id.
    """
    pair, run = pair_of(user_id, other_id), change.connection.execute
    await lock_pair(change, pair)
    await run(queries.lock_direct, [pair])
    if not await (await run(queries.find_person, [other_id])).fetchone():
        raise NotFound("There is nobody with this id.")


async def lock_pair(change: Change, pair: str | None) -> None:
    """The first lock of whoever begins a direct conversation, and of whoever blocks."""
    if pair is not None:
        await change.connection.execute(queries.lock_pair, [pair])


async def record_block(change: Change, query: bytes, user_id: int, blocked_id: int, on: bool) -> None:
    """Store it; where that changed something, tell one's own devices, with the mentions that now count."""
    run = change.connection.execute
    if await (await run(query, [user_id, blocked_id])).fetchone():
        await run(queries.mark_direct, {"one": user_id, "other": blocked_id, "pair": pair_of(user_id, blocked_id)})
        await change.now()  # what is counted now holds at the position of the entry
        rows = await (await run(queries.count_mentions_by, {"user": user_id, "author": blocked_id})).fetchall()
        await change.record(changed_block(user_id, blocked_id, on, rows))


def pair_of(one: int, other: int) -> str:
    """What a direct conversation between the two is found by."""
    return "{}:{}".format(*sorted((one, other)))


async def list_blocks(pool: Pool, user_id: int) -> list[int]:
    """Whom this person has blocked, by id."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_blocks, [user_id])).fetchall()
    return [row[0] for row in rows]


async def require_unblocked(change: Change, user_id: int, others: Collection[int]) -> None:
    """Raises `Blocked` when this person and one of the others are at odds."""
    asked = {"user": user_id, "others": list(others)}
    if await (await change.connection.execute(queries.find_block, asked)).fetchone():
        raise Blocked


def changed_block(user_id: int, blocked_id: int, on: bool, mentions: Iterable[tuple[int, int]]) -> Unplaced:
    """For the person's own devices: the other one is not told. `mentions`: `(conversation, how many)` where that has
    changed."""
    counts = [{"conversation": conversation_id, "mentions": number} for conversation_id, number in mentions]
    data = orjson.dumps({"user": blocked_id, "on": on, "mentions": counts})
    return Unplaced("block", user_id=user_id, subject=blocked_id, data=data)
