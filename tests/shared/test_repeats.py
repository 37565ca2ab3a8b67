"""Repeated log lines appear once a minute, with a count of those left out."""

from chat.shared.logging import MOST, PERIOD_SECONDS, LogThrottle


class Clock:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_one_line_a_minute_and_cause() -> None:
    """The first line appears at once, then a count; another cause, and another kind of error, have lines of their
    own."""
    clock = Clock()
    repeats = LogThrottle(clock)
    refused = "OperationalError('connection refused by port {}')"
    assert repeats.count("PostgreSQL is away", refused.format(1)) == 0
    assert [repeats.count("PostgreSQL is away", refused.format(n)) for n in range(3)] == [None] * 3
    assert repeats.count("the log cannot be read now", refused.format(1)) == 0
    assert repeats.count("PostgreSQL is away", "PoolTimeout('no connection')") == 0
    clock.now = PERIOD_SECONDS
    assert repeats.count("PostgreSQL is away", refused.format(9)) == 3
    assert repeats.count("PostgreSQL is away", refused.format(9)) is None
    clock.now *= 2
    assert repeats.count("PostgreSQL is away", refused.format(9)) == 1


def test_causes_that_do_not_repeat_are_forgotten() -> None:
    """At most a thousand causes are remembered."""
    repeats = LogThrottle(Clock())
    for n in range(2 * MOST + 1):
        assert repeats.count(f"event {n}", "once") == 0
    assert len(repeats._causes) <= MOST
