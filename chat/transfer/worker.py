"""The process that works on an import of the app: `python -m chat.transfer.worker`, started by `ImportSupervisor`.

The specification comes as a line of JSON on standard input, because it has the password of the database. The process
ends when its input does, that is with its node. It checks the file, imports it, or undoes the import, and writes its
progress into the job once a second. A job that was stopped, or that another process has claimed, ends it.
"""

import asyncio
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import structlog
from pydantic import BaseModel

from chat.files.models import File, Span, clean_name
from chat.files.uploads import open_uploads
from chat.log.append import Log, unannounced
from chat.log.maintenance import Retention
from chat.shared.audit import Actor, record
from chat.shared.logging import set_up_logs
from chat.shared.postgres import Pool, open_pool
from chat.shared.settings import Settings, hide_secrets
from chat.shared.sql import load
from chat.shared.tasks import first_of
from chat.transfer.commands import to_report
from chat.transfer.errors import TransferError
from chat.transfer.import_conversations import Options
from chat.transfer.import_files import FileStore
from chat.transfer.importer import Importer, names_in
from chat.transfer.records import (
    ConversationRecord,
    EmojiRecord,
    ImportCounts,
    Item,
    Key,
    LineError,
    MessageRecord,
    SkippedItem,
    UserRecord,
)
from chat.transfer.sources import Source, open_source
from chat.transfer.undo import Undo

queries = load(__file__)
log = structlog.get_logger(__name__)
BEAT_SECONDS = 1.0
NICENESS = 10
CONVERSATIONS_MOST, USERS_MOST = 2_000, 500
Json = dict[str, Any]


class WorkerSpec(BaseModel):
    """What to work on, with settings of the node. `run`: the number of this process, as claimed. `lease`: seconds."""

    settings: Json
    folder: Path
    job: int
    run: int
    lease: int


class ImportTask(NamedTuple):
    """The job as this process begins with it."""

    state: str
    name: str
    size: int
    channel: str | None
    actor: int | None
    file_id: int | None
    import_id: int | None
    chosen: list[Key] | None
    people: dict[str, str] | None
    progress: Json


class Stopped(Exception):
    """The job was stopped, or belongs to another process."""


def main() -> None:
    """Work on the job of standard input."""
    spec = WorkerSpec.model_validate_json(sys.stdin.buffer.readline())
    os.nice(NICENESS)
    hide_secrets()
    set_up_logs(spec.settings["log_format"])
    threading.Thread(target=end_with_parent, daemon=True).start()
    asyncio.run(work(spec))
    sys.stdout.flush()
    os._exit(0)  # the thread that reads the input would delay the end


def end_with_parent() -> None:
    """End this process at the end of its input. A transaction under way is rolled back by PostgreSQL."""
    while os.read(0, 4096):
        pass
    os._exit(1)


async def work(spec: WorkerSpec) -> None:
    """Do what the job's state says."""
    async with open_pool(spec.settings["database_url"], 4, wait=10) as pool:
        fields = {"job": spec.job, "run": spec.run, "lease": spec.lease}
        async with pool.connection() as connection:
            row = await (await connection.execute(queries.begin_work, fields)).fetchone()
        if row is None:
            return
        worker = ImportWork(spec, pool, ImportTask(*row))
        try:
            await first_of(worker.run(), worker.beat())
        except Stopped:
            log.info("import stopped", job=spec.job)
        finally:
            worker.stopped = True


