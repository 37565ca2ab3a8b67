"""Rivals: the floor and the peers that were named, running."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from chat.bench.peers.catalogue import PEERS
from chat.bench.peers.peer import running_peer
from chat.tools.bench.fanout import Contender
from chat.tools.bench.floor import running_floor
from chat.tools.bench.process import cpu_seconds
from chat.tools.bench.targets import BenchTrouble


def check_names(names: Iterable[str]) -> None:
    """Raises `BenchTrouble` on one that nobody has."""
    for name in names:
        if name != "floor" and name not in PEERS:
            raise BenchTrouble(f"{name} is none of these: floor, {', '.join(PEERS)}.")


def enter_rivals(stack: ExitStack, names: Iterable[str], cache: Path) -> tuple[list[Contender], list[str]]:
    """Those that run from now on, and why others do not."""
    running, absent = list[Contender](), list[str]()
    for name in names:
        try:
            running.append(stack.enter_context(rival(name, cache)))
        except BenchTrouble as trouble:  # no compiler, no network: the rest is worth having
            absent.append(f"{name} could not be measured: {trouble}")
    return running, absent


@contextmanager
def rival(name: str, cache: Path) -> Iterator[Contender]:
    """The floor, or a peer."""
    if name == "floor":
        with running_floor() as (target, pid):
            yield Contender("floor", target, [""], lambda: cpu_seconds(pid), share=0.5)
        return
    with running_peer(PEERS[name], cache) as peer:
        yield peer
