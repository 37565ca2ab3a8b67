"""Other systems that the benchmarks measure in the same way."""