class ImportWork:
    """The work on one job. `stopped` ends a thread that reads the file."""

    def __init__(self, spec: WorkerSpec, pool: Pool, task: ImportTask) -> None:
        self._spec, self._pool, self._task = spec, pool, task
        self._settings = Settings.model_construct(**spec.settings)
        self._uploads = open_uploads(pool, self._settings)
        self._counts, self._read, self._size = ImportCounts(), 0, task.size
        self._done = self._total = 0  # records
        self._began = time.monotonic()
        self._undo: Undo | None = None
        self.stopped = False

    async def run(self) -> None:
        """Check, import or undo. An error that the operator can act on is stored with the job."""
        works = {"checking": self._check, "running": self._import, "undoing": self._revert}
        try:
            await works[self._task.state]()
        except TransferError as error:
            problem = str(error).replace(str(self._path()), self._path().name)
            await self._finish(queries.fail, {"problem": problem})

    async def beat(self) -> None:
        """Write the progress and renew the lease, until the job is stopped or taken: then raise `Stopped`."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            fields = {"progress": self._progress(), "lease": self._spec.lease, "moved": self._moved()}
            await self._finish(queries.beat, fields)

    async def _finish(self, query: bytes, fields: Json) -> None:
        """Write to the job if it is still this process's; raise `Stopped`."""
        mine = {"job": self._spec.job, "run": self._spec.run, "state": self._task.state}
        async with self._pool.connection() as connection:
            if not await (await connection.execute(query, mine | fields)).fetchone():
                self.stopped = True
                raise Stopped

    def _moved(self) -> bool:
        return self._done > 0 or (self._undo is not None and any(self._undo.removed.values()))

    def _progress(self) -> str:
        """Return the progress. `read` and `size` are bytes, `seconds` those of this process."""
        fields: Json = {"seconds": round(time.monotonic() - self._began, 1)}
        if self._undo is not None:
            return orjson.dumps(fields | self._undo.removed).decode()
        fields |= {"read": min(self._read, self._size), "size": self._size}
        fields |= {"messages": self._counts.records["messages"], "done": self._done, "total": self._total}
        return orjson.dumps(fields).decode()

    # The file.

    def _path(self) -> Path:
        return self._spec.folder / (clean_name(self._task.name) or "import")

    async def _open(self) -> Source:
        """Copy the file from the storage and open it. Raise `TransferError`."""
        if self._task.file_id is None:
            raise TransferError("The uploaded file has been removed. Upload it again.")
        file = File(self._task.file_id, 0, "", self._task.size, self._task.size, "", None, None, False, True)
        await write_file(self._path(), self._uploads.read(file, Span(0, file.size)))
        source = await asyncio.to_thread(open_source, self._path(), self._task.channel, False)
        self._size, self._read, self._began = source.size, 0, time.monotonic()
        return source

    def _on_read(self, size: int) -> None:
        if self.stopped:
            raise Stopped
        self._read += size

    def _on_write(self, done: int, total: int) -> None:
        if not self._total:
            self._began = time.monotonic()
        self._read, self._done, self._total = self._size, done, total

    # The three tasks.

    async def _check(self) -> None:
        source = await self._open()
        plan = await asyncio.to_thread(self._examine, source)
        await self._finish(queries.finish_check, {"result": orjson.dumps(plan).decode(), "progress": self._progress()})

    def _examine(self, source: Source) -> Json:
        """Read the whole file. Return what would be imported."""
        tally = Tally()
        for item in source.read(self._on_read):
            self._counts.add(item)
            tally.add(item)
        return to_report(source, self._counts) | tally.describe()

    async def _import(self) -> None:
        source = await self._open()
        if self._task.chosen is not None:
            source = await asyncio.to_thread(choose, source, set(self._task.chosen))
        settings, people = self._settings, Options(self._task.people or {})
        keep = Retention(self._pool, settings.log_partition_entries, settings.log_retention_days).maintain
        store = FileStore(self._uploads, settings.directory, settings.custom_emoji_most)
        importer = Importer(self._pool, source, keep, people, store, self._spec.job)
        await importer.run(self._counts, self._on_read, self._on_write)
        result = orjson.dumps(to_report(source, self._counts)).decode()
        await self._finish(queries.finish_import, {"result": result, "progress": self._progress()})
        await self._record("import.done", {"new": self._counts.new})

    async def _revert(self) -> None:
        assert self._task.import_id is not None
        self._undo = Undo(self._pool, Log(self._pool, unannounced), self._task.import_id, self._task.progress)
        await self._undo.run()
        result = orjson.dumps(self._undo.removed).decode()
        await self._finish(queries.finish_undo, {"result": result, "progress": self._progress()})
        await self._record("import.undone", self._undo.removed)

    async def _record(self, action: str, numbers: dict[str, int]) -> None:
        """Record the end of the work in the audit."""
        detail: Json = {"id": self._spec.job, "name": self._task.name} | numbers
        async with self._pool.connection() as connection:
            await record(connection, Actor(self._task.actor), action, **detail)


async def write_file(path: Path, body: AsyncIterator[bytes]) -> None:
    """Write the body to a file that only this user can read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        async for block in body:
            await asyncio.to_thread(file.write, block)


# What a check returns, and the choice of conversations.


@dataclass
class Tally:
    """The conversations and users of a file, with the numbers of their messages."""

    conversations: dict[Key, ConversationRecord] = field(default_factory=dict)
    users: dict[str, UserRecord] = field(default_factory=dict)
    messages: Counter[Key] = field(default_factory=Counter)
    authors: Counter[str] = field(default_factory=Counter)

    def add(self, item: Item) -> None:
        """Count a record."""
        match item:
            case ConversationRecord():
                self.conversations[item.id] = item
            case UserRecord():
                self.users[item.name] = item
            case MessageRecord():
                self.messages[item.conversation] += 1
                self.authors[item.author] += 1

    def describe(self) -> Json:
        """Return those with most messages first."""
        keys = sorted(self.conversations, key=lambda key: -self.messages[key])
        names = sorted(self.users, key=lambda name: -self.authors[name])
        return {
            "conversations": [self._conversation(key) for key in keys[:CONVERSATIONS_MOST]],
            "more_conversations": max(0, len(keys) - CONVERSATIONS_MOST),
            "users": [self._user(name) for name in names[:USERS_MOST]],
            "more_users": max(0, len(names) - USERS_MOST),
        }

    def _conversation(self, key: Key) -> Json:
        one = self.conversations[key]
        names = [self.users[name].display_name if name in self.users else name for name in one.people]
        shown = one.name or ", ".join(names)
        private = one.private or one.kind != "channel"
        return {"key": key, "kind": one.kind, "name": shown, "private": private, "messages": self.messages[key]}

    def _user(self, name: str) -> Json:
        return {"name": name, "display_name": self.users[name].display_name, "messages": self.authors[name]}


def choose(source: Source, keys: set[Key]) -> Source:
    """Return the source with these conversations only, the users who occur in them, and all custom emoji."""
    names: set[str] = set()
    for item in source.read(lambda _: None):
        if not isinstance(item, LineError | SkippedItem) and conversation_of(item) in keys:
            names |= names_in([item])

    def read(progress: Any) -> Iterator[Item]:
        for item in source.read(progress):
            if isinstance(item, LineError | SkippedItem):
                yield item
            elif isinstance(item, UserRecord):
                yield from [item] if item.name in names else []
            elif isinstance(item, EmojiRecord):
                yield item if item.user in names else item.model_copy(update={"user": None})
            elif conversation_of(item) in keys:
                yield item

    mark = sha256(orjson.dumps(sorted(map(repr, keys)))).hexdigest()[:16]
    return replace(source, read=read, fingerprint=f"{source.fingerprint}:{mark}")


def conversation_of(item: Any) -> Key | None:
    """Return the key of the conversation that a record describes or belongs to."""
    return item.id if isinstance(item, ConversationRecord) else getattr(item, "conversation", None)


if __name__ == "__main__":
    main()
