"""Write the software bills of materials, as CycloneDX JSON: what a node runs, and what the web app is built from.

    .venv/bin/python deploy/sbom.py FOLDER      writes FOLDER/python.cdx.json and FOLDER/npm.cdx.json

Both come from the pinned packages, so no network is needed. `./deploy/test` has installed the tool.
"""

import os
import subprocess
import sys
from pathlib import Path

from build_web import npm_of_the_system, npm_of_the_wheel

ROOT = Path(__file__).resolve().parent.parent


def write_python(target: Path) -> None:
    """Write the bill of the packages that a node is installed with."""
    source = ["deploy/pinned/run.txt", "--pyproject", "pyproject.toml"]
    options = ["--output-reproducible", "--output-format", "JSON", "--output-file", str(target)]
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", *source, *options]
    subprocess.run(command, cwd=ROOT, check=True)


def write_npm(target: Path) -> None:
    """Write the bill of the packages in web/package-lock.json."""
    npm = npm_of_the_system() or npm_of_the_wheel()
    path = os.pathsep.join([str(Path(npm[0]).parent), os.environ.get("PATH", os.defpath)])
    command = [*npm, "sbom", "--package-lock-only", "--sbom-format", "cyclonedx"]
    done = subprocess.run(
        command, cwd=ROOT / "web", env=os.environ | {"PATH": path}, check=True, stdout=subprocess.PIPE
    )
    target.write_bytes(done.stdout)


def main(folder: Path) -> None:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    write_python(folder / "python.cdx.json")
    write_npm(folder / "npm.cdx.json")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
