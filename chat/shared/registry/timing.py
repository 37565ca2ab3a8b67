"""How long things take to be noticed, and that together it is not too long. Pure; seconds."""

from dataclasses import dataclass

from chat.shared.settings import BadSettings

GHOST_MOST = 20.0
MARGIN = 2.0  # for a call to Redis that has to time out once, and for the reaping itself
BEATS = 5  # in a lease


@dataclass(frozen=True, slots=True)
class Timing:
    """`linger`: how long somebody may be away without being shown as offline; `lease`: NODE_LEASE."""

    linger: float
    lease: float

    @property
    def beat(self) -> float:
        """Between two renewals of the lease."""
        return self.lease / BEATS

    @property
    def patience(self) -> float:
        """How long after its last renewal a node counts as dead. It may have died up to a beat after that renewal,
        and from then on its people have their linger to appear elsewhere."""
        return max(self.lease, self.beat + self.linger)

    @property
    def ghost(self) -> float:
        """The longest that somebody is shown as here after his node has died."""
        return self.patience + self.beat + MARGIN


def check_timing(linger: float, lease: float) -> Timing:
    """Raises `BadSettings` when a dead node's people could be shown as here for more than 20 s."""
    timing = Timing(linger, lease)
    if timing.ghost > GHOST_MOST:
        raise BadSettings(
            f"PRESENCE_LINGER, NODE_LEASE: with {linger:g} and {lease:g} s the people of a dead node could be shown "
            f"as here for {timing.ghost:.1f} s; {GHOST_MOST:g} s are the most. Make one of them smaller."
        )
    return timing
