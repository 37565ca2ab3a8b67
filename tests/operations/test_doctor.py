"""The doctor: a correct installation has no findings; behind a bad proxy every fault is named."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from chat.app import INTAKE
from chat.local.data_dir import free_port
from chat.local.engine import RabbitEngine
from chat.tools.chaos.environment import make_node
from chat.tools.doctor.checks import Finding, check_redis
from tests.databases import as_node, set_fsync
from tests.forked_nodes import run_command
from tests.nodes import running_node
from tests.producers import producing
from tests.promises.conftest import StartNode, start_node
from tests.registry.servers import SECRET, server
from tests.waiting import eventually, wait_until

__all__ = ["start_node"]
BAD = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://127.0.0.1:{node}; proxy_ignore_headers X-Accel-Buffering; {more} }}
    }}
}}
"""
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin") or "nginx"
FORWARDS = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header Host $http_host;"


@pytest.fixture(scope="module", autouse=True)
def _durable(postgres_url: str) -> Iterator[None]:
    """Let the server wait for its disk, which the doctor checks and the suite's own server does not do."""
    ours = "DATABASE_URL" not in os.environ
    if ours:
        set_fsync(postgres_url, on=True)
    yield
    if ours:
        set_fsync(postgres_url, on=False)


@contextmanager
def nginx(folder: Path, node: int, more: str) -> Iterator[str]:
    """Run a common but wrong proxy in front of the node on this port; yield its URL."""
    port = free_port()
    (folder / "nginx.conf").write_text(BAD.format(folder=folder, port=port, node=node, more=more))
    process = subprocess.Popen([NGINX, "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")])
    try:
        wait_until(lambda: (folder / "pid").exists() and (folder / "pid").read_text().strip())
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


