"""Tandem's packages: pinned with hashes, audited where the registry answers, listed in SBOMs."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
PINNED = ROOT / "deploy/pinned"
NOWHERE = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "npm_config_registry"), "http://127.0.0.1:9")
ADVISORY = {
    "id": 1,
    "title": "mallory was here",
    "severity": "high",
    "vulnerable_versions": ">=0",
    "url": "http://localhost",
}


def normal(name: str) -> str:
    """Return a package's normalized name."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def pins(file: Path) -> dict[str, tuple[str, list[str]]]:
    """Return the version and the hashes of every package in a file."""
    found = {}
    for line in file.read_text().replace("\\\n", " ").splitlines():
        if match := re.match(r"([\w.-]+)==([^\s;]+)", line):
            found[normal(match[1])] = match[2], re.findall(r"--hash=sha256:([0-9a-f]{64})\b", line)
    return found


@pytest.mark.parametrize("name", ["build", "node", "run", "test"])
def test_every_package_has_its_version_and_hashes(name: str) -> None:
    """The versions are those of the constraints."""
    versions, pinned = pins(ROOT / "deploy/constraints.txt"), pins(PINNED / f"{name}.txt")
    assert pinned
    assert [package for package, (_, hashes) in pinned.items() if not hashes] == []
    assert {package: version for package, (version, _) in pinned.items()} == {
        package: versions[package][0] for package in pinned
    }


def test_every_direct_dependency_is_pinned() -> None:
    """A dependency that is added to pyproject.toml is missing here until `deploy/pin` has run."""
    project = (ROOT / "pyproject.toml").read_text()
    for file, section in (("run", r"\ndependencies = \[(.*?)\n\]"), ("test", r"\ntest = \[(.*?)\n\]")):
        listed = re.search(section, project, re.DOTALL)
        assert listed
        names = {normal(name) for name in re.findall(r'^    "([\w.-]+)', listed[1], re.MULTILINE)}
        assert names - set(pins(PINNED / f"{file}.txt")) == set()
    assert set(pins(PINNED / "run.txt")) <= set(pins(PINNED / "test.txt"))


def test_installing_refuses_a_package_with_other_bytes(tmp_path: Path) -> None:
    """A wheel that mallory has replaced in the index is not installed."""
    (tmp_path / "mallory-1.0-py3-none-any.whl").write_bytes(b"PK\x05\x06" + bytes(18))
    (tmp_path / "wanted.txt").write_text(f"mallory==1.0 --hash=sha256:{'0' * 64}\n")
    command = [sys.executable, "-m", "pip", "install", "--require-hashes", "--no-index", "--find-links", str(tmp_path)]
    options = ["--target", str(tmp_path / "target"), "-r", str(tmp_path / "wanted.txt")]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    script = (ROOT / "deploy/environment.sh").read_text()
    assert '--require-hashes -r "deploy/pinned/$1.txt"' in script
    assert "add_pinned build" in script


def audit(**environment: str) -> subprocess.CompletedProcess[str]:
    """Run the audit as `deploy/test` does."""
    command = [sys.executable, str(ROOT / "deploy/audit.py")]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


def test_an_audit_without_a_network_is_skipped_aloud() -> None:
    """Both lines say that the audit was skipped, and the command continues."""
    done = audit(**NOWHERE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line[:18] for line in done.stdout.splitlines()] == [
        "skipped: pip-audit",
        "skipped: npm audit",
        "skipped: npm audit",
    ]


class Registry(BaseHTTPRequestHandler):
    """An npm registry that reports a vulnerability in `vite`."""

    def do_POST(self) -> None:
        """Answer the bulk query of `npm audit`."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer({"vite": [ADVISORY]})

    def do_GET(self) -> None:
        """Answer what npm asks about the other versions of a package."""
        name = unquote(self.path.strip("/"))
        self.answer({"name": name, "versions": {"1.0.0": {"name": name, "version": "1.0.0"}}})

    def answer(self, document: object) -> None:
        """Send JSON."""
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Write no log."""


@contextmanager
def registry() -> Iterator[str]:
    """Run the registry; yield its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_known_vulnerability_fails_the_audit(tmp_path: Path) -> None:
    """npm itself evaluates the registry's answer."""
    with registry() as url:
        local = {"npm_config_registry": url, "npm_config_cache": str(tmp_path), "NO_PROXY": "127.0.0.1"}
        done = audit(**NOWHERE | local)
    assert done.returncode == 1
    assert "npm audit of web: vite: high" in done.stdout.splitlines()


def test_the_bills_of_material_list_every_package(tmp_path: Path) -> None:
    """The lists are CycloneDX: Python packages with pinned versions, npm packages with those of the lock file."""
    folder = tmp_path / "bills of materials"
    subprocess.run([sys.executable, str(ROOT / "deploy/sbom.py"), str(folder)], check=True)
    bills = {name: json.loads((folder / f"{name}.cdx.json").read_text()) for name in ("python", "npm")}
    assert {bill["bomFormat"] for bill in bills.values()} == {"CycloneDX"}
    python = {normal(one["name"]): one["version"] for one in bills["python"]["components"]}
    assert python == {name: version for name, (version, _) in pins(PINNED / "run.txt").items()}
    locked = json.loads((ROOT / "web/package-lock.json").read_text())["packages"]
    versions = {one["version"] for path, one in locked.items() if path == "node_modules/svelte"}
    assert {one["version"] for one in bills["npm"]["components"] if one["name"] == "svelte"} == versions
