"""Incoming hooks: addresses at which other programs post."""
