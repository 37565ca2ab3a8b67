"""The proof can fail: the checker finds what is broken in a history, and broken builds do not get past it."""