async def doctor(*arguments: str, **settings: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Return the exit code, and the findings by subject."""
    code, said, _ = await asyncio.to_thread(run_command, ["doctor", *arguments, "--json"], "", os.environ | settings)
    return code, {finding["about"]: finding for finding in json.loads(said)}


def bad(findings: dict[str, dict[str, str]]) -> set[str]:
    """Return what is wrong."""
    return {about for about, finding in findings.items() if finding["state"] == "bad"}


async def test_a_correct_installation_has_no_findings(start_node: StartNode, database_url: str, redis_url: str) -> None:
    """Servers, clocks, streams and sockets are right; the doctor ends its session."""
    node = await start_node("a1", STREAM_BEAT="2", SOCKET_BEAT="2")
    code, findings = await doctor(node.url, DATABASE_URL=as_node(database_url), REDIS_URL=redis_url)
    assert (code, bad(findings)) == (0, set())
    assert {"fsync", "migrations", "clock of PostgreSQL", "clock of Redis", "Redis when it is full"} <= set(findings)
    assert {"buffering of streams", "WebSocket upgrade", "time-outs of the stream", "Origin"} <= set(findings)
    assert "a1" in findings["nodes"]["found"]
    assert findings["storage of files"]["found"] == "a1 stores uploads"
    assert findings["forwarded headers"]["found"] == "the node sees 127.0.0.1"


async def test_a_bad_proxy_is_named(start_node: StartNode, database_url: str, redis_url: str, tmp_path: Path) -> None:
    """It buffers streams, speaks HTTP/1.0, passes neither upgrades nor Host, and is not trusted."""
    node = await start_node("a1", STREAM_BEAT="3", SOCKET_BEAT="3")
    given = {"DATABASE_URL": as_node(database_url), "REDIS_URL": redis_url}
    with nginx(tmp_path, node.port, "") as url:
        code, plain = await doctor(url, **given)
    assert code == 1
    assert {"buffering of streams", "WebSocket upgrade", "Origin"} <= bad(plain)
    assert "proxy_buffering off" in plain["buffering of streams"]["remedy"]
    assert plain["stickiness"]["state"] == "unknown"
    assert "Upgrade" in plain["WebSocket upgrade"]["remedy"]
    (tmp_path / "second").mkdir()
    impatient = f"{FORWARDS} proxy_buffering off; proxy_http_version 1.1; proxy_read_timeout 1s;"
    with nginx(tmp_path / "second", node.port, impatient) as url:
        _, forwarding = await doctor(url, **given)
    assert bad(forwarding) == {"time-outs of the stream", "WebSocket upgrade", "forwarded headers"}
    assert "TRUSTED_PROXIES=127.0.0.1" in forwarding["forwarded headers"]["remedy"]


async def test_nodes_that_do_not_fit_together_are_named(
    start_node: StartNode, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """Each has a folder of its own for files, and one has a wrong clock. That the doctor's own machine is trusted is no
    fault."""
    given = {"DATABASE_URL": as_node(database_url), "REDIS_URL": redis_url}
    short = {"STREAM_BEAT": "1", "SOCKET_BEAT": "1", "TRUSTED_PROXIES": "127.0.0.1"}
    first = await start_node("a1", FILES_URL=f"file://{tmp_path}/first", **short)
    program = (sys.executable, "-m", "tests.promises.wrong_clock", "60")
    second = make_node("b2", tmp_path, given | short | {"FILES_URL": f"file://{tmp_path}/second"}, program)
    try:
        await second.start_and_wait()
        _, findings = await doctor(first.url, **given)
        assert bad(findings) == {"storage of files", "clock of b2"}
        assert "not found through b2 (HTTP 503)" in findings["storage of files"]["found"]
        assert "FILES_URL" in findings["storage of files"]["remedy"]
        assert findings["clock of a1"]["state"] == "good"
        assert findings["forwarded headers"]["state"] == "unknown"
    finally:
        second.kill()


async def test_bad_servers_are_named(database_url: str, redis_url: str) -> None:
    """A Redis that evicts, a database that may lose data, missing tables and an unreachable server are named."""
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            forgets = as_node(database_url) + "?options=-c%20synchronous_commit%3Doff"
            code, findings = await doctor(DATABASE_URL=forgets, REDIS_URL=redis_url)
        finally:
            client.config_set("maxmemory", "0")
            client.config_set("maxmemory-policy", "noeviction")
    assert (code, bad(findings)) == (1, {"synchronous_commit", "Redis when it is full"})
    assert "noeviction" in findings["Redis when it is full"]["remedy"]
    code, findings = await doctor(DATABASE_URL="postgresql://127.0.0.1:1/x", REDIS_URL="redis://127.0.0.1:1")
    assert (code, bad(findings)) == (1, {"PostgreSQL", "Redis"})


async def test_the_doctor_with_the_address_alone(start_node: StartNode) -> None:
    """Without a session and without servers, what can be seen is checked, and the rest is unknown."""
    node = await start_node("a1")
    code, findings = await doctor(node.url, DATABASE_URL="", REDIS_URL="")
    assert code == 0
    assert findings["readiness"]["state"] == "good"
    assert findings["streams and sockets"]["state"] == "unknown"


@pytest.mark.parametrize("broker", ["rabbit", "nats"])
async def test_a_bus_and_queues(request: pytest.FixtureRequest, database_url: str, redis_url: str, broker: str) -> None:
    """What is published on the bus returns, a node takes from the queue, and a rejected message is counted."""
    server = request.getfixturevalue(broker).url
    queue, exchange = f"{server}/orders-{uuid.uuid4().hex}", f"{server}/tandem-{uuid.uuid4().hex}"
    given = {"DATABASE_URL": as_node(database_url), "REDIS_URL": redis_url, "BUS_URL": server}
    given |= {"POSTS_FROM": queue, "POSTS_TO": exchange}
    _, before = await doctor(**given)
    assert [before[name]["state"] for name in ("BUS_URL", "POSTS_FROM", "POSTS_TO")] == ["good", "note", "note"]
    assert "Start a node" in before["POSTS_FROM"]["remedy"]
    async with running_node(database_url, redis_url, posts_from=queue, posts_to=exchange) as node:
        await eventually(lambda: node.app[INTAKE].connected)
        async with producing(queue) as producer:
            await producer.puts(b"no JSON")
            await eventually(lambda: node.app[INTAKE].outcomes["rejected"] == 1)
        _, after = await doctor(**given)
        assert [after[name]["state"] for name in ("POSTS_FROM", "POSTS_TO", "rejected messages")] == [
            "good",
            "good",
            "note",
        ]
        assert "1 message in orders-" in after["rejected messages"]["found"]
        assert after["POSTS_FROM"]["found"].startswith("nodes take from orders-")


async def test_a_bus_that_refuses_is_named(rabbit: RabbitEngine, database_url: str, redis_url: str) -> None:
    """A wrong password, a server that is away and a user without rights are named, without the password."""
    given = {"DATABASE_URL": as_node(database_url), "REDIS_URL": redis_url}
    wrong = rabbit.url.replace("tandem:", "tandem:guessed", 1)
    away = f"nats://tandem:secret@127.0.0.1:{free_port()}"
    _, findings = await doctor(**given, BUS_URL=wrong, POSTS_FROM=f"{away}/orders", POSTS_TO=f"{wrong}/out")
    assert bad(findings) >= {"BUS_URL", "POSTS_FROM", "POSTS_TO"}
    assert "guessed" not in str(findings)
    assert "secret" not in str(findings)
    assert rabbit.control("add_user", "reader", "reading")
    assert rabbit.control("set_permissions", "reader", "^$", "^$", ".*")
    limited = f"amqp://reader:reading@127.0.0.1:{rabbit.port}"
    _, findings = await doctor(**given, BUS_URL=limited)
    assert "ACCESS_REFUSED" in findings["BUS_URL"]["found"]
    assert "may declare, bind and publish" in findings["BUS_URL"]["remedy"]


USERS = f"""
requirepass {SECRET}
user narrow on >{SECRET} ~tandem:* resetchannels +@all
user guarded on >{SECRET} ~tandem:* &tandem:* +@all -@dangerous
"""


async def test_the_rights_of_a_redis_user(tmp_path: Path) -> None:
    """What the user may not do is named with the ACL rule. A user without INFO, with whom nodes work, is no fault."""
    port = free_port()
    with server(tmp_path / "redis", port, USERS):

        async def finds(user: str) -> dict[str, Finding]:
            return {one.about: one for one in await check_redis(f"redis://{user}127.0.0.1:{port}")}

        narrow, guarded, unnamed = [await finds(user) for user in (f"narrow:{SECRET}@", f"guarded:{SECRET}@", "")]
    assert narrow["Redis' user"].state == "bad"
    assert "&tandem:*" in narrow["Redis' user"].remedy
    assert guarded["Redis' user"].state == "good"
    assert (guarded["Redis' version"].state, guarded["nodes"].state) == ("unknown", "note")
    assert "the server wants a password, and the URL has none" in unnamed["Redis"].found


async def test_urls_that_cannot_be_used_are_findings() -> None:
    """The doctor reports the other checks too, and shows no part of a password."""
    settings = {"DATABASE_URL": "postgresql://ana:x@hush@here/d", "REDIS_URL": "redis://:x/hush@here"}
    code, found = await doctor(**settings)
    assert code == 1
    assert {"PostgreSQL", "Redis"} <= bad(found)
    assert "@ as %40" in found["PostgreSQL"]["remedy"]
    assert "image sandbox" in found
    assert "hush" not in json.dumps(found)
