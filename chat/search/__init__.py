"""Search in the messages that a user may read."""
