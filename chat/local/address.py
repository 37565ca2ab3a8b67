"""Where the service listens: checked before anything is started, so that nobody waits for a refusal."""

import errno
import os
import socket
from pathlib import Path

from chat.local.errors import AddressRefused, PortTaken


def check_address(host: str, port: int) -> None:
    """Raise `PortTaken` or `AddressRefused` unless we could listen there now."""
    try:
        try_to_bind(host, port)
    except OSError as reason:
        if reason.errno == errno.EADDRINUSE:
            raise PortTaken(host, port, next_free(host, port)) from None
        raise AddressRefused(host, port, reason) from None


def try_to_bind(host: str, port: int) -> None:
    """Bind and let go; raises OSError."""
    with open_port(host, port) as probe:
        probe.listen(1)


def open_port(host: str, port: int) -> socket.socket:
    """Take the address; nobody is listening yet. Raises `OSError`."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    taken = socket.socket(family, kind, protocol)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(address)
    return taken


def next_free(host: str, port: int) -> int:
    """The nearest port after `port` that could be used instead."""
    for other in range(port + 1, min(port + 100, 65_536)):
        try:
            try_to_bind(host, other)
        except OSError:
            continue
        return other
    return 0


def url_of(host: str, port: int) -> str:
    """http://HOST:PORT, with IPv6 addresses in brackets."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


# Sockets in the file system, whatever the length of their path: the kernel takes 107 bytes, folders are often deeper.
# So the folder is opened, and the socket named by way of that descriptor.


def listen_unix(path: Path) -> socket.socket:
    """A listening socket; one that a process before us has left is replaced. The folder keeps strangers out."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)
    listener.listen()
    return listener


def connect_unix(path: Path, limit: float) -> socket.socket:
    """A connection whose every step may take `limit` seconds. Raises `OSError`."""
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(limit)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        link.connect(f"/proc/self/fd/{folder}/{path.name}")
    except OSError:
        link.close()
        raise
    finally:
        os.close(folder)
    return link
