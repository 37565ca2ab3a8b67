"""The alerts: each fires when its cause or the death of its source is there, and none fires while nodes restart in
order. promtool plays hours in a second; one story runs a real Prometheus before real nodes."""

import asyncio
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from chat.client.node_process import NodeProcess
from chat.local.data_dir import free_port
from chat.local.engine import ValkeyEngine
from chat.shared.child_process import leashed
from tests.cast import Cast
from tests.deploy.proxies import DEPLOY, Front, program, proxy
from tests.presence.presence_client import open_presence
from tests.promises.conftest import StartNode, stage, start_node
from tests.waiting import eventually

__all__ = ["stage", "start_node"]
RULES = DEPLOY / "prometheus/alerts.yml"
Series = dict[str, str]

# Two nodes, n1 and n2, behind one balancer, as Prometheus sees them every 5 s for 40 minutes when all is well.
UP, ZERO = "1x480", "0x480"
NODE = {
    "up": UP,
    "tandem_log_position": "5000+1x480",
    "tandem_log_deaf": ZERO,
    "tandem_log_listening": UP,
    "tandem_registry_degraded": ZERO,
    "tandem_crowded_total": ZERO,
    "tandem_loop_lag_seconds": ZERO,
    "tandem_archive_failures_total": ZERO,
    "tandem_archive_behind": UP,
    "tandem_archive_kept": UP,
    "tandem_streams": "1000x480",
    "tandem_draining": ZERO,
    "tandem_canary_gaps_total": ZERO,
    "tandem_canary_repeats_total": ZERO,
    "tandem_canary_failures_total": ZERO,
    "tandem_canary_flights_total": "1+1x480",
    "tandem_queue_connected": UP,
    "tandem_queue_waiting": ZERO,
    "tandem_queue_redelivered_total": ZERO,
    "tandem_publication_leading": UP,
    "tandem_publication_behind": ZERO,
    "tandem_publication_skipped_total": ZERO,
    "process_open_fds": "100x480",
    "process_max_fds": "1000x480",
    "process_resident_memory_bytes": "100000000x480",
}
LABELLED = {
    'tandem_ghosts_reaped_total{of="dead node"}': ZERO,
    'tandem_hook_deliveries_total{outcome="delivered"}': "0+1x480",
    'tandem_hook_deliveries_total{outcome="failed"}': ZERO,
    'tandem_ghosts_reaped_total{of="node that left"}': ZERO,
    'tandem_ghosts_reaped_total{of="unknown node"}': ZERO,
    'tandem_queue_length{queue="posts"}': ZERO,
    'tandem_postgres_trouble_total{what="connections_lost"}': ZERO,
    'tandem_queue_messages_total{outcome="stored"}': "0+10x480",
    'tandem_queue_messages_total{outcome="rejected"}': ZERO,
}
BALANCER = {
    'up{job="haproxy",instance="h"}': UP,
    **{f'haproxy_server_status{{proxy="nodes",server="n{n}",state="UP"}}': UP for n in (1, 2)},
    **{f'haproxy_server_status{{proxy="nodes",server="n{n}",state="DOWN"}}': ZERO for n in (1, 2)},
    'haproxy_backend_http_responses_total{proxy="nodes",code="2xx"}': "0+100x480",
    'haproxy_backend_http_responses_total{proxy="nodes",code="5xx"}': ZERO,
}


def of_node(series: str, node: str) -> str:
    """Return a metric, with or without labels, as it is scraped from this node."""
    name, _, labels = series.partition("{")
    rest = f",{labels}" if labels else "}"
    return f'{name}{{job="tandem",instance="{node}"{rest}'


HEALTHY: Series = BALANCER | {
    of_node(series, node): values for node in ("n1", "n2") for series, values in (NODE | LABELLED).items()
}


def at(node: str, **changes: str) -> Series:
    """Return changed values of a node's metrics that have no more labels."""
    return {of_node(name, node): values for name, values in changes.items()}


def dead(series: Mapping[str, str], scrapes: int = 100) -> Series:
    """Return series that end after so many scrapes; `up` stays, and is 0."""
    return {
        name: f"1x{scrapes} 0x400" if name.startswith("up{") else cut(values, scrapes)
        for name, values in series.items()
    }


def cut(values: str, scrapes: int) -> str:
    """Return the values of the first scrapes alone."""
    return re.sub(r"x\d+$", f"x{scrapes} stale", values)


def of(node: str) -> Series:
    """Return all series of a node."""
    return {name: values for name, values in HEALTHY.items() if f'instance="{node}"' in name}


