"""A fault: what it does, for how long, and what no other one may touch meanwhile."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chat.chaos.crowd import Crowd
from chat.chaos.rig import Rig


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault strikes: `node` is the one that is meant, `seconds` how long it lasts."""

    rig: Rig
    crowd: Crowd
    node: str
    seconds: float
    chance: random.Random


@dataclass(frozen=True, slots=True)
class Fault:
    """`about`: in words; `touches`: what no other fault may touch meanwhile; `least` to `most` seconds."""

    about: str
    strike: Callable[[Scene], Awaitable[None]]
    touches: frozenset[str]
    least: float
    most: float
