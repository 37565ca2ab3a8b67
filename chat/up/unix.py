"""Sockets in the file system, whatever the length of their path: the kernel takes 107 bytes, folders are often deeper.

So the folder is opened, and the socket named by way of that descriptor.
"""

import os
import socket
from pathlib import Path


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
