"""The list of peers: the name that `--against` takes, and how each is installed, started and addressed."""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from chat.local.data_dir import free_port
from chat.tools.bench.fanout import Contender
from chat.tools.bench.floor import running_floor
from chat.tools.bench.peers.peer import (
    APPS,
    BODY,
    HOST,
    Peer,
    Running,
    debian,
    environment,
    modules,
    running_peer,
    with_libraries,
)
from chat.tools.bench.process import cpu_seconds
from chat.tools.bench.targets import FRAMED, BenchTrouble, Target

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
    hold = [sys.executable, str(APPS / "hold.py"), str(origin)]
    commands = [hold, zurl, [str(root / "usr/bin/pushpin"), f"--config={folder}/conf"]]
    target = Target(HOST, port, "/sub", "/publish/", body=QUOTED, quoted=True, post_port=push, ready="event: ready")
    slow = replace(target, pace=PACE)
    return Running(commands, slow, with_libraries(root), behind=(origin, push))


def prepare_sse_starlette(cache: Path, folder: Path, port: int) -> Running:
    """Prepare a queue for each reader, as its documentation shows."""
    del folder
    python = environment(cache, "sse-starlette", "sse-starlette>=3", "starlette", *SERVERS)
    return Running([asgi(python, "sse_starlette_app", port)], events(port), app_environment())


def prepare_django(cache: Path, folder: Path, port: int) -> Running:
    """Prepare one process without storage."""
    del folder
    python = environment(cache, "django-eventstream", "django-eventstream>=5", "django", *SERVERS)
    target = Target(HOST, port, "/sub", "/pub", body=BODY, ready="event: stream-open")
    return Running([asgi(python, "django_app", port)], target, app_environment())


def prepare_python_socketio(cache: Path, folder: Path, port: int) -> Running:
    """Prepare its WebSocket transport."""
    del folder
    python = environment(cache, "python-socketio", "python-socketio>=5", *SERVERS)
    return Running([asgi(python, "socketio_app", port)], socketio(port), app_environment())


def prepare_socketio(cache: Path, folder: Path, port: int) -> Running:
    """Prepare the original, on Node."""
    del folder
    home = modules(cache, "socket.io", "socket.io")
    node = shutil.which("node") or "node"
    environment_ = os.environ | {"NODE_PATH": str(home / "node_modules")}
    return Running([[node, str(APPS / "socketio.cjs"), str(port)]], socketio(port), environment_)


def prepare_aiohttp_sse(cache: Path, folder: Path, port: int) -> Running:
    """Prepare the library that writes the head of Tandem's streams, used as its documentation shows."""
    del cache, folder
    return Running([[sys.executable, str(APPS / "aiohttp_sse_app.py"), str(port)]], events(port))


def asgi(python: Path, app: str, port: int) -> list[str]:
    """Return the command of one uvicorn process."""
    quiet = ["--log-level", "warning", "--no-access-log", "--backlog", "4096", "--lifespan", "off"]
    return [str(python), "-m", "uvicorn", f"{app}:app", "--port", str(port), *quiet]


def app_environment() -> dict[str, str]:
    """Return the environment in which the applications are found."""
    return os.environ | {"PYTHONPATH": str(APPS)}


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
