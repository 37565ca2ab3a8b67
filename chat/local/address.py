"""Listening addresses: checked before anything is started, and UNIX sockets whose paths may be long."""

import errno
import os
import socket
from pathlib import Path

from chat.local.errors import AddressRefused, PortTaken


def check_address(host: str, port: int) -> None:
    """Raise `PortTaken` or `AddressRefused` if this process cannot listen there."""
    try:
        try_to_listen(host, port)
    except OSError as reason:
        if reason.errno == errno.EADDRINUSE:
            raise PortTaken(host, port, next_free(host, port)) from None
        raise AddressRefused(host, port, reason) from None


def try_to_listen(host: str, port: int) -> None:
    """Listen on the address and close it again. Raise `OSError` if that fails."""
    with open_port(host, port) as probe:
        probe.listen(1)


def open_port(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address, not yet listening. Raise `OSError` if that fails."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    taken = socket.socket(family, kind, protocol)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(address)
    return taken


def next_free(host: str, port: int) -> int:
    """Return the nearest free port after `port`, or 0 if the next hundred are in use."""
    for other in range(port + 1, min(port + 100, 65_536)):
        try:
            try_to_listen(host, other)
        except OSError:
            continue
        return other
    return 0


def url_of(host: str, port: int) -> str:
    """Return http://HOST:PORT, with an IPv6 address in brackets."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


# UNIX sockets. The kernel limits a socket's path to 107 bytes, and data folders are often deeper. So the folder is
# opened, and the socket is addressed through that descriptor: /proc/self/fd/N/NAME.


def listen_unix(path: Path) -> socket.socket:
    """Return a listening socket, replacing one left by an earlier process. The folder's mode keeps other users out."""
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
    """Return a connection with a timeout of `limit` seconds per operation. Raise `OSError` if that fails."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(limit)
    try:
        link.connect(f"/proc/self/fd/{folder}/{path.name}")
    except OSError:
        link.close()
        raise
    finally:
        os.close(folder)
    return link