def server(n: int, down: str) -> Series:
    """Return the state of a server at the balancer: `down` is 1 while it is out."""
    status = f'haproxy_server_status{{proxy="nodes",server="n{n}",state='
    return {f'{status}"DOWN"}}': down, f'{status}"UP"}}': " ".join(map(opposite, down.split()))}


def opposite(values: str) -> str:
    """Return 0 for 1, and 1 for 0, as often."""
    value, _, times = values.partition("x")
    return f"{1 - int(value)}x{times}"


MISSED = at("n1", tandem_canary_gaps_total="0x100 1x380")
REAPED = 'tandem_ghosts_reaped_total{of="%s"}'
# What changes from scrape 100 (500 s) on, and what then fires after some time.
CAUSES: dict[str, tuple[Series, dict[str, set[str]]]] = {
    "all is well": ({}, {"5m": set(), "39m": set()}),
    "the balancer dies": (dead(BALANCER), {"9m": {"BalancerDown", "NobodyServes"}}),
    "no balancer was ever scraped": (dict.fromkeys(BALANCER, ""), {"1m": {"BalancerDown", "NobodyServes"}}),
    "no node is ready": (
        server(1, "0x99 1x380") | server(2, "0x99 1x380"),
        {"9m": {"NobodyServes"}, "12m": {"NobodyServes", "NodeUnready"}},
    ),
    "the balancer has other nodes": (
        {name: "" for name in HEALTHY if name.startswith("haproxy_server_status")},
        {"9m": {"NobodyServes"}},
    ),
    "a node dies": (
        dead(of("n1")) | server(1, "0x99 1x380") | {of_node(REAPED % "dead node", "n2"): "0x102 30x378"},
        {"9m20s": {"NodeDown", "NodeLost"}, "12m": {"NodeDown", "NodeLost", "NodeUnready"}},
    ),
    "no node was ever scraped": (
        {name: "" for name in HEALTHY if 'job="tandem"' in name},
        {"5m": {"NodeDown"}},
    ),
    "entries without a lease": ({of_node(REAPED % "unknown node", "n1"): "0x100 3x380"}, {"9m": {"Ghosts"}}),
    "a probe is missed": (MISSED, {"9m": {"CanaryMissed"}}),
    "probes fail": (at("n1", tandem_canary_failures_total="0x100 0+1x380"), {"18m": {"CanaryLost"}}),
    "probes stop": (at("n1", tandem_canary_flights_total="1+1x100 101x380"), {"20m": {"CanaryLost"}}),
    "a node delivers nothing": (
        at("n1", tandem_log_position="5000x480") | at("n2", tandem_log_position="5000+50x480"),
        {"5m": {"LogStandsStill"}},
    ),
    "the log is deaf": (at("n1", tandem_log_deaf="0x99 1x380"), {"10m": {"LogDeaf"}}),
    "the log's subscriber is gone": (at("n1", tandem_log_listening="1x99 0x380"), {"10m": {"LogDeaf"}}),
    "Redis is away": (at("n1", tandem_registry_degraded="0x99 1x380"), {"10m": {"RegistryDegraded"}}),
    "connections are refused": (at("n1", tandem_crowded_total="0x100 0+20x380"), {"11m": {"Crowded"}}),
    "a loop is late": (at("n1", tandem_loop_lag_seconds="0x99 1x380"), {"11m": {"LoopLags"}}),
    "posts wait": ({of_node('tandem_queue_length{queue="posts"}', "n1"): "0x99 3000x380"}, {"9m": {"PostsWait"}}),
    "connections are lost": (
        {of_node('tandem_postgres_trouble_total{what="connections_lost"}', "n1"): "0x100 0+5x380"},
        {"11m": {"PostgresTrouble"}},
    ),
    "the archive fails": (at("n2", tandem_archive_failures_total="0x100 5x380"), {"9m": {"ArchiveFails"}}),
    "the archive hangs": (at("n2", tandem_archive_behind="1x99 70x380"), {"19m": {"ArchiveLate"}}),
    "the archive is switched off": (
        at("n1", tandem_archive_kept="1x99 0x380") | at("n2", tandem_archive_kept="1x99 0x380"),
        {"15m": {"ArchiveOff"}},
    ),
    "one node has all streams": (at("n1", tandem_streams="0x99 9000x380"), {"19m": {"StreamsUneven"}}),
    "a node is drained and forgotten": (at("n1", tandem_draining="1x480"), {"31m": {"StaysDrained"}}),
    "descriptors run out": (at("n1", process_open_fds="100x99 900x380"), {"10m": {"DescriptorsShort"}}),
    "memory runs out": (at("n1", process_resident_memory_bytes="3000000000x480"), {"6m": {"MemoryShort"}}),
    "answers are errors": (
        {'haproxy_backend_http_responses_total{proxy="nodes",code="5xx"}': "0x100 0+10x380"},
        {"11m": {"AnswersFail"}},
    ),
}
CAUSES |= {
    "no node consumes the queue": (
        at("n1", tandem_queue_connected="1x99 0x380") | at("n2", tandem_queue_connected="1x99 0x380"),
        {"9m": set(), "10m": {"QueueLost"}},
    ),
    "one node lost the queue": (at("n1", tandem_queue_connected="1x99 0x380"), {"15m": set()}),
    "the queue grows": (at("n2", tandem_queue_waiting="0x99 20000x380"), {"15m": {"QueueBehind"}}),
    "messages are rejected": (
        {of_node('tandem_queue_messages_total{outcome="rejected"}', "n1"): "0x100 3x380"},
        {"9m": {"QueueRejects"}},
    ),
    "messages come again": (at("n1", tandem_queue_redelivered_total="0x100 0+5x380"), {"20m": {"QueueRepeats"}}),
    "no node publishes": (
        at("n1", tandem_publication_leading="1x99 0x380") | at("n2", tandem_publication_leading="0x480"),
        {"11m": {"PublicationLate"}},
    ),
    "publishing is behind": (at("n1", tandem_publication_behind="0x99 20000x380"), {"11m": {"PublicationLate"}}),
    "most hooks fail": (
        {
            of_node('tandem_hook_deliveries_total{outcome="failed"}', "n1"): "0x100 0+3x380",
            of_node('tandem_hook_deliveries_total{outcome="delivered"}', "n1"): "0x480",
            of_node('tandem_hook_deliveries_total{outcome="delivered"}', "n2"): "0x480",
        },
        {"9m": set(), "30m": {"HooksFail"}},
    ),
    "a few hooks fail": (
        {of_node('tandem_hook_deliveries_total{outcome="failed"}', "n1"): "0x100 0+1x380"},
        {"35m": set()},
    ),
    "entries were skipped": (at("n1", tandem_publication_skipped_total="0x100 9x380"), {"11m": {"PublicationLate"}}),
}
AFTER = [f"{8 * 60 + 20 + seconds}s" for seconds in range(0, 400, 15)]
RESTARTED = {
    name: f"{cut(values, 104)} _x3 {values}" for name, values in of("n1").items() if not name.startswith("up{")
}
# A restart in order: readiness fails, 15 s of drain, 20 s without an answer, counters from 0; its users are elsewhere.
CALM: dict[str, Series] = {
    "a node restarts in order": RESTARTED
    | at("n1", up="1x103 0x3 1x380", tandem_draining="0x100 1x3 stale _x3 0x380")
    | server(1, "0x100 1x7 0x380")
    | {of_node(REAPED % "node that left", "n2"): "0x105 30x378"},
    "the balancer is reloaded": {
        'up{job="haproxy",instance="h"}': "1x100 0x1 1x380",
        'haproxy_backend_http_responses_total{proxy="nodes",code="2xx"}': "0+100x100 _ _ 0+100x380",
    },
}


