"""Chaos runs can fail: the checker finds what is broken in a history, and broken builds are caught."""
