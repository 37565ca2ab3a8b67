"""Connections taken over from aiohttp: the detached response and the WebSocket protocol."""
