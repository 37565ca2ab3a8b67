"""Pins: the messages that a conversation keeps at hand."""
