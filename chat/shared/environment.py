"""Secrets in the environment: read once at start, then hidden from everyone who can look at the process.

Linux shows the environment that a process was started with in `/proc/PID/environ`, whatever the process does to its
variables later. So the bytes themselves are overwritten.
"""

import ctypes
import os
import re
import sys

# Settings that hold a password. A process that has read its settings does not need them again.
SETTINGS = re.compile(r"(\w+_)?(DATABASE|REDIS|FILES)_URL")
# Variables that libraries read later, such as AWS_SECRET_ACCESS_KEY and PGPASSWORD: hidden, and kept.
OTHERS = re.compile(r".*(SECRET|PASSWORD|TOKEN|_KEY)(_.*)?")


def is_secret(name: str) -> bool:
    """Return whether a variable of this name holds a secret."""
    return bool(SETTINGS.fullmatch(name.upper()) or OTHERS.fullmatch(name.upper()))


def hide_secrets() -> None:
    """Overwrite every secret in the environment this process was started with; drop those of the settings."""
    for name in filter(is_secret, list(os.environ)):
        value = os.environ[name]
        overwrite(name)
        if SETTINGS.fullmatch(name.upper()):
            del os.environ[name]
        else:
            os.environ[name] = value  # in new memory, which /proc does not show


def without_secrets() -> dict[str, str]:
    """Return the environment for a child that needs no secret."""
    return {name: value for name, value in os.environ.items() if not is_secret(name)}


def overwrite(name: str) -> None:
    """Fill a variable's value with zeros where it stands."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_void_p
    if place := libc.getenv(os.fsencode(name)):
        ctypes.memset(place, 0, len(ctypes.string_at(place)))
