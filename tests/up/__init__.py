"""`tandem up`, run as people run it: a process, its lines, its exit code."""
