"""Delivery details: why a user did or did not receive a message."""
