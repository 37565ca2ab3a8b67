"""Where the service listens: checked before anything is started, so that nobody waits for a refusal."""

import errno
import socket

from chat.up.trouble import AddressRefused, PortTaken


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


def near_address(host: str) -> str:
    """How this machine reaches a server that listens on `host`, which may mean all addresses."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
