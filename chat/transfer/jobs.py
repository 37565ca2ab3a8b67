"""Imports that admins run in the app: a job for each file, worked on by one process in all nodes.

A job's state says what to do. `ImportJobs` changes it for admins; `ImportSupervisor` (`supervisor.py`) is the task of
each node that claims a job and runs `chat/transfer/worker.py` for it. A claim is a lease that the process renews. If
the process or its node dies, the next claim continues where it stopped.
"""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import orjson
import structlog
from pydantic import BaseModel, ConfigDict, Field

from chat.accounts.validation import Name as AccountName
from chat.model.types import Name, format_time
from chat.shared.audit import Actor, record
from chat.shared.errors import ApiError, Invalid, NotFound
from chat.shared.postgres import Connection, Pool
from chat.shared.sql import load
from chat.transfer.undo import preview_undo

queries = load(__file__)
log = structlog.get_logger(__name__)
UNDO_HOURS = 24
CLAIM_LOCK = 7_263_375
OPEN_MOST = 10
PAGE = 50
CHOSEN_MOST, PEOPLE_MOST = 5_000, 500
Json = dict[str, Any]
State = Literal["checking", "ready", "running", "stopped", "done", "failed", "undoing", "undone"]


class ImportNotReady(ApiError):
    """The import cannot do this in its present state. Load it again, and see what is possible now."""

    status, code = 409, "import_not_ready"


class ImportFileGone(ApiError):
    """The uploaded file has been removed, which happens a day after its last use. Upload it again to continue."""

    status, code = 409, "import_file_gone"


class UndoTooLate(ApiError):
    """An import can be undone for 24 hours after it has ended. Remove its conversations one by one instead."""

    status, code = 409, "undo_too_late"


class TooManyImports(ApiError):
    """Too many imports wait or run. Finish or remove one of them first."""

    status, code = 409, "too_many_imports"


Foreign = Annotated[str, Field(min_length=1, max_length=254)]


class ImportRequest(BaseModel):
    """A file to check for an import. `channel`: the channel of lines that name none."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    file: Annotated[int, Field(ge=1, lt=2**53)]
    channel: Name | None = None


class StartRequest(BaseModel):
    """The conversations to import, by their keys in the plan. Without them, all are imported.

    `people`: usernames of accounts here by the ids, names or e-mail addresses of users in the file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    conversations: Annotated[list[int | str], Field(min_length=1, max_length=CHOSEN_MOST)] | None = None
    people: Annotated[dict[Foreign, AccountName], Field(max_length=PEOPLE_MOST)] | None = None


class Job(NamedTuple):
    """A job as the queries return it. `imported`: something may have been imported. `kept`: the file still exists."""

    id: int
    name: str
    size: int
    actor: int | None
    state: State
    at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    problem: str
    progress: Json
    unclaimed: bool
    imported: bool
    kept: bool
    undo_until: datetime
    now: datetime
    source: str | None
    chosen: list[int | str] | None
    plan: Json | None
    result: Json | None
    undone: Json | None

    def describe(self) -> Json:
        """Return the fields of a list. `can` names what is possible now."""
        fields: Json = {"id": self.id, "name": self.name, "size": self.size, "state": self.state}
        fields |= {"at": format_time(self.at), "progress": self.progress, "can": self._abilities()}
        fields |= {"source": self.source} if self.source else {}
        fields |= {"by": self.actor} if self.actor is not None else {}
        fields |= {"problem": self.problem} if self.problem else {}
        fields |= {"waiting": True} if self.unclaimed and self.state in ACTIVE else {}
        times = {"started_at": self.started_at, "ended_at": self.ended_at}
        fields |= {name: format_time(at) for name, at in times.items() if at}
        return fields | ({"undo_until": format_time(self.undo_until)} if "undo" in fields["can"] else {})

    def details(self) -> Json:
        """Return all fields."""
        more = {"chosen": self.chosen, "plan": self.plan, "result": self.result, "undone": self.undone}
        return self.describe() | {name: value for name, value in more.items() if value is not None}

    def _abilities(self) -> list[str]:
        can = []
        if self.state in STARTABLE and self.source and self.kept:
            can.append("start")
        if self.state == "running":
            can.append("stop")
        if self.state in UNDOABLE and self.imported and self.undo_until > self.now:
            can.append("undo")
        if self.state in REMOVABLE and not self.imported:
            can.append("remove")
        return can


ACTIVE = ("checking", "running", "undoing")
STARTABLE = ("ready", "stopped", "failed")
UNDOABLE = ("stopped", "done", "failed")
REMOVABLE = ("checking", "ready", "failed", "stopped")


