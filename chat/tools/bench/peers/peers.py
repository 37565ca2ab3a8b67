"""Peers, the systems that Tandem is compared with: how each is installed, started and addressed.

`PEERS` lists them by the name that `--against` takes.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from chat.client.node_process import cpu_seconds, family
from chat.local.data_dir import free_port
from chat.shared.child_process import leashed
from chat.tools.bench.baselines import await_port, running_floor
from chat.tools.bench.delivery import Contender
from chat.tools.bench.targets import FRAMED, BenchTrouble, Target

HOST = "127.0.0.1"

# As many bytes as a Tandem message has, carried unchanged.
BODY = '{"conversation":1,"seq":1000,"author":1,"created_at":"2026-01-01T00:00:00.000Z","message":{message}}'
PATIENCE = 3.0
APPS = Path(__file__).with_name("apps.py")


@dataclass(frozen=True, slots=True)
class Running:
    """Commands with their environments; the last one listens on the target's port, the others on `behind`."""

    commands: list[list[str]]
    target: Target
    environment: dict[str, str] | None = None
    behind: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Peer:
    """Another system. `prepare(cache, folder, port)` installs what is missing and returns how to start it."""

    name: str
    what: str
    prepare: Callable[[Path, Path, int], Running]
    share: float = 0.2


