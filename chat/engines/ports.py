"""A free port on loopback for an engine or a node."""

import random
import socket
import sys

# Below the range from which the kernel takes the near ends of outgoing connections: an engine that is stopped
# for a while must find its port free when it comes back, however many clients knock in the meantime.
ENGINE_PORTS = range(20_000, 32_000)
# By the system's randomness: who seeds the other one, as tests do, would be given the same port again and again.
luck = random.SystemRandom()


def free_port() -> int:
    """A port nobody listens on now, and which no process of ours is given from now on for as long as this one lives;
    should a stranger take it before it is used, the engine fails to start."""
    for port in luck.sample(ENGINE_PORTS, 100):
        if is_free(port) and claim(port):
            return port
    raise OSError("none of a hundred ports tried on 127.0.0.1 is free")


def is_free(port: int) -> bool:
    """Does nobody listen there?"""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def claim(port: int) -> bool:
    """Whether it is ours: it takes an engine a second to listen, and another process may be looking for a port, too.

    The claim is a name that one process can have. Its descriptor is never closed: the name goes with the process, and
    Python has no open socket to warn of at its end. Only Linux has such names.
    """
    if sys.platform != "linux":
        return True
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0tandem-port-{port}")
    except OSError:
        name.close()
        return False
    name.detach()
    return True
