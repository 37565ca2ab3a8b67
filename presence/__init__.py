"""Presence: online status and typing, over a WebSocket."""
