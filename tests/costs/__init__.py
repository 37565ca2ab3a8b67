"""Costs in counts that are the same on every machine: statements, commands, writes, bytes."""
