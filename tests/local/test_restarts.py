"""Restarts: how soon a child that died is started again, and when `tandem up` gives up."""

from chat.local.fleet import MAX_DELAY, MAX_QUICK_EXITS, QUICK, Restarts


def test_a_child_that_ran_long_is_restarted_at_once() -> None:
    """A node that ran for hours is started again at once."""
    assert Restarts(started=0.0).record_exit(now=QUICK * 1000) == 0.0


def test_quick_deaths_wait_longer_each_time_then_end() -> None:
    """Each quick death doubles the wait up to a limit, and the last one ends `tandem up`."""
    restarts = Restarts(started=0.0)
    delays = [restarts.record_exit(now=1.0) for _ in range(MAX_QUICK_EXITS)]
    assert delays[-1] is None
    waits = [delay for delay in delays if delay is not None]
    assert waits == sorted(waits)
    assert 0 < waits[0] < waits[-1] <= MAX_DELAY


def test_a_child_that_ran_long_is_never_given_up() -> None:
    """A child that once ran long waits the longest time between two starts; one that never did ends `tandem up`."""
    restarts = Restarts(started=0.0)
    restarts.record_exit(now=QUICK + 1)
    restarts.started = QUICK + 1
    assert [restarts.record_exit(now=QUICK + 2) for _ in range(3 * MAX_QUICK_EXITS)][-1] == MAX_DELAY