@contextmanager
def running_peer(peer: Peer, cache: Path) -> Iterator[Contender]:
    """Run the peer on loopback until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="tandem-peer-") as folder:
        Path(folder).chmod(0o755)  # some peers stop being root
        running = peer.prepare(cache, Path(folder), free_port())
        processes: list[subprocess.Popen[bytes]] = []
        with (Path(folder) / "log").open("wb") as log:
            try:
                for command in running.commands:
                    started = leashed(command, signal.SIGKILL)
                    processes.append(
                        subprocess.Popen(started, cwd=folder, env=running.environment, stdout=log, stderr=log)
                    )
                for port in (*running.behind, running.target.port):
                    await_port(port, processes[-1])
                yield Contender(peer.name, running.target, [""], lambda: cpu_of(processes), share=peer.share)
            finally:
                for process in reversed(processes):
                    end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask the process to stop; kill it if it waits for its readers."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cpu_of(processes: "list[subprocess.Popen[bytes]]") -> float:
    """Return the CPU that the processes and their children have used."""
    return sum(cpu_seconds(pid) for process in processes for pid in family(process.pid))


# The cache: peers are installed there once; nothing else on the machine changes.

LIMIT = 500.0


def run(command: list[str], folder: Path) -> None:
    """Run a command; raise `BenchTrouble` with the end of its output if it fails."""
    if shutil.which(command[0]) is None:
        raise BenchTrouble(f"{command[0]} is not installed here, and the peer needs it.")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False)
    if done.returncode:
        raise BenchTrouble(f"`{' '.join(command)}` failed:\n{(done.stdout + done.stderr)[-800:]}")


def made(folder: Path) -> bool:
    """Return whether the folder is there and complete; an incomplete one is removed."""
    if (folder / "done").exists():
        return True
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return False


def debian(cache: Path, *packages: str) -> Path:
    """Unpack these packages and their dependencies, without installing them; return the root of the tree."""
    root = (cache / "+".join(packages)).resolve()
    if not made(root):
        archives = root / "archives"
        (archives / "partial").mkdir(parents=True)
        options = [
            "-o",
            f"Dir::Cache::archives={archives}",
            "-o",
            "APT::Sandbox::User=root",
            "-o",
            "Debug::NoLocking=1",
        ]
        run(["apt-get", *options, "install", "--reinstall", "--download-only", "--yes", *packages], root)
        for archive in archives.glob("*.deb"):
            run(["dpkg", "-x", str(archive), str(root)], root)
        (root / "done").touch()
    return root


def environment(cache: Path, name: str, *packages: str) -> Path:
    """Make a Python environment with these packages; return its interpreter."""
    folder = (cache / name).resolve()
    if not made(folder):
        run([sys.executable, "-m", "venv", str(folder)], folder)
        run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *packages], folder)
        (folder / "done").touch()
    return folder / "bin" / "python"


def modules(cache: Path, name: str, *packages: str) -> Path:
    """Return a folder with these Node packages."""
    folder = (cache / name).resolve()
    if not made(folder):
        run(["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(folder), *packages], folder)
        (folder / "done").touch()
    return folder


def with_libraries(root: Path) -> dict[str, str]:
    """Return an environment in which programs of such a tree find their libraries."""
    folders = [str(path) for path in root.glob("usr/lib/*-linux-gnu")]
    paths = [str(root / part) for part in ("usr/bin", "usr/sbin")]
    found = {"LD_LIBRARY_PATH": ":".join(folders), "PATH": ":".join([*paths, os.environ["PATH"]])}
    return os.environ | found


SERVERS = ("uvicorn[standard]>=0.30",)
NCHAN = """
load_module "{root}/usr/lib/nginx/modules/ngx_nchan_module.so";
user root; worker_processes 1; daemon off; worker_rlimit_nofile {files};
pid "{folder}/pid"; error_log "{folder}/error.log";
events {{ worker_connections {files}; }}
http {{
  access_log off; client_body_temp_path "{folder}"; proxy_temp_path "{folder}"; fastcgi_temp_path "{folder}";
  uwsgi_temp_path "{folder}"; scgi_temp_path "{folder}"; keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /pub {{ nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length 1000; }}
    location = /sub {{
      nchan_subscriber eventsource; nchan_channel_id bench; nchan_subscriber_first_message newest;
    }}
  }}
}}
"""
PUSHPIN = """
[global]
include={folder}/internal.conf
rundir={folder}
ipc_prefix=bench-
port_offset=0
stats_connection_ttl=120
stats_connection_send=false
[runner]
services=condure,pushpin-proxy,pushpin-handler
http_port={port}
logdir={folder}
log_level=0
client_maxconn=50000
[proxy]
routesfile={folder}/routes
[handler]
push_in_http_addr=127.0.0.1
push_in_http_port={push}
message_rate=1000000
message_hwm=1000000
"""
ZURL = """
[General]
in_spec=ipc://{folder}/zurl-in
in_stream_spec=ipc://{folder}/zurl-in-stream
out_spec=ipc://{folder}/zurl-out
in_req_spec=ipc://{folder}/zurl-req
defpolicy=allow
max_open_requests=2000
buffer_size=200000
timeout=600
in_hwm=20000
out_hwm=20000
"""
PACE = 250  # of a thousand streams at once half are lost between its parts
QUOTED = '{"items":[{"channel":"bench","formats":{"http-stream":{"content":"data: {message}\\n\\n"}}}]}'


def events(port: int) -> Target:
    """Return the target of an event server with one address for readers and one for posts."""
    return Target(HOST, port, "/sub", "/pub", body=BODY, ready="event: ready")


def prepare_nchan(cache: Path, folder: Path, port: int) -> Running:
    """Prepare nginx's module, one worker, messages in memory."""
    root = debian(cache, "libnginx-mod-nchan", "nginx")
    files = 19_000
    (folder / "conf").write_text(NCHAN.format(root=root, folder=folder, port=port, files=files))
    nginx = [
        str(root / "usr/sbin/nginx"),
        "-p",
        str(folder),
        "-c",
        str(folder / "conf"),
        "-e",
        str(folder / "error.log"),
    ]
    target = Target(HOST, port, "/sub", "/pub", body=BODY)
    return Running([nginx], target, with_libraries(root))


def prepare_pushpin(cache: Path, folder: Path, port: int) -> Running:
    """Prepare the proxy in front of an application that only holds; posts go to it over HTTP."""
    root, push, origin = debian(cache, "pushpin"), free_port(), free_port()
    (folder / "conf").write_text(PUSHPIN.format(root=root, folder=folder, port=port, push=push))
    (folder / "routes").write_text(f"* {HOST}:{origin}\n")
    inside = (root / "usr/lib/pushpin/internal.conf").read_text()
    (folder / "internal.conf").write_text(inside.replace("/var/run/zurl", str(folder)))
    (folder / "zurl.conf").write_text(ZURL.format(folder=folder))
    zurl = [str(root / "usr/bin/zurl"), f"--config={folder}/zurl.conf"]
    hold = app(Path(sys.executable), "pushpin_origin", origin)
    commands = [hold, zurl, [str(root / "usr/bin/pushpin"), f"--config={folder}/conf"]]
    target = Target(HOST, port, "/sub", "/publish/", body=QUOTED, quoted=True, post_port=push, ready="event: ready")
    slow = replace(target, pace=PACE)
    return Running(commands, slow, with_libraries(root), behind=(origin, push))


