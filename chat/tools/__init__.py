"""Benchmarks, chaos runs and the doctor. Nothing in the product imports them."""
