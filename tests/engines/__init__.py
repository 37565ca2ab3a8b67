"""The embedded engines, started, killed and broken for real."""
