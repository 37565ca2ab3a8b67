"""The probe of the hostile benchmark: requests `/health/live` again and again, from a process of its own.

`python -m chat.tools.bench.hostile_probe PORT` starts at once, ends with its standard input, and prints the
milliseconds of every answer as JSON.
"""

import http.client
import select
import sys
import time

import orjson

PAUSE = 0.01


def main() -> None:
    """Probe until the standard input ends."""
    took: list[float] = []
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        began = time.perf_counter()
        connection.request("GET", "/health/live")
        connection.getresponse().read()
        took.append((time.perf_counter() - began) * 1e3)
    print(orjson.dumps(took).decode())


if __name__ == "__main__":
    main()
