"""Presence: merging records, the socket, and what must be shown when parts fail."""
