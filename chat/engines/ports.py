"""A free port on loopback for an engine."""

import random
import socket

# Below the range from which the kernel takes the near ends of outgoing connections: an engine that is stopped
# for a while must find its port free when it comes back, however many clients knock in the meantime.
ENGINE_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port nobody listens on now; should it be taken before it is used, the engine fails to start."""
    for port in random.sample(ENGINE_PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("none of a hundred ports tried on 127.0.0.1 is free")
