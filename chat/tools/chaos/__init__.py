"""Chaos runs: faults under load, and a checker of what users saw."""
