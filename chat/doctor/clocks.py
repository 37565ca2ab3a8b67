"""Clocks: this machine's, PostgreSQL's and Redis' beside each other. Leases and expiry use the servers', logs ours."""

from chat.doctor.finding import Finding, judge

APART_MOST = 2.0
REMEDY = "Let chronyd or systemd-timesyncd set both clocks; in containers the host's counts."


def compare_clocks(whose: str, before: float, theirs: float, after: float) -> Finding:
    """`before` and `after`: ours around the question, in seconds since 1970."""
    apart = max(0.0, theirs - after, before - theirs)
    return judge(f"clock of {whose}", apart <= APART_MOST, f"{apart:.1f} s apart from this machine's", REMEDY)
