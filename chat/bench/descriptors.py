"""File descriptors: how many connections one process of this machine may have."""

import resource

SPARE = 300  # for what a node has open beside its streams


def raise_descriptors() -> None:
    """As many as the system allows; children have them too."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def streams_most() -> int:
    """How many streams one process can hold."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE
