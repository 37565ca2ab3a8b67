"""The import: records in groups, each a transaction that also stores how far the file has come.

A source is first read into a file on disk that sorts its records, so that memory does not grow with it.

Within a group, users come first, then conversations, their messages, and what belongs to these. Locks are taken in the
order of every append: conversations by id, then the log's head.
"""

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from chat.log.append import Change, Log, unannounced
from chat.shared.postgres import Pool
from chat.shared.sql import load
from chat.transfer.exporter import read_origin
from chat.transfer.import_conversations import Identity, ImportedConversations, ImportedUsers, Options
from chat.transfer.import_files import FileImporter, FileStore
from chat.transfer.import_messages import MemberImporter, MessageImporter, lock_conversations, lock_users
from chat.transfer.records import (
    BanRecord,
    BlockRecord,
    ConversationRecord,
    EmojiRecord,
    FollowRecord,
    ImportCounts,
    Item,
    Key,
    MemberRecord,
    MessageRecord,
    PinRecord,
    Record,
    Ref,
    SkippedItem,
    UserRecord,
)
from chat.transfer.sources import ANY, Source
from chat.transfer.undo import Made, Trail

queries = load(__file__)
GROUP, GROUP_CHARACTERS = 1_000, 1_000_000
KEEP_EVERY = 100  # groups
DEFAULTS = Options()
Kind = TypeVar("Kind", bound=Record)


def ignore(done: int, total: int) -> None:
    """Show no progress."""


