"""Which part of a conversation is asked for: by key, in three directions. Pure."""

from dataclasses import dataclass

BEYOND = 2**53


@dataclass(frozen=True, slots=True)
class Window:
    """Up to `down` messages with a smaller seq than `below`, and up to `up` with a greater one than `above`."""

    below: int
    down: int
    above: int
    up: int


def newest(limit: int) -> Window:
    """The end of the conversation."""
    return before(BEYOND, limit)


def before(seq: int, limit: int) -> Window:
    """What came before message `seq`."""
    return Window(below=seq, down=limit, above=BEYOND, up=0)


def after(seq: int, limit: int) -> Window:
    """What came after message `seq`."""
    return Window(below=0, down=0, above=seq, up=limit)


def around(seq: int, limit: int) -> Window:
    """Message `seq` with about as many on each side."""
    up = (limit - 1) // 2
    return Window(below=seq + 1, down=limit - up, above=seq, up=up)
