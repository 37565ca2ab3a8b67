"""Nobody: ids that no person gets, kept for the accounts and the room by which Tandem watches itself. Pure."""

FIRST_PROBE = 2**53 - 2**32  # as is_probe() in the database has it


def is_probe(user_id: int) -> bool:
    """Is this nobody? No list shows it and no figure counts it."""
    return user_id >= FIRST_PROBE
