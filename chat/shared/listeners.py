"""Listeners: the sockets at which a node takes connections.

uvloop takes one connection from a listening socket in each turn of the loop. On a busy node, whose turns are long, that
was 550 a second while 1,000 came, and some waited for 5 s. So each socket is listened at many times over: one in a
hundred then waited for more than 0.3 s.
"""

import socket

BACKLOG = 4096
COPIES = 16


def open_listeners(host: str, port: int) -> list[socket.socket]:
    """All that wait for connections to this port, on every address of `host`; raises `OSError` when it is taken."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    listeners = []
    for family, address in dict.fromkeys((info[0], info[4][:2]) for info in found):
        first = socket.create_server(address, family=family, backlog=BACKLOG)
        listeners += [first, *(first.dup() for _ in range(COPIES - 1))]
    return listeners


def reach_of(host: str, port: int) -> str:
    """Where neighbours reach who listens here: the machine's own address where that is all of them."""
    if host in ("0.0.0.0", "::", ""):
        try:
            host = socket.gethostbyname(socket.gethostname())
        except OSError:
            return ""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