class ImportJobs:
    """What admins do with imports. `work` is set when a process has something to do."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.work = asyncio.Event()

    async def create(self, actor: Actor, asked: ImportRequest) -> Job:
        """Create a job for an upload of the caller, which is checked first. Raise `Invalid` or `TooManyImports`."""
        async with self._pool.connection() as connection, connection.transaction():
            await lock_claims(connection)
            row = await (await connection.execute(queries.count_open)).fetchone()
            if row is not None and row[0] >= OPEN_MOST:
                raise TooManyImports
            fields = {"file": asked.file, "actor": actor.user_id, "channel": asked.channel}
            row = await (await connection.execute(queries.insert_job, fields)).fetchone()
            if row is None:
                detail = "you have no complete upload with this id that was started for an import"
                raise Invalid(errors=[{"field": "file", "detail": detail}])
            job = await find_job(connection, row[0])
            await record(connection, actor, "import.upload", id=job.id, name=job.name, size=job.size)
        self.work.set()
        return job

    async def list(self, after: int) -> tuple[list[Job], bool]:
        """Return a page of jobs, the latest first, and whether there are more."""
        asked = {"after": after, "limit": PAGE + 1, "hours": UNDO_HOURS}
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.list_jobs, asked)).fetchall()
        return [Job(*row) for row in rows[:PAGE]], len(rows) > PAGE

    async def find(self, job_id: int) -> Job:
        """Return a job; raise `NotFound`."""
        async with self._pool.connection() as connection:
            return await find_job(connection, job_id)

    async def start(self, actor: Actor, job_id: int, asked: StartRequest) -> Job:
        """Start or continue an import. Raise `NotFound`, `ImportNotReady`, `ImportFileGone` or `Invalid`."""
        async with self._pool.connection() as connection, connection.transaction():
            state, import_id, plan, kept, _ = await lock_job(connection, job_id)
            if state not in STARTABLE or plan is None:
                raise ImportNotReady
            if not kept:
                raise ImportFileGone
            if asked != StartRequest():
                if import_id is not None:
                    detail = "the choice cannot change after the import has begun"
                    raise Invalid(errors=[{"field": "conversations", "detail": detail}])
                people = {name.casefold(): account for name, account in (asked.people or {}).items()}
                chosen = [orjson.dumps(one).decode() for one in (asked.conversations, people)]
                await connection.execute(queries.choose, [*chosen, job_id])
            return await self._move(connection, actor, job_id, "running", "import.start")

    async def stop(self, actor: Actor, job_id: int) -> Job:
        """Stop an import; what has been imported stays. Raise `NotFound` or `ImportNotReady`."""
        async with self._pool.connection() as connection, connection.transaction():
            state, *_ = await lock_job(connection, job_id)
            if state != "running":
                raise ImportNotReady
            return await self._move(connection, actor, job_id, "stopped", "import.stop")

    async def undo(self, actor: Actor, job_id: int) -> Job:
        """Undo an import. Raise `NotFound`, `ImportNotReady` or `UndoTooLate`."""
        async with self._pool.connection() as connection, connection.transaction():
            await self.require_undoable(connection, job_id)
            return await self._move(connection, actor, job_id, "undoing", "import.undo")

    async def preview_undo(self, job_id: int) -> Json:
        """Return what an undo would remove. Raise `NotFound`, `ImportNotReady` or `UndoTooLate`."""
        async with self._pool.connection() as connection, connection.transaction():
            return await preview_undo(connection, await self.require_undoable(connection, job_id))

    async def require_undoable(self, connection: Connection, job_id: int) -> int:
        """Lock the job and return the id of its import. Raise `NotFound`, `ImportNotReady` or `UndoTooLate`."""
        state, import_id, _, _, in_time = await lock_job(connection, job_id)
        if state not in UNDOABLE or import_id is None:
            raise ImportNotReady
        if not in_time:
            raise UndoTooLate
        return int(import_id)

    async def remove(self, actor: Actor, job_id: int) -> None:
        """Remove a job that has imported nothing, with its file. Raise `NotFound` or `ImportNotReady`."""
        async with self._pool.connection() as connection, connection.transaction():
            state, import_id, *_ = await lock_job(connection, job_id)
            if state not in REMOVABLE or import_id is not None:
                raise ImportNotReady
            row = await (await connection.execute(queries.drop_job, [job_id])).fetchone()
            assert row is not None
            await connection.execute(queries.remove_file, [row[0]])
            await record(connection, actor, "import.remove", id=job_id)

    async def _move(self, connection: Connection, actor: Actor, job_id: int, state: State, action: str) -> Job:
        await connection.execute(queries.move_job, {"job": job_id, "state": state})
        job = await find_job(connection, job_id)
        await record(connection, actor, action, id=job_id, name=job.name)
        self.work.set()
        return job


async def find_job(connection: Connection, job_id: int) -> Job:
    """Return a job; raise `NotFound`."""
    row = await (await connection.execute(queries.find_job, {"job": job_id, "hours": UNDO_HOURS})).fetchone()
    if row is None:
        raise NotFound
    return Job(*row)


async def lock_job(connection: Connection, job_id: int) -> tuple[State, int | None, Json | None, bool, bool]:
    """Lock a job. Return its state, its import, its plan, whether its file exists, and whether undo is in time."""
    row = await (await connection.execute(queries.lock_job, {"job": job_id, "hours": UNDO_HOURS})).fetchone()
    if row is None:
        raise NotFound
    state, import_id, plan, kept, in_time = row
    return state, import_id, plan, kept, in_time


async def lock_claims(connection: Connection) -> None:
    """Let no other transaction add or claim a job until this one ends."""
    await connection.execute(queries.lock_claims, [CLAIM_LOCK])