class Importer:
    """The import of one file.

    `keep` makes log partitions ahead of it. `options`: what the operator decided. `store`: for files; without one, they
    are only named. `job`: the job of the app that it is for.
    """

    def __init__(
        self,
        pool: Pool,
        source: Source,
        keep: Callable[[], Awaitable[None]],
        options: Options = DEFAULTS,
        store: FileStore | None = None,
        job: int | None = None,
    ) -> None:
        self._pool, self._source, self._keep, self._options, self._store = pool, source, keep, options, store
        self._job, self._trail = job, Trail()
        self._log = Log(pool, unannounced)

    @property
    def import_id(self) -> int:
        """Return the id of the import, once it has begun."""
        return self._trail.import_id

    async def run(
        self, counts: ImportCounts, on_read: Callable[[int], None], on_write: Callable[[int, int], None] = ignore
    ) -> None:
        """Import everything, from where an earlier run stopped.

        `on_read` gets the sizes of reads of the file, `on_write` the number of records imported and of all records.
        """
        self._files = FileImporter(self._store, self._source.archive, self._source.exact, counts)
        with open_spool(self._source) as spool:
            await asyncio.to_thread(spool.fill, self._source.read(on_read), counts)
            await self._open(spool)
            await self._write(spool, counts, on_write)

    async def _open(self, spool: "Spool") -> None:
        source = self._source
        async with self._pool.connection() as connection:
            own = source.origin is not None and source.origin == await read_origin(connection)
            identity = Identity(source.origin, source.exact, own, source.fingerprint)
            self._users = ImportedUsers(identity, self._options, spool.find_users)
            await self._users.check_people(connection)
        self._conversations = ImportedConversations(identity, self._users)
        self._messages = MessageImporter(self._users, self._conversations, source.exact)
        self._members = MemberImporter(self._users, self._conversations, self._messages, source.exact)

    async def _write(self, spool: "Spool", counts: ImportCounts, on_write: Callable[[int, int], None]) -> None:
        done, at, number, keys = await self._begin(), 0, 0, dict[Key, None]()
        async for group in read_ahead(groups(spool.records())):
            if number % KEEP_EVERY == 0:
                await self._keep()
            if number & (number - 1) == 0:
                await self._update_statistics()
            number += 1
            keys |= dict.fromkeys(one.id for one in group if isinstance(one, ConversationRecord))
            left, at = group[max(0, done - at) :], at + len(group)
            messages = sum(isinstance(one, MessageRecord) for one in group)
            new = await self._import_group(left, at) if left else 0
            counts.new, counts.known = counts.new + new, counts.known + messages - new
            on_write(at, spool.total)
        counts.created = len(self._users.created)
        counts.late = self._messages.late
        await self._end(keys)

    async def _update_statistics(self) -> None:
        """Update PostgreSQL's statistics. With old ones it expects few messages, and scans all of them."""
        async with self._pool.connection() as connection:
            await connection.execute(queries.update_statistics)

    async def _begin(self) -> int:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.begin_import, [self._source.fingerprint])).fetchone()
            assert row is not None
            self._trail.import_id = row[0]
            await connection.execute(queries.link_job, [row[0], self._job])
        return int(row[1])

    async def _import_group(self, group: Sequence[Record], at: int) -> int:
        """Import a group in one transaction, after its files. Return the number of new messages."""
        await self._store_files(group)
        async with self._log.change() as change:
            await change.connection.execute(queries.force_indexes)
            await self._users.ensure(change.connection, names_in(group))
            await self._users.add_blocks(change, pick(group, BlockRecord))
            await self._conversations.ensure(change, pick(group, ConversationRecord))
            members = pick(group, MemberRecord)
            await lock_users(change, [self._users[one.user] for one in members])
            ends = await self._lock(change, group)
            starts = dict(ends)
            new = await self._messages.insert(change, pick(group, MessageRecord), ends)
            await self._members.add_pins(change, pick(group, PinRecord))
            await self._members.add_members(change, members)
            await self._members.add_follows(change, pick(group, FollowRecord))
            await self._members.add_bans(change, pick(group, BanRecord))
            ranges = {one: (starts[one] + 1, end) for one, end in ends.items() if end > starts[one]}
            await self._record_trail(change, group, ranges)
            await change.connection.execute(queries.move_import, [at, self._source.fingerprint])
        return new

    async def _store_files(self, group: Sequence[Record]) -> None:
        """Store the avatars and files of the group, but not those of messages that exist."""
        with_files = [one for one in pick(group, MessageRecord) if self._files.has_bytes(one)]
        avatars = [(one.name, one.avatar) for one in pick(group, UserRecord) if one.avatar]
        emoji = pick(group, EmojiRecord)
        if not with_files and not avatars and not emoji:
            return
        async with self._log.change() as change:
            conversations = pick(group, ConversationRecord)
            names = names_in([*with_files, *conversations, *emoji]) | {name for name, _ in avatars}
            await self._users.ensure(change.connection, names)
            await self._conversations.ensure(change, conversations)
            await self._conversations.find(change.connection, {one.conversation for one in with_files})
            keys = {self._messages.key(self._conversations[one.conversation], one): one for one in with_files}
            known = await self._messages.find(change, list(keys))
            rows = await change.connection.execute(
                queries.find_without_avatar, [[self._users[name] for name, _ in avatars]]
            )
            await self._record_trail(change, [], {})
            bare = {row[0] for row in await rows.fetchall()}
        wanted = [(self._users[name], file) for name, file in avatars if self._users[name] in bare]
        await self._files.set_avatars(self._log, wanted)
        for new in emoji:
            await self._files.add_emoji(self._log, self._trail, new, self._users[new.user] if new.user else None)
        self._files.prefetch(one for key, one in keys.items() if key not in known)
        for key, one in keys.items():
            if key not in known:
                self._messages.files[key] = await self._files.store_all(key[1], one.files)

    async def _record_trail(self, change: Change, group: Sequence[Record], ranges: dict[int, tuple[int, int]]) -> None:
        """Record what the group has made, for an undo. `ranges`: seqs of its messages by conversation."""
        used = {self._users[name] for name in names_in(group)}
        made = Made(self._users.created, used, self._conversations.created, self._members.created, ranges)
        await self._trail.write(change, made)
        self._members.created.clear()

    async def _lock(self, change: Change, group: Sequence[Record]) -> dict[int, int]:
        """Lock the conversations that the group adds to. Return their last seqs."""
        keys = {
            one.conversation
            for one in group
            if isinstance(one, MessageRecord | PinRecord | MemberRecord | FollowRecord | BanRecord)
        }
        await self._conversations.find(change.connection, keys)
        return await lock_conversations(change, list({self._conversations[key] for key in keys}))

    async def _end(self, keys: dict[Key, None]) -> None:
        """Give each conversation without an owner one: its creator, otherwise an admin."""
        async with self._pool.connection() as connection:
            await self._conversations.find(connection, keys)
            cursor = await connection.execute(queries.find_ownerless, [self._conversations.ids()])
            for conversation, user in [row for row in await cursor.fetchall() if row[1]]:
                async with self._log.change() as change:
                    await self._members.make_owner(change, conversation, user)
            await connection.execute(queries.end_import, [self._source.fingerprint])


