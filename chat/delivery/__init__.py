"""Delivery: why somebody did not get a message."""
