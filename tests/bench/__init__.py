"""Benchmarks: each subcommand runs, on a small scale."""
