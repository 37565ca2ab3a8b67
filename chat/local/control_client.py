"""Asking a running `tandem up` to do something, and telling what it says."""

from pathlib import Path
from typing import Any

import orjson

from chat.local.address import connect_unix
from chat.local.errors import NoFleet, NotDone
from chat.local.haproxy import folder_of
from chat.local.progress import tell

PATIENCE = 600.0  # for the next line: a node drains, ends, starts and replays its log


def ask_fleet(data: Path, do: str, **what: Any) -> None:
    """Ask, and tell each line of the answer; raises `NoFleet`, or `NotDone` with the reason."""
    try:
        link = connect_unix(folder_of(data) / "control", PATIENCE)
    except OSError:
        raise NoFleet(data) from None
    with link, link.makefile("rb") as lines:
        link.sendall(orjson.dumps({"do": do, **what}))
        for line in lines:
            said = orjson.loads(line)
            if "line" in said:
                tell(said["line"])
            elif "failed" in said:
                raise NotDone(said["failed"])
            else:
                return
    raise NotDone("Tandem ended before it was done.")
