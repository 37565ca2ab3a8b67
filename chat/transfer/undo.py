"""Undoing an import: what it made is recorded while it runs, and removed again in small transactions.

Conversations that the import made are removed, unless someone has written in them since. In these and in conversations
that it found, its messages become deleted ones. Its custom emoji are removed, and its accounts if nothing uses them.
After a kill, the next run continues (deploy/decisions/0111-undo-of-imports.md).
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

from chat.accounts.pictures import changed_emoji
from chat.conversations.memberships import end_membership
from chat.log.append import Change, Log
from chat.messages.edits import bury
from chat.model.conversation import left
from chat.model.message import Message
from chat.shared.postgres import Connection, Pool
from chat.shared.sql import load, numbers, texts

queries = load(__file__)
KEPT_SHOWN = 50
DROPPED, BURIED, MEMBERS, USERS = 5_000, 100, 50, 500  # rows of a transaction
COUNTS = ("conversations", "messages", "accounts", "kept_conversations", "kept_accounts")
Part = tuple[str, int, int, int]  # kind, conversation, first, last


class Made(NamedTuple):
    """What an import has made so far: ids of users, and conversations.

    Of the current group: `used`, its users; `members`, as pairs of conversation and user; `ranges`, the seqs of its
    messages by conversation, as (first, last).
    """

    users: Set[int]
    used: Set[int]
    conversations: Set[int]
    members: Set[tuple[int, int]]
    ranges: Mapping[int, tuple[int, int]]


@dataclass
class Trail:
    """Records what an import makes, in the transaction that makes it."""

    import_id: int = 0
    _users: set[int] = field(default_factory=set)
    _conversations: set[int] = field(default_factory=set)

    async def write(self, change: Change, made: Made) -> None:
        """Record what is new. Members of conversations that the import made need no rows of their own."""
        users, used, conversations = made.users - self._users, made.used - self._users, made.conversations
        fresh: list[Part] = [("user", 0, user, user) for user in sorted(users)]
        fresh += [("used", 0, user, user) for user in sorted(used - users)]
        fresh += [("conversation", one, one, one) for one in sorted(conversations - self._conversations)]
        fresh += [("member", one, user, user) for one, user in sorted(made.members) if one not in conversations]
        fresh += await self._extend(change, made.ranges)
        self._users |= users | used
        self._conversations |= conversations
        if fresh:
            await self._insert(change, fresh)

    async def add_emoji(self, change: Change, emoji_id: int) -> None:
        """Record a custom emoji."""
        await self._insert(change, [("emoji", 0, emoji_id, emoji_id)])

    async def _insert(self, change: Change, parts: Sequence[Part]) -> None:
        kinds, *ids = zip(*parts, strict=True)
        columns = [texts(kinds), *map(numbers, ids)]
        await change.connection.execute(queries.insert_parts, [self.import_id, *columns, self.import_id])

    async def _extend(self, change: Change, messages: Mapping[int, tuple[int, int]]) -> list[Part]:
        """Extend the ranges of messages; return those that are new."""
        if not messages:
            return []
        ranges = [(conversation, *span) for conversation, span in messages.items()]
        columns = [numbers(column) for column in zip(*ranges, strict=True)]
        rows = await change.connection.execute(queries.extend_messages, [*columns, self.import_id])
        extended = {row[0] for row in await rows.fetchall()}
        return [("messages", *one) for one in ranges if one[0] not in extended]


# Undo.


async def preview_undo(connection: Connection, import_id: int) -> dict[str, Any]:
    """Return what an undo would remove, and the conversations that would stay because of messages written since."""
    row = await (await connection.execute(queries.preview, [import_id])).fetchone()
    total = await (await connection.execute(queries.count_kept, [import_id])).fetchone()
    asked = {"import": import_id, "limit": KEPT_SHOWN}
    kept = await (await connection.execute(queries.list_kept, asked)).fetchall()
    assert row is not None
    assert total is not None
    shown = [dict(zip(("id", "kind", "name", "messages"), one, strict=True)) for one in kept]
    removed = {"conversations": row[0] - total[0], "messages": row[1], "accounts": row[2]}
    return removed | {"kept": shown, "more_kept": total[0] - len(shown)}


class Undo:
    """The undo of one import. `removed` counts what an earlier run has removed, and goes on from there."""

    def __init__(self, pool: Pool, log: Log, import_id: int, removed: Mapping[str, int]) -> None:
        self._pool, self._log, self._import = pool, log, import_id
        self.removed = dict.fromkeys(COUNTS, 0) | {name: removed.get(name, 0) for name in COUNTS}

    async def run(self) -> None:
        """Remove everything that the import made, from where an earlier run stopped."""
        while (conversation := await self._next(queries.next_conversation, [self._import])) is not None:
            await self._remove_conversation(conversation[0])
        while (span := await self._next(queries.next_range, [self._import])) is not None:
            await self._bury(*span)
        while await self._leave():
            pass
        while (emoji := await self._next(queries.next_emoji, [self._import])) is not None:
            await self._remove_emoji(emoji[0])
        await self._drop_users()
        async with self._pool.connection() as connection:
            await connection.execute(queries.finish_import, [self._import])

    async def _next(self, query: bytes, fields: Sequence[object]) -> tuple[Any, ...] | None:
        async with self._pool.connection() as connection:
            return await (await connection.execute(query, fields)).fetchone()

    async def _remove_conversation(self, conversation: int) -> None:
        """Remove a conversation that the import made, unless someone has written in it since."""
        if not await self._close(conversation):
            self.removed["kept_conversations"] += 1
            return
        while await self._drop_messages(conversation):
            pass
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(queries.drop_conversation, [conversation])
            await connection.execute(queries.finish_conversation, [self._import, conversation])
        self.removed["conversations"] += 1

    async def _close(self, conversation: int) -> bool:
        """End all memberships and hide the conversation. Return False if it stays, because of messages since."""
        async with self._log.change() as change:
            run = change.connection.execute
            row = await (await run(queries.lock_conversation, [conversation])).fetchone()
            imported = await (await run(queries.count_imported, [self._import, conversation])).fetchone()
            if row is not None and imported is not None and row[0] > imported[0]:
                await run(queries.forget_conversation, [self._import, conversation])
                return False
            members = await (await run(queries.list_members, [conversation])).fetchall()
            for query in (queries.drop_links, queries.drop_bans, queries.drop_reports, queries.drop_invitations):
                await run(query, [conversation])
            await run(queries.drop_memberships, [conversation])
            await run(queries.hide_conversation, [conversation])
            for user, connected in members:
                if connected:
                    await end_membership(change, conversation, user)
        return True

    async def _drop_messages(self, conversation: int) -> bool:
        """Delete a batch of messages and what belongs to them; return False after the last one."""
        async with self._pool.connection() as connection, connection.transaction():
            asked = {"conversation": conversation, "batch": DROPPED}
            rows = await (await connection.execute(queries.drop_messages, asked)).fetchall()
            if not rows:
                return False
            seqs = [row[0] for row in rows]
            for query in (
                queries.drop_edits,
                queries.drop_reactions,
                queries.drop_mentions,
                queries.drop_follows,
                queries.drop_saved,
                queries.drop_documents,
                queries.remove_files,
            ):
                await connection.execute(query, [conversation, min(seqs), max(seqs)])
        self.removed["messages"] += len(rows)
        return True

    async def _bury(self, conversation: int, first: int, last: int) -> None:
        """Turn a batch of messages into deleted ones, where others have written too."""
        async with self._log.change() as change:
            run = change.connection.execute
            await run(queries.lock_conversation, [conversation])
            rows = await (await run(queries.list_messages, [conversation, first, last, BURIED])).fetchall()
            messages = [Message(*row) for row in rows]
            for message in messages:
                if not message.deleted:
                    await bury(change, message)
            until = messages[-1].seq if messages else last
            await run(queries.keep_authors, [self._import, numbers(one.author for one in messages)])
            await run(queries.drop_edits, [conversation, first, until])
            if until < last:
                await run(queries.shorten_range, [until + 1, self._import, conversation, first])
            else:
                await run(queries.finish_range, [self._import, conversation, first])
        self.removed["messages"] += len(messages)

    async def _leave(self) -> bool:
        """End some memberships in conversations that stay; return False after the last one."""
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.next_members, [self._import, MEMBERS])).fetchall()
        for conversation, user in rows:
            async with self._log.change() as change:
                run = change.connection.execute
                await run(queries.lock_conversation, [conversation])
                row = await (await run(queries.is_member, [conversation, user])).fetchone()
                await run(queries.finish_member, [self._import, conversation, user])
                if row and row[0]:
                    await end_membership(change, conversation, user)
                elif row:
                    await run(queries.drop_membership, [conversation, user])
                    await change.record(left(conversation, user))
        return bool(rows)

    async def _remove_emoji(self, emoji_id: int) -> None:
        """Remove a custom emoji, unless someone has. What was written with it since shows its name."""
        async with self._log.change() as change:
            if (await change.connection.execute(queries.drop_emoji, [emoji_id])).rowcount:
                await change.record(changed_emoji(emoji_id, None))
            await change.connection.execute(queries.finish_emoji, [self._import, emoji_id])

    async def _drop_users(self) -> None:
        """Remove the accounts that the import made and nothing uses."""
        after = 0
        while True:
            async with self._pool.connection() as connection:
                asked = [self._import, after, USERS]
                rows = await (await connection.execute(queries.next_users, asked)).fetchall()
                for (user,) in rows:
                    self.removed["accounts" if await self._drop_user(connection, user) else "kept_accounts"] += 1
            if not rows:
                return
            after = rows[-1][0]

    async def _drop_user(self, connection: Connection, user: int) -> bool:
        """Remove an account; return False if something still refers to it."""
        asked = {"user": user, "import": self._import}
        try:
            await connection.execute(queries.release_files, asked)
            done = await connection.execute(queries.drop_user, asked)
        except psycopg.errors.ForeignKeyViolation:
            return False
        return done.rowcount == 1
