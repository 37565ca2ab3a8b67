"""A node as production has it: `tandem serve` as a process, which can be killed, frozen, started again."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from chat.chaos.waiting import until
from chat.local.data_dir import free_port
from chat.local.parent_watch import leashed

STARTED = 60.0

STOPPED = 30.0

ANSWERED = 5.0

EVERYDAY = {
    "RATE_LIMITS": "off",
    "STRANGERS": "add",
    "DRAIN_SECONDS": "0",
    "STREAMS_PER_PERSON": "20000",
    "LOG_FORMAT": "json",
    "CANARY_SECONDS": "0",
}

PROGRAM = (sys.executable, "-m", "chat")


class NodeProcess:
    """The node `name`, always on the same port. Its settings are environment variables; `program` is `tandem`.

    `leaving`: it was asked to stop, so a load balancer that checks its readiness sends nobody there any more.
    """

    def __init__(self, name: str, folder: Path, settings: dict[str, str], program: Sequence[str] = PROGRAM) -> None:
        self.name, self.port = name, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.health_port = int(settings.get("OPERATIONS_PORT", self.port))
        self.log = folder / f"{name}.log"
        self.leaving, self._said = False, 0
        self._settings = EVERYDAY | {"FILES_URL": f"file://{folder}/files"} | settings
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Start the process, in a group and not a session of its own: else it gets as much of the processor as all of
        us together, who let loose on it what it has to bear."""
        self.leaving = False
        serve = [*self._program, "serve", "--node", self.name, f"--port={self.port}"]
        with self.log.open("ab") as log:
            self._said = log.tell()
            self._process = subprocess.Popen(
                leashed(serve, signal.SIGKILL),
                env=os.environ | self._settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    async def start(self) -> None:
        """Start, and wait until it is ready."""
        self.launch()
        await until(self.is_ready, STARTED, f"node {self.name} to be ready")

    async def is_ready(self) -> bool:
        """Whether it serves; fails when it has ended."""
        assert self.alive(), self.log.read_text()[-2000:]
        return await self.readiness() == 200

    async def readiness(self) -> int:
        """The status of `/health/ready`; 0 when nobody answers."""
        patience = aiohttp.ClientTimeout(total=ANSWERED)
        health = f"http://127.0.0.1:{self.health_port}/health/ready"
        try:
            async with aiohttp.ClientSession(timeout=patience) as http, http.get(health) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    @property
    def pid(self) -> int:
        """The process id; only while it is started."""
        assert self._process is not None
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int:
        """What it ended with; 0 while it runs."""
        return (self._process and self._process.poll()) or 0

    def kill(self) -> None:
        """kill -9: no goodbye, and nothing left of it when this returns."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """SIGSTOP: it keeps its connections, and gets no time at all."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def ask_to_stop(self) -> None:
        """SIGTERM: drain, then end."""
        self.leaving = True
        os.kill(self.pid, signal.SIGTERM)

    def words(self) -> str:
        """What it has said since it was launched."""
        with self.log.open("rb") as log:
            log.seek(self._said)
            return log.read().decode(errors="replace")

    async def ends(self) -> int:
        """Wait until it has ended; the exit code."""
        await until(lambda: not self.alive(), STOPPED, f"node {self.name} to end")
        return self.exit_code

    def memory(self) -> int:
        """Its resident bytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
