"""A chat file in batches that the server takes: so many lines, and no more bytes than fit its limit."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from chat.importing.line import Line, parse_line

LINES_MOST = 500
BYTES_MOST = 2 * 1024 * 1024
LINE_MOST = 1024 * 1024


def read_batches(path: Path) -> Iterator[list[Line]]:
    """In the order of the file; empty lines count, and are left out."""
    batch: list[Line] = []
    size = 0
    with path.open("rb") as file:
        for line in read_lines(file):
            size += line.size
            if batch and (len(batch) == LINES_MOST or size > BYTES_MOST):
                yield batch
                batch, size = [], line.size
            batch.append(line)
    if batch:
        yield batch


def read_lines(file: BinaryIO) -> Iterator[Line]:
    """Line by line; of one that is too long for a message only the beginning, which is none."""
    number = 0
    while raw := file.readline(LINE_MOST):
        number += 1
        rest = raw
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(LINE_MOST)
        if raw.strip():
            yield parse_line(number, raw.removeprefix(b"\xef\xbb\xbf"))
