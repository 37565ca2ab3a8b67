"""The names of keys and channels. Keys are hash-tagged, so that all of one person is on one server of a cluster."""

LEASES = "tandem:{nodes}"
COUNTS = "tandem:{nodes}:counts"
ROOMS = "tandem:{nodes}:rooms"
ROOMS_ASKED = "tandem:{nodes}:rooms:asked"
PEOPLE = "tandem:{u:*}"
REVOKED = b"tandem:revoked"
PERSON = b"tandem:person:"
TYPING = b"tandem:typing:"
HOLDER = b"tandem:holder:"


def person_key(user_id: int) -> str:
    """The hash with everything about one person."""
    return f"tandem:{{u:{user_id}}}"


def person_of(key: bytes) -> int:
    """Whose hash this is."""
    return int(key[len(b"tandem:{u:") : -1])


def held_key(holder: str) -> str:
    """The set of people of whom a holder has, or has had, devices: whom to reap when it dies."""
    return f"tandem:{{h:{holder}}}"


def holder_channel(holder: str) -> bytes:
    """Where a holder hears of people whom it shares; by its last part, for a node's name may be anything."""
    return HOLDER + holder.rpartition("~")[2].encode()


def ticket_key(digest: str) -> str:
    """A ticket, by the hash of what its bearer says."""
    return f"tandem:ticket:{digest}"
