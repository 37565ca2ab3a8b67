"""`tandem up`, run as users run it: a process, its output, its exit code."""
