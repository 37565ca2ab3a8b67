"""An S3 server for the tests: SeaweedFS, started on loopback."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chat.local.data_dir import free_port
from tests.waiting import wait_until

KEY, SECRET = "tandem", "not-a-secret-at-all"
IDENTITIES = {
    "identities": [
        {
            "name": "tandem",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
    ]
}
PORTS = tuple(f"{part}.port{kind}" for part in ("master", "volume", "filer", "s3") for kind in ("", ".grpc"))


@contextmanager
def running_seaweed(folder: Path) -> Iterator[str]:
    """Run the server; yield its address."""
    (folder / "identities.json").write_text(json.dumps(IDENTITIES))
    (folder / "data").mkdir()
    ports = {name: free_port() for name in PORTS}
    with (folder / "seaweed.log").open("wb") as out:
        process = subprocess.Popen(command(folder, ports), stdout=out, stderr=out, cwd=folder)
        try:
            wait_until(lambda: is_ready(ports["s3.port"]) or process.poll() is not None, 30)
            assert process.poll() is None, (folder / "seaweed.log").read_text(errors="replace")[-2000:]
            yield f"http://127.0.0.1:{ports['s3.port']}"
        finally:
            process.kill()
            process.wait()


def command(folder: Path, ports: dict[str, int]) -> list[str]:
    """Return the command that runs all its servers in one process, on loopback alone."""
    options: dict[str, object] = {
        "dir": folder / "data",
        "logdir": folder,
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": 64,
        "volume.max": 8,
        "filer": "true",
        "filer.localSocket": folder / "filer.sock",
        "s3": "true",
        "s3.iam": "false",
        "s3.config": folder / "identities.json",
    } | ports
    program = [str(Path(sys.executable).with_name("weed")), f"-logdir={options.pop('logdir')}", "server"]
    return [*program, *[f"-{name}={value}" for name, value in options.items()]]


def is_ready(port: int) -> bool:
    """Return whether it answers."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
