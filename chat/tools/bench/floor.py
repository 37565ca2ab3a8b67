"""The floor: a C program that writes the same bytes to every reader and does nothing else."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chat.local.data_dir import free_port
from chat.tools.bench.targets import BenchTrouble, NoCompiler, Target

SOURCE = Path(__file__).with_name("floor.c")
START_LIMIT = 10.0


def compile_floor(folder: Path) -> Path:
    """Return the path of the program; raise `NoCompiler`."""
    if (compiler := shutil.which("cc")) is None:
        raise NoCompiler
    program = folder / "floor"
    done = subprocess.run([compiler, "-O2", "-o", program, SOURCE], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchTrouble(f"The floor could not be compiled:\n{done.stderr}")
    return program


@contextmanager
def running_floor() -> Iterator[tuple[Target, int]]:
    """Run the floor on a loopback port; yield its target and process id."""
    with tempfile.TemporaryDirectory(prefix="tandem-floor-") as folder:
        port = free_port()
        process = subprocess.Popen([compile_floor(Path(folder)), str(port)])
        try:
            await_port(port, process)
            yield Target("127.0.0.1", port, "/", "/", ready="event: ready"), process.pid
        finally:
            process.terminate()
            process.wait()


def await_port(port: int, process: "subprocess.Popen[bytes]", limit: float = START_LIMIT) -> None:
    """Wait until the process listens on the port; raise `BenchTrouble` if it ends first."""
    deadline = time.monotonic() + limit
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise BenchTrouble(f"{process.args!r} did not start to listen on port {port}.") from None
            time.sleep(0.02)
        else:
            return
