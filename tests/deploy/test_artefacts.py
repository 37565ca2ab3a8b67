"""Containers, units, alerts and dashboards in `deploy/`: each is checked as far as possible without running it, and
against what the program has and reports."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from prometheus_client.parser import text_string_to_metric_families

from chat.shared.settings import Settings
from tests.cast import Cast
from tests.deploy.proxies import DEPLOY, program, proxy
from tests.promises.conftest import StartNode, start_node
from tests.waiting import eventually

__all__ = ["start_node"]
ROOT = DEPLOY.parent
# Words of the query language, and what Prometheus itself adds to every target.
NOT_METRICS = {"sum", "max", "min", "avg", "rate", "increase", "scalar", "count", "absent", "vector", "max_over_time"}
SETTINGS = {name.upper() for name in Settings.model_fields}


def read(name: str) -> Any:
    """Read a YAML file."""
    return yaml.safe_load((DEPLOY / name).read_text())


def alerts() -> list[dict[str, Any]]:
    """Return every alert."""
    return [rule for group in read("prometheus/alerts.yml")["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    return dict(json.loads((DEPLOY / "grafana/dashboards/tandem.json").read_text()))


def expressions() -> Iterator[tuple[str, str]]:
    """Return every query, with its place."""
    yield from ((rule["alert"], rule["expr"]) for rule in alerts())
    yield from ((panel["title"], target["expr"]) for panel in dashboard()["panels"] for target in panel["targets"])
    yield from ((note["name"], note["expr"]) for note in dashboard()["annotations"]["list"])


def metrics_of(expression: str) -> set[str]:
    """Return the metrics that a query names."""
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|by \([^)]*\)", " ", expression)
    return set(re.findall(r"[a-z][a-z_]{3,}", bare)) - NOT_METRICS


def names_in(text: str) -> set[str]:
    """Return every sample's name, including counters that have not counted yet."""
    families = text_string_to_metric_families(text)
    return {sample.name for family in families for sample in family.samples}


async def test_queries_name_only_existing_metrics(
    cast: Cast, start_node: StartNode, redis_url: str, tmp_path: Path
) -> None:
    """Alerts and dashboards use only metrics that a node or HAProxy has."""
    one = await start_node("b2", POSTS_FROM=f"{redis_url}/posts", POSTS_TO=f"{redis_url}/entries")
    told: set[str] = set()

    async def has_counted() -> bool:
        async with cast.http.get(one.url + "/metrics") as answer:
            told.update(names_in(await answer.text()))
        return "tandem_subscriptions" in told

    await eventually(has_counted)  # subscriptions are counted from time to time
    with proxy("haproxy", [one], tmp_path) as front:
        url = f"http://127.0.0.1:{front.figures}/metrics"

        async def figures() -> str:
            async with cast.http.get(url) as answer:
                return await answer.text()

        told |= names_in(await eventually(figures))
    wanted = {(where, name) for where, expression in expressions() for name in metrics_of(expression)}
    assert len(wanted) > 20
    assert sorted((where, name) for where, name in wanted if name not in told) == []


def test_every_alert_has_its_page_in_the_runbook() -> None:
    """The runbook explains every alert, and no other."""
    runbook = (DEPLOY / "runbook.md").read_text()
    explained = re.findall(r"^\| `([A-Z]\w+)` \|", runbook, re.MULTILINE)
    assert sorted(explained) == sorted(rule["alert"] for rule in alerts())
    assert {rule["labels"]["severity"] for rule in alerts()} == {"page", "ticket", "none"}


@pytest.mark.parametrize("what", [["check", "rules", "alerts.yml"], ["check", "config", "prometheus.yml"]])
def test_prometheus_reads_its_files(what: list[str]) -> None:
    """Check the rules and the configuration with promtool."""
    command = [program("promtool"), *what]
    done = subprocess.run(command, cwd=DEPLOY / "prometheus", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_compose_file_follows_its_specification() -> None:
    """As a parser of the specification reads it, names of networks and volumes included."""
    variable = re.compile(r"\$\{(\w+)(?::-([^}]*)|[^}]*)\}")
    filled = variable.sub(lambda found: found[2] or found[1], json.dumps(read("compose.yaml")))
    PyCompose.from_json(filled).validate()
    with pytest.raises(ValueError, match="restrat"):
        PyCompose.from_json(filled.replace('"restart"', '"restrat"'))


def test_compose_requires_its_passwords() -> None:
    """Every required variable is in the file to copy, and mounted files exist."""
    services = read("compose.yaml")["services"]
    assert set(services) >= {"haproxy", "node1", "node2", "node3", "postgres", "valkey", "prometheus", "grafana"}
    asked = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text()))
    assert asked >= {"POSTGRES_PASSWORD", "VALKEY_PASSWORD", "GRAFANA_PASSWORD", "TLS_PEM"}
    assert asked <= set(re.findall(r"^(\w+)=", (DEPLOY / "compose.env").read_text(), re.MULTILINE))
    files = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])]
    assert all((DEPLOY / file).exists() for file in files if file.startswith("./"))


