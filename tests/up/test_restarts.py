"""How soon what died is started again, and when that is given up."""

from chat.local.watch import MAX_DELAY, MAX_QUICK_EXITS, QUICK, Restarts


def test_who_lived_long_is_started_at_once() -> None:
    """A node that ran for hours and dies is needed back now."""
    assert Restarts(started=0.0).record_exit(now=QUICK * 1000) == 0.0


def test_quick_deaths_wait_longer_each_time_then_end() -> None:
    """Each death soon after the start doubles the wait up to a limit; the last one is the end."""
    restarts = Restarts(started=0.0)
    delays = [restarts.record_exit(now=1.0) for _ in range(MAX_QUICK_EXITS)]
    assert delays[-1] is None
    waits = [delay for delay in delays if delay is not None]
    assert waits == sorted(waits)
    assert 0 < waits[0] < waits[-1] <= MAX_DELAY


def test_what_has_lived_is_never_given_up() -> None:
    """It waits the longest time between two starts, and no longer; what never lived is another matter."""
    restarts = Restarts(started=0.0)
    restarts.record_exit(now=QUICK + 1)
    restarts.started = QUICK + 1
    assert [restarts.record_exit(now=QUICK + 2) for _ in range(3 * MAX_QUICK_EXITS)][-1] == MAX_DELAY
