"""Being asked to stop: Ctrl-C, SIGTERM and a closed terminal end the main thread in order, once."""

import signal
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def stop_when_asked() -> None:
    """From now on the first of these signals raises SystemExit(0), which unwinds what is open, once.

    Whoever cannot wait sends SIGKILL: the children die with us, and the data is safe. A hang-up that `nohup` told us
    to ignore stays ignored.
    """
    for each in STOPPING:
        if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN:
            signal.signal(each, leave)


def leave(_number: int, _frame: FrameType | None) -> None:
    """The handler."""
    for each in STOPPING:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(0)
