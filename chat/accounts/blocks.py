"""Blocks: two users who cannot message each other. A block works both ways, and the blocked user is not notified."""

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
    """Block a user; a second time changes nothing. Raise `NotFound`, `BlocksOneself`, `TooManyBlocks`."""
    if user_id == blocked_id:
        raise BlocksOneself
    async with log.change() as change:
        await lock_direct(change, user_id, blocked_id)
        row = await (await change.connection.execute(queries.count_blocks, [user_id, blocked_id])).fetchone()
        if row and row[0] >= most:
            raise TooManyBlocks
        await store_block(change, queries.insert_block, user_id, blocked_id, True)


async def unblock(log: Log, user_id: int, blocked_id: int) -> None:
    """Unblock a user; a second time changes nothing. Raise `NotFound`."""
    async with log.change() as change:
        await lock_direct(change, user_id, blocked_id)
        await store_block(change, queries.delete_block, user_id, blocked_id, False)


async def lock_direct(change: Change, user_id: int, other_id: int) -> None:
    """Lock the pair and their direct conversation, so that neither creates one or posts to it meanwhile.

    Raise `NotFound` if there is no such user.
    """
    pair, run = pair_of(user_id, other_id), change.connection.execute
    await lock_pair(change, pair)
    await run(queries.lock_direct, [pair])
    if not await (await run(queries.find_user, [other_id])).fetchone():
        raise NotFound("There is no user with this id.")


async def lock_pair(change: Change, pair: str | None) -> None:
    """Take the pair's lock, the first lock of creating a direct conversation and of blocking."""
    if pair is not None:
        await change.connection.execute(queries.lock_pair, [pair])


async def store_block(change: Change, query: bytes, user_id: int, blocked_id: int, on: bool) -> None:
    """Store the change; if it changed something, publish it to the user's own devices, with the mentions that now
    count."""
    run = change.connection.execute
    if await (await run(query, [user_id, blocked_id])).fetchone():
        await run(queries.mark_direct, {"one": user_id, "other": blocked_id, "pair": pair_of(user_id, blocked_id)})
        await change.now()  # so that the counts are those at the entry's position
        rows = await (await run(queries.count_mentions_by, {"user": user_id, "author": blocked_id})).fetchall()
        await change.record(changed_block(user_id, blocked_id, on, rows))


def pair_of(one: int, other: int) -> str:
    """Return the key of the direct conversation of two users."""
    return "{}:{}".format(*sorted((one, other)))


async def list_blocks(pool: Pool, user_id: int) -> list[int]:
    """Return the ids of the users that this user has blocked."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(queries.list_blocks, [user_id])).fetchall()
    return [row[0] for row in rows]


async def require_unblocked(change: Change, user_id: int, others: Collection[int]) -> None:
    """Raise `Blocked` if the user and one of the others have a block between them."""
    asked = {"user": user_id, "others": list(others)}
    if await (await change.connection.execute(queries.find_block, asked)).fetchone():
        raise Blocked


def changed_block(user_id: int, blocked_id: int, on: bool, mentions: Iterable[tuple[int, int]]) -> Unplaced:
    """Return the entry for the user's own devices; the blocked user gets none.

    `mentions` are `(conversation, number)` where the number has changed.
    """
    counts = [{"conversation": conversation_id, "mentions": number} for conversation_id, number in mentions]
    data = orjson.dumps({"user": blocked_id, "on": on, "mentions": counts})
    return Unplaced("block", user_id=user_id, subject=blocked_id, data=data)
