"""Lines: a file of JSON, one thing a line, with the place of each; what is too long for one is read past."""

from collections.abc import Callable, Iterator
from typing import IO

LINE_MOST = 16 * 1024 * 1024
BOM = b"\xef\xbb\xbf"


def read_lines(file: IO[bytes], told: Callable[[int], None], most: int = LINE_MOST) -> Iterator[tuple[int, bytes]]:
    """`(number, line)`, numbers from 1, empty ones left out; of one that is too long only its beginning.

    `told` hears how many bytes each has in the file.
    """
    number = 0
    while raw := file.readline(most):
        number += 1
        size, rest = len(raw), raw
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(most)
            size += len(rest)
        told(size)
        if raw.strip():
            yield number, raw.removeprefix(BOM) if number == 1 else raw
