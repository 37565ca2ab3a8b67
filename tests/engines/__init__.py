"""Bundled servers: started, killed and broken for real."""
