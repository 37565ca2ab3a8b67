"""Clients and checkers that nobody here wrote, from npm and PyPI, used as they come."""
