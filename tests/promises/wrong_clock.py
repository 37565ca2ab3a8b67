"""Run Tandem on a machine whose clock is wrong: `python -m tests.promises.wrong_clock SECONDS serve …`."""

import sys
import time

from chat.__main__ import main

if __name__ == "__main__":
    wrong = float(sys.argv.pop(1))
    seconds, nanoseconds = time.time, time.time_ns
    setattr(time, "time", lambda: seconds() + wrong)  # noqa: B010 (mypy would have a function stay what it is)
    setattr(time, "time_ns", lambda: nanoseconds() + int(wrong * 1e9))  # noqa: B010
    main(prog_name="tandem")
