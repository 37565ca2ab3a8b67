"""Check the pinned packages of Python and npm against the registries' lists of known vulnerabilities.

    python deploy/audit.py

A registry that does not answer is no failure: the line `skipped: …` says so, and nothing waits longer than LIMIT.
The exit status is 1 when a package has a known vulnerability.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from build_web import npm_of_the_system, npm_of_the_wheel

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 120.0  # seconds for each registry


def audit_python(pinned: Path) -> list[str] | None:
    """Return the vulnerabilities of the packages in a file; None when the index does not answer.

    One package is asked about first, so that an index without this service is asked once and not for every package.
    """
    lines = pinned.read_text().replace("\\\n", " ").splitlines()
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as first:
        first.write(lines[0])
        first.flush()
        if ask_pip_audit(Path(first.name)) is None:
            return None
    return ask_pip_audit(pinned)


def ask_pip_audit(requirements: Path) -> list[str] | None:
    """Run pip-audit; None when it learns of no package."""
    options = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--timeout", "10", "--format", "json"]
    told = run_json([sys.executable, "-m", "pip_audit", *options, "--requirement", str(requirements)])
    packages = told.get("dependencies", [])
    if not any("vulns" in package for package in packages):
        return None
    return [f"{one['name']} {one['version']}: {flaw['id']}" for one in packages for flaw in one.get("vulns", [])]


def audit_npm(web: Path) -> list[str] | None:
    """Return the vulnerabilities of the packages in the lock file; None when the registry does not answer."""
    npm = npm_of_the_system() or npm_of_the_wheel()
    told = run_json([*npm, "audit", "--package-lock-only", "--json", "--fetch-retries=0"], cwd=web)
    if "vulnerabilities" not in told:
        return None
    return [f"{name}: {flaw['severity']}" for name, flaw in told["vulnerabilities"].items()]


def run_json(command: list[str], cwd: Path = ROOT) -> dict[str, Any]:
    """Run a program and return its JSON; empty when it has none, or takes too long."""
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", os.defpath)])
    try:
        done = subprocess.run(
            command, cwd=cwd, env=os.environ | {"PATH": path}, capture_output=True, timeout=LIMIT, check=False
        )
        return dict(json.loads(done.stdout))
    except (subprocess.TimeoutExpired, ValueError):
        return {}


def tell(tool: str, flaws: list[str] | None) -> bool:
    """Print one audit's result; return whether it found nothing."""
    if flaws is None:
        print(f"skipped: {tool}, the registry does not answer for vulnerabilities")
    else:
        print(*(f"{tool}: {flaw}" for flaw in flaws), sep="\n", end="\n" if flaws else f"{tool}: nothing known\n")
    return not flaws


def main() -> None:
    """Audit everything, whatever the first one says."""
    python = tell("pip-audit", audit_python(ROOT / "deploy/pinned/test.txt"))
    npm = [tell(f"npm audit of {folder}", audit_npm(ROOT / folder)) for folder in ("web", "tests/foreign")]
    sys.exit(not (python and all(npm)))


if __name__ == "__main__":
    main()
