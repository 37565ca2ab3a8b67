"""Presence: the algebra, the socket, and what must be seen when things break."""