def play(scenario: str, changes: Series, fired: Mapping[str, set[str]]) -> dict[str, Any]:
    """Return a test for promtool: the alerts that fire at each time, and no others."""
    series = {name: values for name, values in (HEALTHY | changes).items() if values}
    return {
        "name": scenario,
        "interval": "5s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing",severity!="none"}) > bool 0',
                "eval_time": time,
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(names)],
            }
            for time, names in fired.items()
        ],
    }


def judge(folder: Path, tests: list[dict[str, Any]], every: str) -> None:
    """Let promtool play them, and evaluate the rules so often."""
    file = folder / "tests.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": every, "tests": tests}))
    done = subprocess.run([program("promtool"), "test", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_for_its_cause_and_for_a_dead_source(tmp_path: Path) -> None:
    """No other alert fires with it, and the table leaves none out. Causes last, so that every 30 s is often enough."""
    judge(tmp_path, [play(name, *cause) for name, cause in CAUSES.items()], "30s")
    fired = {name for _, times in CAUSES.values() for names in times.values() for name in names}
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    assert fired | {"Watchdog"} == {rule["alert"] for rule in rules}


def test_no_alert_fires_at_an_orderly_restart(tmp_path: Path) -> None:
    """Looked at every fifteen seconds, of a node and of the balancer."""
    judge(tmp_path, [play(name, changes, {time: set() for time in AFTER}) for name, changes in CALM.items()], "5s")


# A real Prometheus. Its configuration and rules are those of deploy/, with all times divided by 30.

HASTE = 30
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SHORT = {"PRESENCE_LINGER": "1", "NODE_LEASE": "2", "DRAIN_SECONDS": "0.2", "CANARY_SECONDS": "0.5"}
SEEN = 30.0


def hastened(text: str) -> str:
    """Return the file with shorter times."""

    def shorter(found: re.Match[str]) -> str:
        return f"{found[1]}{int(found[2]) * UNITS[found[3]] * 1000 // HASTE}ms"

    return re.sub(r"(for: |_interval: |\[)(\d+)([smhd])", shorter, text)


class Watch:
    """A Prometheus that answers at this address."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url

    async def query(self, expression: str) -> dict[str, float]:
        """Return the values by their labels."""
        async with self._http.get(f"{self._url}/api/v1/query", params={"query": expression}) as answer:
            found = (await answer.json())["data"]["result"]
        return {str(one["metric"]): float(one["value"][1]) for one in found}

    async def is_answering(self) -> bool:
        """Return whether it has started."""
        try:
            return bool(await self.query("vector(1)"))
        except (aiohttp.ClientError, KeyError):
            return False

    async def sees(self, expression: str) -> None:
        """Wait until a query has a result."""
        await eventually(lambda: self.query(expression), SEEN)

    async def fires(self, *names: str) -> None:
        """Wait until all these alerts fire at once."""
        wanted = "|".join(names)
        await self.sees(f'count(ALERTS{{alertstate="firing",alertname=~"{wanted}"}}) == {len(names)}')


@asynccontextmanager
async def watching(
    http: aiohttp.ClientSession, folder: Path, nodes: list[NodeProcess], front: Front
) -> AsyncIterator[Watch]:
    """Run Prometheus before these nodes and this balancer."""
    port = free_port()
    targets = {"tandem": [f"127.0.0.1:{node.port}" for node in nodes], "haproxy": [f"127.0.0.1:{front.figures}"]}
    config = yaml.safe_load(hastened((DEPLOY / "prometheus/prometheus.yml").read_text()))
    for job in config["scrape_configs"]:
        job["static_configs"] = [{"targets": targets[job["job_name"]]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (folder / "alerts.yml").write_text(hastened(RULES.read_text()))
    options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb", "--log.level=warn"]
    command = [program("prometheus"), *options, f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*leashed(command, signal.SIGKILL), stdout=log, stderr=log)
    try:
        watch = Watch(http, f"http://127.0.0.1:{port}")
        await eventually(watch.is_answering, SEEN)
        yield watch
    finally:
        process.kill()
        await process.wait()


async def test_a_real_prometheus_sees_what_happens(
    stage: Cast, start_node: StartNode, own_valkey: ValkeyEngine, tmp_path: Path
) -> None:
    """A restart in order is no death; then a node, Redis and the balancer are killed, and each alert arrives."""
    settings = SHORT | {"REDIS_URL": own_valkey.url}
    nodes = list(await asyncio.gather(*(start_node(name, **settings) for name in ("a1", "b2"))))
    (ana,) = await stage.enters("ana")
    ana.at = nodes[0].url
    with proxy("haproxy", nodes, tmp_path) as front:
        async with watching(stage.http, tmp_path, nodes, front) as watch:
            await watch.sees('count(up == 1) == 3 and sum(haproxy_server_status{proxy="nodes",state="UP"}) == 3')
            await watch.fires("Watchdog")
            async with open_presence(ana):
                nodes[0].ask_to_stop()
                await nodes[0].wait_until_ended()
            await watch.sees('sum(tandem_ghosts_reaped_total{of="node that left"}) > 0')
            await nodes[0].start_and_wait()
            async with open_presence(ana):
                await watch.sees("sum(tandem_people) > 0 and count(up == 1) == 3")
                assert await watch.query('max_over_time(ALERTS{alertname=~"NodeLost|Ghosts|CanaryMissed"}[5m])') == {}
                nodes[0].kill()
            await watch.fires("NodeDown", "NodeLost")
            own_valkey.kill()
            await watch.fires("RegistryDegraded", "LogDeaf")
            front.kill()
            await watch.fires("BalancerDown", "NobodyServes")
