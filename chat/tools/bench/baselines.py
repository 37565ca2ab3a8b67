"""Baselines: servers that do less than a node, so that the difference is the cost of the rest.

- The floor, a C program, writes the same bytes to every reader and does nothing else.
- `python -m chat.tools.bench.baselines bare --port=…` is aiohttp itself. It reads a post and answers, with the loop and
  the JSON library of a node.
- `python -m chat.tools.bench.baselines storeless --node NAME --host=… --port=…` is a node that stores no posts. It has
  the same handler, identity, limits and validation, and then answers at once.
"""

import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import orjson
import uvloop
from aiohttp import web

from chat.local.data_dir import free_port
from chat.tools.bench.targets import BenchTrouble, NoCompiler, Target

SOURCE = Path(__file__).with_name("floor.c")
PROGRAM = (sys.executable, "-m", "chat.tools.bench.baselines")
STORELESS = (*PROGRAM, "storeless")
START_LIMIT = 10.0


@contextmanager
def running_floor() -> Iterator[tuple[Target, int]]:
    """Run the floor on a loopback port; yield its target and process id."""
    with tempfile.TemporaryDirectory(prefix="tandem-floor-") as folder:
        port = free_port()
        with running([str(compile_floor(Path(folder))), str(port)], port) as pid:
            yield Target("127.0.0.1", port, "/", "/", ready="event: ready"), pid


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
def running_bare() -> Iterator[tuple[Target, int]]:
    """Run the bare handler on a loopback port; yield its target and process id."""
    port = free_port()
    with running([*PROGRAM, "bare", f"--port={port}"], port) as pid:
        yield Target("127.0.0.1", port, "/", "/"), pid


@contextmanager
def running(command: Sequence[str], port: int) -> Iterator[int]:
    """Run a command that listens on the port; yield its process id."""
    process = subprocess.Popen(command)
    try:
        await_port(port, process)
        yield process.pid
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


# The programs. Only the node that stores nothing loads the parts of a node.


def serve_bare(port: int) -> None:
    """Answer every post with its fields, as if they were a message."""

    async def take(request: web.Request) -> web.Response:
        draft = orjson.loads(await request.read())
        message = {"conversation": 1, "seq": 1, "author": 1} | draft | {"created_at": round(time.time() * 1000)}
        return web.Response(body=orjson.dumps({"message": message}), status=201, content_type="application/json")

    uvloop.install()
    app = web.Application()
    app.router.add_post("/{path:.*}", take)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


async def serve_storeless(node: str, host: str, port: int) -> None:
    """Serve as a node does, with a writer that accepts every post at once."""
    from chat.app import make_app
    from chat.messages.drafts import Post
    from chat.messages.endpoints import POSTS
    from chat.messages.posting import Posted, PostWriter
    from chat.model.message import Message
    from chat.server import BACKLOG, freeze_garbage, open_listeners
    from chat.shared.settings import read_settings

    class NoStorage(PostWriter):
        def __init__(self) -> None:
            """Stand in for a batcher, without one."""

        def submit(self, post: Post) -> "asyncio.Future[Posted]":
            done: asyncio.Future[Posted] = asyncio.get_running_loop().create_future()
            draft, now = post.draft, datetime.now(UTC)
            message = Message(post.conversation_id, 1, post.author_id, draft.body, draft.client_id, now)
            done.set_result(Posted(message.encode(), fresh=True))
            return done

    async def skip_storing(app: web.Application) -> AsyncIterator[None]:
        app[POSTS] = NoStorage()
        yield

    app = make_app(read_settings(node=node))
    app.cleanup_ctx.append(skip_storing)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    for listener in open_listeners(host, port):
        await web.SockSite(runner, listener, backlog=BACKLOG).start()
    freeze_garbage()
    await asyncio.Event().wait()


def main() -> None:
    """Serve until the process is ended."""
    options = ArgumentParser()
    options.add_argument("name", choices=("bare", "storeless"))
    options.add_argument("--node", default="storeless")
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, required=True)
    given = options.parse_args()
    if given.name == "bare":
        serve_bare(given.port)
    else:
        uvloop.run(serve_storeless(given.node, given.host, given.port))


if __name__ == "__main__":
    main()
