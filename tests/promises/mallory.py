"""One hostile account: every case of the hostile benchmark, again and again, from a process of its own.

`python -m tests.promises.mallory PORT TOKEN CONVERSATION SECONDS` prints how often each case ran.
"""

import sys
import time
from collections import Counter

import orjson

from chat.tools.bench.hostile import CASES, Mallory

FLOOD_SECONDS = 1.0  # of one case that floods
SCALE = 0.25  # of the number of requests of the others


def main(port: int, token: str, room: int, seconds: float) -> None:
    """Run the command that the heading of this file describes."""
    end, done = time.monotonic() + seconds, Counter[str]()
    while time.monotonic() < end:
        for name, case in CASES.items():
            left = end - time.monotonic()
            if left <= 0:
                break
            mallory = Mallory(port, token, room, min(FLOOD_SECONDS, left), SCALE)
            case(mallory)
            mallory.leave()
            done[name] += 1
    print(orjson.dumps(done).decode())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
