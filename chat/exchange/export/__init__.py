"""Export: what is here as records, a page at a time, whatever its size."""
