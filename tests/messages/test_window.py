"""The four windows of history, compared with a list of seqs."""

from hypothesis import given
from hypothesis import strategies as st

from chat.messages.history import Window, after, around, before, newest

LIMITS = st.integers(1, 200)
SEQS = st.integers(0, 400)


def look(window: Window, last_seq: int) -> list[int]:
    """Return the window of a conversation with so many messages."""
    seqs = list(range(1, last_seq + 1))
    down = [seq for seq in seqs if seq < window.below][-window.down :] if window.down else []
    return down + [seq for seq in seqs if seq > window.above][: window.up]


@given(last=SEQS, seq=SEQS, limit=LIMITS)
def test_before_after_and_newest_take_the_nearest(last: int, seq: int, limit: int) -> None:
    """The nearest messages are those of a slice of the list."""
    seqs = list(range(1, last + 1))
    assert look(newest(limit), last) == seqs[-limit:]
    assert look(before(seq, limit), last) == seqs[: max(0, seq - 1)][-limit:]
    assert look(after(seq, limit), last) == seqs[seq:][:limit]


@given(last=SEQS, seq=SEQS, limit=LIMITS)
def test_around_has_the_message_in_the_middle(last: int, seq: int, limit: int) -> None:
    """There is no hole, at most the limit, and equal numbers on either side, within one."""
    shown = look(around(seq, limit), last)
    assert shown == list(range(shown[0], shown[-1] + 1)) if shown else True
    assert len(shown) <= limit
    if 1 <= seq <= last:
        assert seq in shown
        down, up = seq - shown[0], shown[-1] - seq
        assert abs(down - up) <= 1 or shown[0] == 1 or shown[-1] == last
