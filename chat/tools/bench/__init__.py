"""Benchmarks of a node, and of other systems beside it."""
