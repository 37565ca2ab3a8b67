"""Imports that admins run in the app: a job for each file, worked on by one process in all nodes.

A job's state says what to do. `ImportJobs` changes it for admins; `ImportSupervisor` is the task of each node that
claims a job and runs `chat/transfer/worker.py` for it. A claim is a lease that the process renews. If the process or
its node dies, the next claim continues where it stopped.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import orjson
import structlog
from pydantic import BaseModel, ConfigDict, Field

from chat.accounts.validation import Name as AccountName
from chat.model.types import Name, format_time
from chat.shared.audit import Actor, record
from chat.shared.errors import ApiError, Invalid, NotFound
from chat.shared.postgres import UNAVAILABLE, Connection, Pool
from chat.shared.settings import Settings
from chat.shared.sql import load
from chat.shared.tasks import to_its_end
from chat.transfer.undo import preview_undo

queries = load(__file__)
log = structlog.get_logger(__name__)
UNDO_HOURS = 24
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
            await connection.execute(queries.lock_claims, [CLAIM_LOCK])
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


# The task of each node.

CLAIM_LOCK = 7_263_375
LEASE_SECONDS = 15
POLL_SECONDS = 3.0
HOLD_SECONDS = 2.0
ATTEMPTS_MOST = 5
PASSED = (
    *("database_url", "log_format", "log_partition_entries", "log_retention_days", "directory", "files_url"),
    *("max_file_bytes", "max_import_bytes", "files_quota", "piece_least", "picture_pixels", "strip_pictures"),
)
UNEXPECTED = "The import failed unexpectedly. The log of the node has the reason."


class Claim(NamedTuple):
    """A job claimed by this node, and the number of the process that works on it."""

    job: int
    run: int
    attempts: int


class ImportSupervisor:
    """Runs a process for the job that this node has claimed, one at a time in all nodes."""

    def __init__(self, pool: Pool, settings: Settings, work: asyncio.Event) -> None:
        self._pool, self._settings, self._work = pool, settings, work
        self._prefix = f"tandem-import-{settings.node}-"
        self._folder = Path(settings.import_folder or tempfile.gettempdir())
        self.process: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """Work on imports forever; retry while the database is unavailable."""
        await asyncio.to_thread(self._sweep)
        while True:
            try:
                while (claim := await self._claim()) is not None:
                    await self._supervise(claim)
            except UNAVAILABLE as error:
                log.warning("database unavailable, imports wait", error=repr(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._work.wait()
            self._work.clear()

    def _sweep(self) -> None:
        """Remove the folders that an earlier process of this node has left."""
        for left in self._folder.glob(f"{self._prefix}*"):
            shutil.rmtree(left, ignore_errors=True)

    async def _claim(self) -> Claim | None:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.has_work)).fetchone()
            if row is None or not row[0]:
                return None
            async with connection.transaction():
                await connection.execute(queries.lock_claims, [CLAIM_LOCK])
                fields = {"node": self._settings.node, "lease": LEASE_SECONDS}
                row = await (await connection.execute(queries.claim, fields)).fetchone()
        return Claim(*row) if row else None

    async def _supervise(self, claim: Claim) -> None:
        """Run the process until it ends or loses its claim."""
        log.info("import process started", job=claim.job, attempt=claim.attempts)
        folder = await asyncio.to_thread(tempfile.mkdtemp, prefix=self._prefix, dir=self._folder)
        mine = [claim.job, claim.run]
        try:
            process = self.process = await spawn()
            await self._instruct(process, claim, folder)
            await self._wait(process, claim)
        except asyncio.CancelledError:
            await to_its_end(self._clean_up(folder, queries.lend, mine))
            raise
        fields = {"job": claim.job, "run": claim.run, "most": ATTEMPTS_MOST, "problem": UNEXPECTED}
        await to_its_end(self._clean_up(folder, queries.release, fields))
        log.info("import process ended", job=claim.job, code=process.returncode)

    async def _clean_up(self, folder: str, query: bytes, fields: list[int] | Json) -> None:
        """End the process, remove its folder, and give the claim back. Without the database, the lease expires."""
        if self.process is not None:
            await end_process(self.process)
        self.process = None
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        with suppress(*UNAVAILABLE):
            async with self._pool.connection() as connection:
                await connection.execute(query, fields)

    async def _instruct(self, process: asyncio.subprocess.Process, claim: Claim, folder: str) -> None:
        """Tell the process what to do. Its standard input has no secret that others can see, unlike its arguments."""
        spec: Json = {"settings": {name: getattr(self._settings, name) for name in PASSED}}
        spec |= {"folder": folder, "job": claim.job, "run": claim.run, "lease": LEASE_SECONDS}
        assert process.stdin is not None
        process.stdin.write(orjson.dumps(spec) + b"\n")
        with suppress(ConnectionError):
            await process.stdin.drain()

    async def _wait(self, process: asyncio.subprocess.Process, claim: Claim) -> None:
        """Wait for the process. Return early if the claim is lost, so that it is ended."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(HOLD_SECONDS):
                    await process.wait()
                    return
            with suppress(*UNAVAILABLE):
                async with self._pool.connection() as connection:
                    if not await (await connection.execute(queries.hold, [claim.job, claim.run])).fetchone():
                        return


async def spawn() -> asyncio.subprocess.Process:
    """Start the process. The end of its standard input tells it that this node has ended."""
    command = [sys.executable, "-m", "chat.transfer.worker"]
    pipe, environment = asyncio.subprocess.PIPE, dict(os.environ)
    return await asyncio.create_subprocess_exec(*command, stdin=pipe, env=environment, start_new_session=True)


async def end_process(process: asyncio.subprocess.Process) -> None:
    """End the process if it still runs, wait for it, and close its input."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.stdin is not None:
        process.stdin.close()
        with suppress(ConnectionError):
            await process.stdin.wait_closed()