def test_nodes_in_containers_are_plain_users_without_powers() -> None:
    """Containers are read-only, without capabilities, and get more time than a drain takes; their settings exist."""
    for name in ("node1", "node2", "node3"):
        service = read("compose.yaml")["services"][name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert set(service["environment"]) <= SETTINGS
        assert int(service["environment"]["DRAIN_SECONDS"]) + 10 < int(service["stop_grace_period"].removesuffix("s"))
        assert service["command"][-1] == name
        assert service["environment"]["FILES_URL"] == "file:///srv/files"
        assert "files:/srv/files" in service["volumes"]
        assert "MIGRATE_DATABASE_URL" not in service["environment"]
        assert "://tandem_node:" in service["environment"]["DATABASE_URL"]
    migrate = read("compose.yaml")["services"]["migrate"]
    assert migrate["environment"]["MIGRATE_DATABASE_URL"].startswith("postgresql://tandem:")
    assert migrate["environment"]["DATABASE_URL"] == service["environment"]["DATABASE_URL"]
    container = (DEPLOY / "Containerfile").read_text()
    assert "\nUSER 10001" in container
    assert container.count("\nFROM ") == 2
    assert container.index("USER") < container.index("ENTRYPOINT")


def test_the_container_build_has_its_files() -> None:
    """The ignore file admits what the build needs, and no secrets."""
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert all((ROOT / name).exists() for name in let_in)
    assert {"chat", "presence", "web", "pyproject.toml", "deploy/build_web.py"} <= set(let_in)
    assert not any(name.startswith(".env") for name in let_in)


def test_systemd_accepts_the_units() -> None:
    """systemd-analyze, where it exists, accepts the units; their program is not installed here."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd here")
    units = sorted((DEPLOY / "systemd").iterdir())
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if "/opt/tandem/bin/tandem is not executable" not in line]
    assert complaints == []
    assert len(units) == 3


def test_a_node_of_systemd_has_little_exposure() -> None:
    """systemd-analyze rates the unit. Nodes of a machine run as one user, or one would lock the others out of the
    files."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd here")
    unit = DEPLOY / "systemd/tandem@.service"
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=30", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\nUser=tandem\n" in unit.read_text()
    assert "DynamicUser" not in "".join(file.read_text() for file in (DEPLOY / "systemd").iterdir())


def test_units_outlive_a_late_postgres_and_may_write_files() -> None:
    """After a power cut nothing gives up; and the folder that README.md names for files is not read-only."""
    units = {file.name: file.read_text() for file in (DEPLOY / "systemd").iterdir()}
    services = [text for name, text in units.items() if name.endswith(".service")]
    assert all("\nStartLimitIntervalSec=0\n" in text and "\nRestart=" in text for text in services)
    assert "\nRequires=" not in "".join(services)
    folder = re.search(r"`file://(/[^`]+)`, shared by all nodes", (DEPLOY / "configuration.md").read_text())
    assert folder
    assert f"\nReadWritePaths=-{folder[1]}\n" in units["tandem@.service"]


def test_units_name_settings_that_exist() -> None:
    """Settings in units exist, and units allow more time than a drain takes."""
    unit = (DEPLOY / "systemd/tandem@.service").read_text()
    for setting in ("DATABASE_URL", "REDIS_URL", "TRUSTED_PROXIES", "COOKIE_SECURE"):
        assert setting in unit
        assert setting in SETTINGS
    stop = re.search(r"TimeoutStopSec=(\d+)", unit)
    assert stop
    assert int(stop[1]) > Settings.model_fields["drain_seconds"].default + 10