async def read_ahead(read: Iterator[list[Record]]) -> AsyncIterator[list[Record]]:
    """Yield each group while a thread reads the next: this process and PostgreSQL have equal work."""
    in_thread = partial(asyncio.get_running_loop().run_in_executor, None, next, read, None)
    coming = in_thread()
    while (group := await coming) is not None:
        coming = in_thread()
        yield group


def groups(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Yield records in groups, each of the size of one transaction."""
    group: list[Record] = []
    size = 0
    for record in records:
        group.append(record)
        size += len(record.body) if isinstance(record, MessageRecord) else 0
        if len(group) >= GROUP or size >= GROUP_CHARACTERS:
            yield group
            group, size = [], 0
    if group:
        yield group


def pick(group: Sequence[Record], kind: type[Kind]) -> list[Kind]:
    """Return the records of one type, in their order."""
    return [one for one in group if isinstance(one, kind)]


def names_in(group: Sequence[Record]) -> set[str]:
    """Return all usernames in the records."""
    names: set[str] = set()
    for one in group:
        match one:
            case UserRecord():
                names.add(one.name)
            case MessageRecord():
                names |= {one.author, *one.mentions, *(edit.user for edit in one.edits)}
                names |= {user for reaction in one.reactions for user in reaction.users}
                names |= {ref.author for ref in (one.reply_to, one.thread) if ref}
            case ConversationRecord():
                names |= {*one.people, *([one.created_by] if one.created_by else [])}
            case BlockRecord():
                names |= {one.user, one.blocked}
            case EmojiRecord():
                names |= {one.user} if one.user else set()
            case MemberRecord():
                names |= {one.user, *([one.read.author] if one.read else [])}
            case PinRecord():
                names |= {one.user, one.message.author}
            case FollowRecord():
                names |= {one.user, one.thread.author, one.read.author}
            case BanRecord():
                names |= {one.user, one.by}
    return names


# The spool: the records of a source on disk, in the order of the import.

FIRST, LAST = -(2**62), 2**62
FLUSH = 1_000  # records
STRAY = "records of a conversation that the file does not describe"
CREATE = """
pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -32768; pragma temp_store = file;
create table records (n integer primary key, conversation integer, at integer, reply integer, name integer,
                      root integer, body blob);
create table users (name text primary key, body blob) without rowid;
"""
FINISH = """
create index by_name on records (conversation, name, n) where name is not null;
update records as r set at = m.at from records as m
 where r.root is not null and m.conversation = r.conversation and m.name = r.root and m.at > r.at;
create index by_time on records (conversation, at, reply, n);
"""
REPEATED = """
select n, body, number from (
    select n, body, row_number() over (partition by conversation, name order by n) as number
      from records where name is not null)
 where number > 1
"""


class Spool:
    """The records of a source: first users, then each conversation, its messages by their times, and its other records.

    A reply comes after the first message of its thread. With `exact`, messages keep the order of the file. With
    `repeats`, messages with the same author and `client_id` are different ones, and get numbers.
    """

    def __init__(self, path: Path, exact: bool, repeats: bool) -> None:
        # Read by one thread while another looks users up, never at the same time by one connection.
        self._records = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._records.executescript(CREATE)
        self._users = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._exact, self._repeats = exact, repeats
        self._conversations: dict[Key, int] = {}
        self._described: set[int] = set()
        self.total = 0

    def close(self) -> None:
        """Close the file."""
        self._records.close()
        self._users.close()

    def fill(self, items: Iterable[Item], counts: ImportCounts) -> None:
        """Store all records and sort them. Count each item, and the records of conversations without a description."""
        rows: list[tuple[object, ...]] = []
        for item in items:
            if (record := counts.add(item)) is not None:
                rows.append(self._row(record))
                if len(rows) >= FLUSH:
                    self._flush(rows)
        self._flush(rows)
        self._records.executescript(FINISH)
        if self._repeats:
            self._number()
        for number in set(self._conversations.values()) - self._described:
            removed = self._records.execute("delete from records where conversation = ?", [number]).rowcount
            for _ in range(removed):
                counts.skip(SkippedItem(STRAY))
        self.total = self._records.execute("select count(*) from records").fetchone()[0]

    def _flush(self, rows: list[tuple[object, ...]]) -> None:
        self._records.execute("begin")
        self._records.executemany(
            "insert into records (conversation, at, reply, name, root, body) values (?, ?, ?, ?, ?, ?)", rows
        )
        self._records.execute("commit")
        rows.clear()

    def _row(self, record: Record) -> tuple[object, ...]:
        body = record.model_dump_json(exclude_none=True).encode()
        at, reply, name, root = LAST, False, None, None
        match record:
            case UserRecord():
                self._records.execute("insert or ignore into users values (?, ?)", [record.name, body])
                return 0, FIRST, False, None, None, body
            case BlockRecord() | EmojiRecord():
                return 0, LAST, False, None, None, body
            case ConversationRecord():
                self._described.add(self._number_of(record.id))
                return self._number_of(record.id), FIRST, False, None, None, body
            case MessageRecord():
                at = 0 if self._exact else int(record.created_at.timestamp() * 1000)
                name, reply = hash_of(record), record.thread is not None and not self._exact
                root = hash_of(record.thread) if record.thread and not self._exact else None
        return self._number_of(record.conversation), at, reply, name, root, body

    def _number_of(self, key: Key) -> int:
        return self._conversations.setdefault(key, len(self._conversations) + 1)

    def _number(self) -> None:
        """Give each repeated message a `client_id` of its own."""
        for n, body, number in self._records.execute(REPEATED).fetchall():
            message = MessageRecord.model_validate_json(body)
            changed = message.model_copy(update={"client_id": f"{message.client_id}~{number}"})
            self._records.execute("update records set body = ? where n = ?", [changed.model_dump_json(), n])

    def records(self) -> Iterator[Record]:
        """Yield all records in the order of the import."""
        rows = self._records.execute("select body from records order by conversation, at, reply, n")
        return (ANY.validate_json(body) for (body,) in rows)

    def find_users(self, names: Iterable[str]) -> dict[str, UserRecord]:
        """Return the records of these users, as far as the source has them."""
        found = {}
        for name in names:
            row = self._users.execute("select body from users where name = ?", [name]).fetchone()
            if row:
                found[name] = UserRecord.model_validate_json(row[0])
        return found


@contextmanager
def open_spool(source: Source) -> Iterator[Spool]:
    """Yield an empty spool. Its file has no name from the start, so the system removes it even after a kill."""
    with TemporaryDirectory(prefix="tandem-import-") as folder:
        spool = Spool(Path(folder) / "records", source.exact, source.repeats)
    with closing(spool):
        yield spool


def hash_of(message: MessageRecord | Ref) -> int:
    """Return a number for the author and `client_id`, to compare messages of one conversation."""
    text = f"{message.author}\0{message.client_id}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), signed=True)
