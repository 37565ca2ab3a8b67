"""Checks of settings, servers, clocks and proxies."""
