"""The session registry, on a real server."""