def prepare_sse_starlette(cache: Path, folder: Path, port: int) -> Running:
    """Prepare a queue for each reader, as its documentation shows."""
    del folder
    python = environment(cache, "sse-starlette", "sse-starlette>=3", "starlette", *SERVERS)
    return Running([app(python, "sse_starlette", port)], events(port))


def prepare_django(cache: Path, folder: Path, port: int) -> Running:
    """Prepare one process without storage."""
    del folder
    python = environment(cache, "django-eventstream", "django-eventstream>=5", "django", *SERVERS)
    target = Target(HOST, port, "/sub", "/pub", body=BODY, ready="event: stream-open")
    return Running([app(python, "django_eventstream", port)], target)


def prepare_python_socketio(cache: Path, folder: Path, port: int) -> Running:
    """Prepare its WebSocket transport."""
    del folder
    python = environment(cache, "python-socketio", "python-socketio>=5", *SERVERS)
    return Running([app(python, "python_socketio", port)], socketio(port))


def prepare_socketio(cache: Path, folder: Path, port: int) -> Running:
    """Prepare the original, on Node."""
    del folder
    home = modules(cache, "socket.io", "socket.io")
    node = shutil.which("node") or "node"
    environment_ = os.environ | {"NODE_PATH": str(home / "node_modules")}
    return Running([[node, str(APPS.with_name("socketio.cjs")), str(port)]], socketio(port), environment_)


def prepare_aiohttp_sse(cache: Path, folder: Path, port: int) -> Running:
    """Prepare the library that writes the head of Tandem's streams, used as its documentation shows."""
    del cache, folder
    return Running([app(Path(sys.executable), "aiohttp_sse", port)], events(port))


def app(python: Path, name: str, port: int) -> list[str]:
    """Return the command of an application in `apps.py`."""
    return [str(python), str(APPS), name, str(port)]


def socketio(port: int) -> Target:
    """Return the target for Engine.IO 4 over a WebSocket; `40` joins the default namespace."""
    path = "/socket.io/?EIO=4&transport=websocket"
    return Target(HOST, port, path, "/pub", body=BODY, hello="40", ready='40{"sid"', marker=FRAMED, websocket=True)


PEERS = {
    peer.name: peer
    for peer in (
        Peer("nchan", "nginx with its module nchan (C), one worker, messages in memory", prepare_nchan),
        Peer("pushpin", "the proxy pushpin (C++, Rust), messages nowhere", prepare_pushpin),
        Peer("sse-starlette", "Starlette on uvicorn, a queue a reader", prepare_sse_starlette),
        Peer("django-eventstream", "Django on uvicorn, no storage", prepare_django),
        Peer("python-socketio", "Socket.IO on uvicorn, WebSocket", prepare_python_socketio),
        Peer("socket.io", "Socket.IO on Node, WebSocket", prepare_socketio),
        Peer("aiohttp-sse", "aiohttp with aiohttp-sse, a queue a reader", prepare_aiohttp_sse),
    )
}

# The competitors that were named, running: the floor and peers.


def check_names(names: Iterable[str]) -> None:
    """Raise `BenchTrouble` for an unknown name."""
    for name in names:
        if name != "floor" and name not in PEERS:
            raise BenchTrouble(f"{name} is none of these: floor, {', '.join(PEERS)}.")


def start_competitors(stack: ExitStack, names: Iterable[str], cache: Path) -> tuple[list[Contender], list[str]]:
    """Start the competitors; return those that run, and why others do not."""
    running, absent = list[Contender](), list[str]()
    for name in names:
        try:
            running.append(stack.enter_context(competitor(name, cache)))
        except BenchTrouble as trouble:  # no compiler or no network: measure the rest
            absent.append(f"{name} could not be measured: {trouble}")
    return running, absent


@contextmanager
def competitor(name: str, cache: Path) -> Iterator[Contender]:
    """Run the floor or a peer."""
    if name == "floor":
        with running_floor() as (target, pid):
            yield Contender("floor", target, [""], lambda: cpu_seconds(pid), share=0.5)
        return
    with running_peer(PEERS[name], cache) as peer:
        yield peer
