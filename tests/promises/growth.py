"""Growth: the factor by which a function takes longer when a hostile text is eight times as long."""

import gc
import json
import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import thread_time
from typing import Any

CASES = json.loads((Path(__file__).parents[1] / "cases" / "hostile.json").read_text())["cases"]
STEP = 8
GROWTH_MOST = 20.0  # linear is 8, quadratic is 64
MEASURABLE = 0.0005  # CPU seconds; a function that takes less at its largest input is not compared
MESSAGE = 16_000  # characters of the longest message
Run = Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Subject:
    """A function that reads foreign text. `most`: the longest text that its callers allow."""

    run: Run
    most: int = MESSAGE
    encoded: bool = False
    cases: int | None = None  # only the first ones, where the characters hardly matter

    def text(self, case: dict[str, str], length: int) -> str | bytes:
        """Return the case's text of about this length, in UTF-8 if the function reads bytes."""
        text = hostile(case, length)
        return text.encode()[:length] if self.encoded else text


def hostile(case: dict[str, str], length: int) -> str:
    """Return a text of `length` characters: `prefix`, then `repeat` again and again, then `suffix`."""
    room = max(1, length - len(case["prefix"]) - len(case["suffix"]))
    repeated = case["repeat"] * (room // len(case["repeat"]) + 1)
    return case["prefix"] + repeated[:room] + case["suffix"]


def measure(run: Run, text: str | bytes) -> float:
    """Return the CPU seconds of one run; an error counts as an answer."""
    began = thread_time()
    try:
        found = run(text)
        if isinstance(found, Iterator):
            deque(found, maxlen=0)
    except RecursionError:
        raise
    except Exception:
        pass
    return thread_time() - began


def growth(subject: Subject, case: dict[str, str]) -> float:
    """Return the time for the long text divided by the time for the short one: the best of several runs of each, if
    the first ones do not already show that it grows slowly."""
    short, long = subject.text(case, subject.most // STEP), subject.text(case, subject.most)
    least = math.inf
    for longs, shorts in ((1, 2), (2, 4), (2, 4), (2, 4), (2, 4)):
        before = [measure(subject.run, short) for _ in range(shorts)]
        slow = min(measure(subject.run, long) for _ in range(longs))
        if slow < MEASURABLE:
            return 0.0
        # On both sides of the long runs, so that what disturbs one moment does not disturb all short ones.
        quick = min(*before, *(measure(subject.run, short) for _ in range(shorts)))
        least = min(least, slow / max(quick, 1e-6))
        if least <= GROWTH_MOST:
            break
    return least


def find_slow(subject: Subject, cases: list[dict[str, str]]) -> dict[str, float]:
    """Return the cases whose time grows too much, by name."""
    gc.disable()
    try:
        ratios = {case["name"]: growth(subject, case) for case in cases}
    finally:
        gc.enable()
    return {name: round(ratio) for name, ratio in ratios.items() if ratio > GROWTH_MOST}
