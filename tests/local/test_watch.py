"""The watch over one child: it restarts a child that died, and gives up when that is hopeless."""

import subprocess

import pytest

from chat.local.errors import KeepsDying
from chat.local.fleet import MAX_DELAY, MAX_QUICK_EXITS, ProcessWatch
from chat.shared.child_process import describe_exit


class Sickly:
    """A child that ends as soon as it is started."""

    name = "node sickly"

    def __init__(self) -> None:
        self.starts = 0
        self.start()

    def start(self) -> None:
        """Start, and end at once."""
        self.starts += 1
        self.process = subprocess.Popen(["false"])
        self.process.wait()

    def alive(self) -> bool:
        """Return False."""
        return self.process.poll() is None

    def exit_reason(self) -> str:
        """Return the reason."""
        return describe_exit(self.process.poll())


class Clock:
    """A clock that advances at each call."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        self.now += MAX_DELAY / 10
        return self.now


def check_often(watch: ProcessWatch) -> None:
    """Check again and again, as `tandem up` does."""
    for _ in range(1_000):
        watch.check()


def test_gives_up_on_a_child_that_cannot_run() -> None:
    """A child that always ends at once is started a few times, then `tandem up` ends and says why."""
    sickly = Sickly()
    watch = ProcessWatch(sickly, Clock())
    with pytest.raises(KeepsDying, match=r"node sickly ended 6 times in a row.*ended with exit code 1"):
        check_often(watch)
    assert sickly.starts == MAX_QUICK_EXITS
