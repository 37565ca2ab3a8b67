"""Modules that both channels use."""
