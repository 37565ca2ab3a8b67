"""The task of each node that claims an import of the app and runs a process for it (`chat/transfer/worker.py`).

A claim is a lease that the process renews. If the process or its node dies, the next claim continues where it stopped.
"""

import asyncio
import fcntl
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import structlog

from chat.shared.postgres import UNAVAILABLE, Pool
from chat.shared.settings import Settings
from chat.shared.sql import load
from chat.shared.tasks import to_its_end
from chat.transfer.jobs import lock_claims

queries = load(__file__)
log = structlog.get_logger(__name__)
LEASE_SECONDS, START_SECONDS = 15, 60  # the longer until its process first renews it
POLL_SECONDS = 3.0
HOLD_SECONDS = 2.0
ATTEMPTS_MOST = 5
PASSED = (
    *("database_url", "log_format", "log_partition_entries", "log_retention_days", "directory", "files_url"),
    *("max_file_bytes", "max_import_bytes", "files_quota", "piece_least", "picture_pixels", "strip_pictures"),
)
Json = dict[str, Any]
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
        """Remove the folders whose node has ended. Another node of this name may run, with another database."""
        for left in self._folder.glob(f"{self._prefix}*"):
            with suppress(OSError):
                lock = lock_folder(left)
                shutil.rmtree(left, ignore_errors=True)
                os.close(lock)

    async def _claim(self) -> Claim | None:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.has_work)).fetchone()
            if row is None or not row[0]:
                return None
            async with connection.transaction():
                await lock_claims(connection)
                fields = {"node": self._settings.node, "lease": START_SECONDS}
                row = await (await connection.execute(queries.claim, fields)).fetchone()
        return Claim(*row) if row else None

    async def _supervise(self, claim: Claim) -> None:
        """Run the process until it ends or loses its claim."""
        log.info("import process started", job=claim.job, attempt=claim.attempts)
        folder, lock = await asyncio.to_thread(make_folder, self._prefix, self._folder)
        mine = [claim.job, claim.run]
        try:
            process = self.process = await spawn()
            await self._instruct(process, claim, folder)
            await self._wait(process, claim)
        except asyncio.CancelledError:
            await to_its_end(self._clean_up(folder, queries.lend, mine))
            raise
        else:
            fields = {"job": claim.job, "run": claim.run, "most": ATTEMPTS_MOST, "problem": UNEXPECTED}
            await to_its_end(self._clean_up(folder, queries.release, fields))
        finally:
            os.close(lock)
        log.info("import process ended", job=claim.job, code=process.returncode)

    async def _clean_up(self, folder: Path, query: bytes, fields: list[int] | Json) -> None:
        """End the process, remove its folder, and give the claim back. Without the database, the lease expires."""
        if self.process is not None:
            await end_process(self.process)
        self.process = None
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        with suppress(*UNAVAILABLE):
            async with self._pool.connection() as connection:
                await connection.execute(query, fields)

    async def _instruct(self, process: asyncio.subprocess.Process, claim: Claim, folder: Path) -> None:
        """Tell the process what to do. Its standard input has no secret that others can see, unlike its arguments."""
        spec: Json = {"settings": {name: getattr(self._settings, name) for name in PASSED}}
        spec |= {"folder": str(folder), "job": claim.job, "run": claim.run, "lease": LEASE_SECONDS}
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


def make_folder(prefix: str, parent: Path) -> tuple[Path, int]:
    """Make a folder and lock it while this process lives. Return its path and the lock, for `os.close`."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        with suppress(OSError):  # taken for a folder that was left, and removed
            lock = lock_folder(folder)
            if folder.exists():
                return folder, lock
            os.close(lock)


def lock_folder(folder: Path) -> int:
    """Lock the folder until the descriptor returned is closed or the process ends. Raise `OSError` if it is locked."""
    lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


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
